"""`surefoot serve BUNDLE`: loads, binds, says where, and answers until it is told to stop."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import uvicorn

from surefoot.exporting.predictor import Predictor, load
from surefoot.serving.app import make_app
from surefoot.serving.example import write_arguments
from surefoot.serving.guard import is_loopback
from surefoot.types.errors import SurefootError, UsageError


def serve(folder: Path, host: str = "127.0.0.1", port: int = 8000, say: Callable[[str], None] | None = None) -> None:
    """Serves a bundle until it is interrupted; requests under way are answered first.

    Args:
        folder: the bundle.
        host: loopback unless asked otherwise; there is no password, so an open address lets everybody in.
        port: 0 takes any free one.
        say: is told the address and a request to try; standard error where left out.

    Raises:
        DamagedError: the bundle is not whole. UsageError: the address can't be bound.
    """
    tell = say or (lambda text: print(text, file=sys.stderr, flush=True))
    predictor = load(folder)
    server, listener = _prepare(predictor, host, port)
    with listener:
        tell(f"{folder} is served at {address(listener)} (Ctrl-C stops it).")
        tell(f"Try it: curl -s {address(listener)}/predict {write_arguments(predictor.recipe)}")
        if not is_loopback(host):
            tell("Everybody who reaches this address may use the model: there is no password and no encryption.")
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def address(listener: socket.socket) -> str:
    """The URL of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _prepare(predictor: Predictor, host: str, port: int) -> tuple[uvicorn.Server, socket.socket]:
    app = make_app(predictor, host)
    return uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)), _listen(host, port)


def _listen(host: str, port: int) -> socket.socket:
    # Named as TCP, or asyncio leaves Nagle's algorithm on: it then waits for the client's delayed acknowledgement, 47 ms a request instead of 2.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"{host}:{port} can't be listened on: {error.strerror or error}.",
            where=f"--host {host} --port {port}",
            next="Take another port, or 0 for any free one.",
        ) from error
    return listener


def _serve_until_stdin_closes(folder: Path) -> None:
    """For `measure`: prints the address, and ends with the process that started it, however that ends."""
    server, listener = _prepare(load(folder), "127.0.0.1", 0)

    def wait() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    with listener:
        print(address(listener), flush=True)
        threading.Thread(target=wait, daemon=True).start()
        server.run(sockets=[listener])


if __name__ == "__main__":
    try:
        _serve_until_stdin_closes(Path(sys.argv[1]))
    except SurefootError as error:
        sys.exit(error.what)
