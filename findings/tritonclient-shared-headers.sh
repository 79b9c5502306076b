#!/usr/bin/env bash
# tritonclient 2.73.0 and kserve 0.21.0 (PyPI), HTTP inference with the caller's own dictionary of headers, for example of a token.
#
# Expected: each request has the headers that fit its own body, and the caller's dictionary stays as it was.
# Seen: both write into the dictionary that they were handed. After one request with binary tensors it holds
# Inference-Header-Content-Length, and the next request, all of whose tensors are JSON, is sent with that length, of which it
# has more bytes: a server of the protocol cuts the JSON there and refuses it. After one compressed request tritonclient
# sends plain bodies as Content-Encoding: gzip. Way around: pass a copy, headers=dict(headers).
#
# The server below answers every request alike and notes what it was sent. Exit code 0: still so. Needs python3 and PyPI.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir"
"$dir/bin/pip" install -q --disable-pip-version-check --only-binary=:all: 'tritonclient[http]==2.73.0' kserve==0.21.0 numpy==2.4.6
"$dir/bin/python" - <<'PY'
import asyncio
import http.server
import threading

import numpy as np
import tritonclient.http as triton
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

sent = []


class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sent.append((self.headers.get("Inference-Header-Content-Length"), self.headers.get("Content-Encoding"), body))
        answer = b'{"model_name":"m","id":"1","outputs":[]}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"127.0.0.1:{server.server_port}"
x = np.arange(64, dtype=np.float32).reshape(1, 64) / 7


def ask_triton(headers, binary, **more):
    given = triton.InferInput("x", [1, 64], "FP32")
    given.set_data_from_numpy(x, binary_data=binary)
    triton.InferenceServerClient(address).infer("m", [given], headers=headers, **more)


def ask_kserve(headers, binary):
    async def ask():
        given = InferInput("x", [1, 64], "FP32")
        given.set_data_from_numpy(x, binary_data=binary)
        client = InferenceRESTClient(RESTConfig(protocol="v2"))
        await client.infer("http://" + address, InferRequest("m", [given]), model_name="m", headers=headers)
        await client.close()
    asyncio.run(ask())


for name, ask in (("tritonclient", ask_triton), ("kserve", ask_kserve)):
    headers = {"Authorization": "Bearer secret"}
    ask(headers, True)
    ask(headers, False)
    length, _, body = sent[-1]
    print(f"{name}: the caller's dictionary has {sorted(headers)}; the JSON request of {len(body)} bytes says {length}")
    assert body.endswith(b"}") and length is not None and int(length) < len(body), sent[-1]

headers = {"Authorization": "Bearer secret"}
ask_triton(headers, True, request_compression_algorithm="gzip")
ask_triton(headers, True)
print(f"tritonclient: the plain request after a compressed one says Content-Encoding: {sent[-1][1]}, and begins with {sent[-1][2][:10]}")
assert sent[-1][1] == "gzip" and sent[-1][2].startswith(b"{"), sent[-1][:2]
PY
