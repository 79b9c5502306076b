"""How fast onnxruntime answers with a network that jem convert wrote, and a table of it beside jem bench score.

    onnx_score.py rates MODEL.onnx THREADS SECONDS SIZE…   one line of JSON: the rate for batches of each size
    onnx_score.py table RECORDS                            medians over rounds; RECORDS has a line of JSON a measurement

Batches are timed one after another for SECONDS each, from the array on the host to the logits there.
"""

import json
import statistics
import sys
import time


def rates(path, threads, seconds, *sizes):
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = int(threads), 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    shape = [n if isinstance(n, int) else 1 for n in entry.shape]
    measured = []
    for size in map(int, sizes):
        x = numpy.random.default_rng(1).uniform(-1, 1, [size, *shape[1:]]).astype(numpy.float32)
        session.run(None, {entry.name: x})
        took, begin = [], time.perf_counter()
        while len(took) < 5 or time.perf_counter() - begin < float(seconds):
            start = time.perf_counter()
            session.run(None, {entry.name: x})
            took.append(time.perf_counter() - start)
        per_second = size * len(took) / (time.perf_counter() - begin)
        measured.append({"images": size, "seconds": statistics.median(took), "images_per_second": per_second})
    print(json.dumps({"onnxruntime": onnxruntime.__version__, "rates": measured}))


def table(path):
    records = [json.loads(line) for line in open(path)]
    jem = [r for r in records if "loads" in r]
    peer = [r for r in records if "onnxruntime" in r]
    print(f"{len(jem)} rounds; images a second, medians; jem: {jem[0]['device']['isa']}, {jem[0]['device']['threads']} threads; onnxruntime {peer[0]['onnxruntime']}")
    print(f"{'BATCH':>6}{'jem':>9}{'onnxruntime':>13}{'jem / it':>10}   {'round by round'}")
    for size in sorted({r["images"] for r in peer[0]["rates"]}):
        mine, its = (
            [next(r["images_per_second"] for r in p["rates"] if r["images"] == size and not r.get("gradient")) for p in side]
            for side in (jem, peer)
        )
        ratios = ", ".join(f"{a / b:.2f}" for a, b in zip(mine, its))
        a, b = statistics.median(mine), statistics.median(its)
        print(f"{size:>6}{a:>9.0f}{b:>13.0f}{a / b:>10.2f}   {ratios}")
    print(f"{'CLIENTS':>8}{'WHERE':>9}{'GRADIENT':>10}{'images/s':>10}{'OF DEVICE':>11}{'p50 ms':>8}{'OF ONE IMAGE':>14}")
    for at in [(l["clients"], l["where"], l["gradient"]) for l in jem[0]["loads"]]:
        same = [l for r in jem for l in r["loads"] if (l["clients"], l["where"], l["gradient"]) == at]
        median = lambda of: statistics.median(l[of] for l in same)
        print(f"{at[0]:>8}{at[1]:>9}{'yes' if at[2] else 'no':>10}{median('images_per_second'):>10.0f}{median('of_device_rate'):>11.2f}"
              f"{1000 * median('seconds_p50'):>8.2f}{median('of_one_image'):>14.2f}")


if __name__ == "__main__":
    {"rates": rates, "table": table}[sys.argv[1]](*sys.argv[2:])
