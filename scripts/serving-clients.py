#!/usr/bin/env python3
"""Asks a running jem serve by the Python clients of Triton and KServe, and holds the answers to those of jem score.

    serving-clients.py ADDRESS IMAGES.safetensors SCORES.safetensors [TOKEN]

ADDRESS is http://HOST:PORT; IMAGES has x (N,C,H,W), SCORES is what jem score wrote of them. scripts/test-serving.sh runs it.
"""
import asyncio
import io
import json
import struct
import sys
from importlib.metadata import version

import numpy as np
import tritonclient.http as triton
from PIL import Image
from tritonclient.utils import InferenceServerException


def tensors(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        body = f.read()
    return {k: np.frombuffer(body[slice(*v["data_offsets"])], "<f4").reshape(v["shape"]) for k, v in header.items() if k != "__metadata__"}


address, images, scores = sys.argv[1:4]
header = {"Authorization": "Bearer " + sys.argv[4]} if len(sys.argv) > 4 else {}
x, want = np.ascontiguousarray(tensors(images)["x"]), tensors(scores)
n = len(x)
names = ["logits", "log_px", "approx_mass"]


def like(form, got):
    """float32 numbers go through JSON and bytes to the bit."""
    for name in names:
        assert got(name).shape == want[name].shape, (form, name, got(name).shape)
        assert np.array_equal(got(name), want[name]), (form, name, np.abs(got(name) - want[name]).max())
    print(f"  {form}: as jem score", flush=True)


def ask_triton():
    client = triton.InferenceServerClient(address.removeprefix("http://"), network_timeout=120)
    assert client.is_server_live(headers=header) and client.is_server_ready(headers=header) and client.is_model_ready("jem", headers=header)
    assert "binary_tensor_data" in client.get_server_metadata(headers=header)["extensions"]
    about = client.get_model_metadata("jem", headers=header)
    assert about["inputs"][0]["shape"] == [-1, *x.shape[1:]], about

    def ask(x, datatype, binary_in=True, binary_out=True, outputs=names, name="images", **more):
        given = triton.InferInput(name, list(x.shape), datatype)
        given.set_data_from_numpy(x, binary_data=binary_in)
        asked = [triton.InferRequestedOutput(o, binary_data=binary_out) for o in outputs] or None
        return client.infer("jem", [given], outputs=asked, headers=dict(header), **more)  # infer writes into it

    for binary_in in (True, False):
        for binary_out in (True, False):
            form = f"FP32 {'in bytes' if binary_in else 'in JSON'}, answers {'in bytes' if binary_out else 'in JSON'}"
            like(form, ask(x, "FP32", binary_in, binary_out).as_numpy)
    for packed in ("gzip", "deflate"):
        like(f"{packed}", ask(x, "FP32", request_compression_algorithm=packed, response_compression_algorithm=packed, request_id="7").as_numpy)
    everything = ask(x, "FP32", outputs=[], model_version=about["versions"][0])
    like("all outputs, by version", everything.as_numpy)
    assert len(everything.as_numpy("class")) == n and everything.as_numpy("class").dtype == object

    bytes_in = np.round((x + 1) * 127.5).clip(0, 255).astype(np.uint8)
    planes = ask(bytes_in, "UINT8").as_numpy
    last = ask(np.ascontiguousarray(bytes_in.transpose(0, 2, 3, 1)), "UINT8").as_numpy
    files = []
    for image in bytes_in.transpose(0, 2, 3, 1):
        png = io.BytesIO()
        Image.fromarray(image).save(png, "PNG")
        files.append(png.getvalue())
    pictures = ask(np.array(files, dtype=np.object_), "BYTES", name="pictures").as_numpy
    for name in names:
        assert np.array_equal(planes(name), last(name)) and np.array_equal(planes(name), pictures(name)), name
    print("  UINT8 planes, UINT8 pixels, PNG files: one answer", flush=True)

    for why, status, call in [
        ("there is no output", "400", lambda: ask(x, "FP32", outputs=["nothing"])),
        ("shape", "400", lambda: ask(x[:, :, :3], "FP32")),
        ("there is no model", "404", lambda: client.get_model_metadata("other", headers=header)),
        ("picture 1", "400", lambda: ask(np.array([b"GIF89a"], dtype=np.object_), "BYTES", name="pictures")),
    ]:
        try:
            call()
        except InferenceServerException as e:
            assert e.status() == status and why in e.message(), e
        else:
            raise AssertionError(f"{why}: an answer")
    print("  refusals reach the caller as sentences", flush=True)
    client.close()


async def ask_kserve():
    from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
    from kserve.protocol.infer_type import RequestedOutput
    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=120))
    assert await client.is_server_live(address, headers=header) and await client.is_server_ready(address, headers=header)
    assert await client.is_model_ready(address, "jem", headers=header)
    for binary_in in (True, False):
        for binary_out in (True, False):
            given = InferInput("images", list(x.shape), "FP32")
            given.set_data_from_numpy(x, binary_data=binary_in)
            asked = [RequestedOutput(o, {"binary_data": binary_out}) for o in names]
            request = InferRequest("jem", [given], request_id="8", request_outputs=asked)
            got = await client.infer(address, request, model_name="jem", headers=dict(header))
            assert got.id == "8", got.id
            outputs = {o.name: o for o in got.outputs}
            like(f"FP32 {'in bytes' if binary_in else 'in JSON'}, answers {'in bytes' if binary_out else 'in JSON'}",
                 lambda name: np.asarray(outputs[name].as_numpy(), np.float32))
    await client.close()


print(f"tritonclient {version('tritonclient')}", flush=True)
ask_triton()
print(f"kserve {version('kserve')}", flush=True)
asyncio.run(ask_kserve())
