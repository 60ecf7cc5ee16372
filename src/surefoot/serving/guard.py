"""What a request must pass before it is looked at: the Host header of a loopback server, and the size of its body."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from surefoot.serving.protocol import MAX_BODY_BYTES, RequestError

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(:\d+)?")

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`."""
    return host in ("localhost", "::1") or host.startswith("127.")


class HostGuard:
    """Refuses requests whose Host header names another machine: a web page could otherwise have a browser ask a loopback server
    under a name of its own (DNS rebinding).

    Args:
        app: what is guarded.
        hosts: allowed names, without ports.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _read_host(scope) not in self.hosts:
            await JSONResponse({"error": "this server answers to its own address only"}, 403)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


async def read_body(request: Request) -> bytes:
    """The whole body.

    Raises:
        RequestError: it is larger than 32 MiB.
    """
    size = 0
    chunks = []
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise RequestError(413, f"a request has at most {MAX_BODY_BYTES // 2**20} MiB")
        chunks.append(chunk)
    return b"".join(chunks)


def _read_host(scope: Scope) -> str:
    """The host without its port, in lower case; empty unless there is exactly one."""
    hosts = [value.decode("latin-1").strip().lower() for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1:
        return ""
    found = _HOST.fullmatch(hosts[0])
    return found[1] if found else ""
