"""Times one JEM training step in PyTorch, as the published script does it: K SGLD steps
(forward and input gradient), three forward passes, one backward pass, Adam.

    python torch_step.py --depth 16 --width 2 --batch 64 --sgld-steps 20 [--format channels_last] [--bf16]
    python torch_step.py --device cuda [--no-tf32] [--compile default|reduce-overhead|max-autotune] …

Prints one JSON object; step_seconds is the median. On a GPU cuDNN may search for its algorithms
(cudnn.benchmark), and convolutions round to TF32 unless --no-tf32 is given, as is PyTorch's default.
"""

import argparse
import json
import resource
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, inp, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inp, out, 3, padding=1)
        self.conv2 = nn.Conv2d(out, out, 3, stride=stride, padding=1)
        self.shortcut = nn.Conv2d(inp, out, 1, stride=stride) if stride != 1 or inp != out else None

    def forward(self, x):
        h = self.conv2(F.leaky_relu(self.conv1(F.leaky_relu(x, 0.2)), 0.2))
        return h + (x if self.shortcut is None else self.shortcut(x))


class WideResNet(nn.Module):
    def __init__(self, depth, width, channels=3, classes=10):
        super().__init__()
        layers, inp = [nn.Conv2d(channels, 16, 3, padding=1)], 16
        for stage in range(3):
            for i in range((depth - 4) // 6):
                out = 16 * width * 2**stage
                layers.append(Block(inp, out, 2 if stage > 0 and i == 0 else 1))
                inp = out
        self.body, self.head = nn.Sequential(*layers), nn.Linear(inp, classes)

    def forward(self, x):
        return self.head(F.leaky_relu(self.body(x), 0.2).mean((2, 3)))


def step(net, opt, data, k, cast, wait):
    x_p, x_lab, y, x = (t.clone() for t in data)
    for _ in range(k):
        x.requires_grad_(True)
        with cast():
            f = torch.logsumexp(net(x).float(), 1).sum()
        g = torch.autograd.grad(f, x)[0]
        x = (x + g + 0.01 * torch.randn_like(x)).detach()
    wait()
    sampled = time.perf_counter()
    with cast():
        px = torch.logsumexp(net(x).float(), 1).mean() - torch.logsumexp(net(x_p).float(), 1).mean()
        loss = px + F.cross_entropy(net(x_lab).float(), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    wait()
    return sampled


def arguments():
    a = argparse.ArgumentParser()
    a.add_argument("--depth", type=int, default=16)
    a.add_argument("--width", type=int, default=2)
    a.add_argument("--batch", type=int, default=64)
    a.add_argument("--sgld-steps", type=int, default=20)
    a.add_argument("--steps", type=int, default=3)
    a.add_argument("--format", choices=["contiguous", "channels_last"], default="contiguous")
    a.add_argument("--bf16", action="store_true")
    a.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    a.add_argument("--no-tf32", action="store_true")
    a.add_argument("--compile", choices=["default", "reduce-overhead", "max-autotune"])
    return a.parse_args()


def main():
    a = arguments()
    torch.manual_seed(1)
    on_gpu = a.device == "cuda"
    torch.backends.cudnn.benchmark = on_gpu
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = not a.no_tf32
    form = torch.channels_last if a.format == "channels_last" else torch.contiguous_format
    net = WideResNet(a.depth, a.width).to(a.device, memory_format=form)
    opt = torch.optim.Adam(net.parameters(), 1e-4, fused=on_gpu)
    if a.compile:
        net = torch.compile(net, mode=a.compile)
    image = lambda: (torch.rand(a.batch, 3, 32, 32) * 2 - 1).to(a.device, memory_format=form)
    data = (image(), image(), torch.randint(10, (a.batch,)).to(a.device), image())
    cast = lambda: torch.autocast(a.device, torch.bfloat16, enabled=a.bf16)
    wait = torch.cuda.synchronize if on_gpu else lambda: None
    warm = 3 if on_gpu else 1  # the search for algorithms, the compiler
    total, sgld = [], []
    for i in range(a.steps + warm):
        begin = time.perf_counter()
        sampled = step(net, opt, data, a.sgld_steps, cast, wait)
        if i >= warm:
            total.append(time.perf_counter() - begin)
            sgld.append(sampled - begin)
    print(json.dumps({
        "torch": torch.__version__, "threads": torch.get_num_threads(), "format": a.format, "bf16": a.bf16,
        "device": torch.cuda.get_device_name() if on_gpu else "cpu", "tf32": on_gpu and not a.no_tf32, "compile": a.compile,
        "cudnn": torch.backends.cudnn.version() if on_gpu else None,
        "step_seconds": statistics.median(total), "step_seconds_min": min(total), "step_seconds_max": max(total),
        "sgld_seconds": statistics.median(sgld), "capability": torch.backends.cpu.get_cpu_capability().lower(),
        "process_peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }))


if __name__ == "__main__":
    main()
