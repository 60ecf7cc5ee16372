"""How fast a served bundle answers on this machine, and whether it says the same as the predictor."""

from __future__ import annotations

import base64
import http.client
import io
import json
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from surefoot.exporting.predictor import Predictor, load
from surefoot.types.errors import SurefootError

_WARM_UP = 10
_CLIENTS = 4
_START_S = 60.0
_TIMEOUT_S = 30.0
_TOLERANCE = 1e-5


def measure(folder: Path, fields: tuple[np.ndarray, ...], requests: int = 200) -> dict[str, Any]:
    """Starts the server in a process of its own, on loopback and a free port, and asks it over HTTP, one item per request.

    Args:
        folder: the bundle.
        fields: real items as the graph takes them, one array (B, ...) per field; taken in turn. Pictures are sent as PNG files.
        requests: of each of the two measurements.

    Returns:
        `latency_ms` {p50, p95, p99} of requests one after another on one connection; `throughput` in requests per second
        of 4 connections at once; `agrees`: every answer is the predictor's, to 1e-5 of its size, and decides the same;
        `requests`, `url`.

    Raises:
        SurefootError: the server did not start, or refused a request.
    """
    predictor = load(folder)
    asked = [tuple(field[row : row + 1] for field in fields) for row in range(min(len(fields[0]), requests))]
    bodies = [_write_request(predictor, item) for item in asked]
    expected = [predictor.predict(item) for item in asked]
    turns = [turn % len(bodies) for turn in range(requests)]
    with _running(folder) as url:
        client = _Client(url, predictor.manifest.name)
        for turn in range(_WARM_UP):
            client.ask(bodies[turn % len(bodies)])
        answers, seconds = zip(*(client.ask(bodies[turn]) for turn in turns), strict=True)
        client.close()
        throughput = _measure_throughput(url, predictor.manifest.name, [bodies[turn] for turn in turns])
    agrees = all(_agree(predictor, expected[turn], answer) for turn, answer in zip(turns, answers, strict=True))
    p50, p95, p99 = np.percentile(np.array(seconds) * 1e3, [50, 95, 99]).tolist()
    return {"latency_ms": {"p50": p50, "p95": p95, "p99": p99}, "throughput": throughput, "agrees": agrees, "requests": requests, "url": url}


class _Client:
    """One kept-alive connection."""

    def __init__(self, url: str, model: str) -> None:
        where = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=_TIMEOUT_S)
        self.path = f"/v2/models/{urllib.parse.quote(model, safe='')}/infer"

    def ask(self, body: bytes) -> tuple[dict[str, Any], float]:
        """The parsed answer, and the seconds until its last byte."""
        start = time.perf_counter()
        self.connection.request("POST", self.path, body, {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        data = response.read()
        seconds = time.perf_counter() - start
        if response.status != 200:
            raise SurefootError(
                f"The server answered {response.status}: {data[:200].decode(errors='replace')}", where=self.path, next="Export the bundle again."
            )
        return json.loads(data), seconds

    def close(self) -> None:
        self.connection.close()


@contextmanager
def _running(folder: Path) -> Iterator[str]:
    """The URL of a server that ends with the block."""
    command = [sys.executable, "-m", "surefoot.serving.run", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stderr is not None
        told: list[bytes] = []
        drain = threading.Thread(target=lambda: told.append(server.stderr.read()), daemon=True)  # type: ignore[union-attr]
        drain.start()
        watch = threading.Timer(_START_S, server.kill)
        watch.start()
        try:
            url = server.stdout.readline().decode().strip()
            watch.cancel()
            if not url:
                drain.join(_TIMEOUT_S)
                last = b"".join(told).decode(errors="replace").strip().splitlines()[-1:]
                raise SurefootError(
                    f"The server did not start: {' '.join(last) or 'it said nothing'}", where=str(folder), next=f"Try `surefoot serve {folder}`."
                )
            yield url
        finally:
            watch.cancel()
            server.stdin.close()
            try:
                server.wait(_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                server.kill()


def _measure_throughput(url: str, model: str, bodies: list[bytes]) -> float:
    """Requests per second over several connections at once."""

    def ask_all(mine: list[bytes]) -> None:
        client = _Client(url, model)
        for body in mine:
            client.ask(body)
        client.close()

    start = time.perf_counter()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(ask_all, [bodies[first::_CLIENTS] for first in range(_CLIENTS)]))
    return len(bodies) / (time.perf_counter() - start)


def _write_request(predictor: Predictor, item: tuple[np.ndarray, ...]) -> bytes:
    specs = predictor.manifest.fields
    if predictor.recipe["kind"] == "image":
        inputs = [{"name": specs[0].name, "shape": [1], "datatype": "BYTES", "data": [_write_png(item[0][0])]}]
    else:
        datatypes = {"float32": "FP32", "int32": "INT32"}
        inputs = [{"name": s.name, "shape": list(f.shape), "datatype": datatypes[s.dtype], "data": _plain(f)} for s, f in zip(specs, item, strict=True)]
    return json.dumps({"inputs": inputs}).encode()


def _write_png(pixels: np.ndarray) -> str:
    """uint8 (C, H, W) -> base64 of a PNG file, which loses nothing."""
    file = io.BytesIO()
    Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(file, "PNG", compress_level=1)
    return base64.b64encode(file.getvalue()).decode()


def _plain(field: np.ndarray) -> list[Any]:
    return [None if value != value else value for value in field.ravel().tolist()]  # JSON knows no NaN


def _agree(predictor: Predictor, expected: np.ndarray, answer: dict[str, Any]) -> bool:
    """The same numbers and decision; batches of another size may round differently, hence the tolerance."""
    got = {entry["name"]: np.array(entry["data"], np.float64).reshape(entry["shape"]) for entry in answer["outputs"] if entry["datatype"] != "BYTES"}
    outputs = got.get("probs", got["preds"])
    preds, _ = predictor.decide(expected)
    return bool(np.allclose(outputs, expected, rtol=_TOLERANCE, atol=_TOLERANCE) and np.allclose(got["preds"], preds, rtol=_TOLERANCE, atol=_TOLERANCE))
