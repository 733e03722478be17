"""A Databricks workspace on this machine: Unity Catalog, tags, files, jobs and credentials for the unmodified SDK.

It stands on the directory of Delta tables and volumes that the loopback SQL warehouse serves. It is strict: a wrong token
is 401, an unknown route 404 `ENDPOINT_NOT_FOUND`. Answers are made of the SDK's own classes, so that none can have a shape
that the SDK does not know. It keeps what it was asked, and can be told to fail.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl

from databricks.sdk.service.serving import EndpointState, EndpointStateReady, ServingEndpoint, ServingEndpointDetailed

from tests.databricks.exchange import Answer, RefusedError, Request, Routes, route
from tests.databricks.workspace_catalog import Catalog
from tests.databricks.workspace_credentials import Credentials
from tests.databricks.workspace_files import Files
from tests.databricks.workspace_jobs import Jobs

TOKEN = "loopback-token"
OPEN = ("/.well-known/databricks-config",)


class Workspace:
    """The services over one directory. `requests` is what arrived; `fail` says what happens to the next requests.

    `denied` holds full names (`c.s.t`, `/Volumes/c/s/v/…`) that the one who signs in may not look into.
    """

    def __init__(self, directory: Path, token: str = TOKEN, page_size: int = 100) -> None:
        self.token = token
        self.requests: list[Request] = []
        self.failures: deque[int] = deque()
        self.denied: set[str] = set()
        self.catalog = Catalog(directory, self.denied, page_size)
        self.files = Files(directory, self.denied, page_size)
        self.jobs = Jobs()
        self.credentials = Credentials()
        self.endpoints: list[str] = []
        self.routes: Routes = {
            **self.catalog.routes(),
            **self.files.routes(),
            **self.jobs.routes(),
            **self.credentials.routes(),
            ("GET", "/api/2.0/serving-endpoints"): self._endpoints,
            ("GET", "/api/2.0/serving-endpoints/{}"): self._endpoint,
        }

    def fail(self, *statuses: int) -> None:
        """Let the next requests fail with these HTTP statuses, such as 429 or 503."""
        self.failures.extend(statuses)

    def close(self) -> None:
        self.jobs.close()
        self.catalog.close()

    def handle(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer:
        """Return the answer to one request; header names are in lower case, the path is still %-escaped."""
        request = Request(method, path, query, headers, body)
        self.requests.append(request)
        try:
            if path not in OPEN and headers.get("authorization") != f"Bearer {self.token}":
                raise RefusedError(401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type")
            if path not in OPEN and self.failures:
                raise RefusedError(self.failures.popleft(), "TEMPORARILY_UNAVAILABLE", "Try again later")
            return route(self.routes, request)
        except RefusedError as refused:
            return refused.answer({"Retry-After": "1"} if refused.status in (429, 503) else None)

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one HTTP request, for any server that has this workspace among its paths."""
        path, _, query = handler.path.partition("?")
        headers = {name.lower(): value for name, value in handler.headers.items()}
        body = handler.rfile.read(int(headers.get("content-length", 0)))
        answer = self.handle(str(handler.command), path, dict(parse_qsl(query)), headers, body)
        handler.send_response(answer.status)
        given = dict(answer.headers)
        if isinstance(answer.body, bytes):
            given.setdefault("Content-Length", str(len(answer.body)))
        for name, value in given.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            with contextlib.suppress(OSError):  # the client has read enough
                for block in [answer.body] if isinstance(answer.body, bytes) else answer.body:
                    handler.wfile.write(block)

    def _endpoints(self, _request: Request) -> dict[str, Any]:
        ready = EndpointState(ready=EndpointStateReady.READY)
        return {"endpoints": [ServingEndpoint(name=name, state=ready).as_dict() for name in self.endpoints]}

    def _endpoint(self, _request: Request, name: str) -> dict[str, Any]:
        if name not in self.endpoints:
            raise RefusedError(404, "RESOURCE_DOES_NOT_EXIST", f"Endpoint with name '{name}' does not exist.")
        return ServingEndpointDetailed(name=name, state=EndpointState(ready=EndpointStateReady.READY)).as_dict()


class Server(ThreadingHTTPServer):
    """A workspace alone on a port of its own, for as long as the `with` block lasts."""

    daemon_threads = True

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.workspace = workspace
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self.workspace.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        # Without this an answer waits 40 ms for the client's acknowledgement.
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        super().setup()

    def _serve(self) -> None:
        self.server.workspace.serve(self)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - the base class's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(directory: Path, **options: Any) -> Iterator[Server]:
    """A workspace over the directory, served on a port of its own."""
    with Server(Workspace(directory, **options)) as server:
        yield server
