"""HTTP for the loopback servers: path prefixes, and who answers under each."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

HTTPS_HOST = "localhost"


@dataclass(frozen=True)
class Request:
    """What arrived. `path` is without the query and still %-escaped; names of `headers` are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body or b"{}")
        return found


@dataclass(frozen=True)
class Reply:
    """Status, body and headers; `Content-Length` is among the headers where the body comes in blocks."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Route = Callable[[Request], Reply | None]
"""Answers a request; None hangs up without an answer."""


def json_reply(status: int, body: Any) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


class Server(ThreadingHTTPServer):
    """Serves `routes`, of which the longest prefix counts; HTTPS with a certificate, else plain HTTP."""

    daemon_threads = True

    def __init__(self, port: int = 0, certificate: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.routes: dict[str, Route] = {}
        host = HTTPS_HOST if certificate else "127.0.0.1"
        self.port = int(self.server_address[1])
        self.address = f"{'https' if certificate else 'http'}://{host}:{self.port}"
        if certificate:
            # The handshake belongs into the request's thread, where a client that stays silent holds nobody up.
            self.socket = certificate.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def answer(self, request: Request) -> Reply | None:
        prefixes = [prefix for prefix in self.routes if request.path.startswith(prefix)]
        if not prefixes:
            return json_reply(404, {"error_code": "ENDPOINT_NOT_FOUND", "message": f"No API found for {request.path}"})
        return self.routes[max(prefixes, key=len)](request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        # Without this an answer waits 40 ms for the client's acknowledgement.
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        super().setup()

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        reply = self.server.answer(Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body))
        if reply is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(reply.status)
        length = {"Content-Length": str(len(reply.body))} if isinstance(reply.body, bytes) else {}
        for name, value in (length | dict(reply.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(OSError):  # the client has read enough
                self.wfile.writelines([reply.body] if isinstance(reply.body, bytes) else reply.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - the base's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
