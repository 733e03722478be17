"""A loopback workspace with one route, which gives passwords of Lakebase; each makes the one before worthless."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from databricks.sdk.service.postgres import DatabaseCredential
from google.protobuf.timestamp_pb2 import Timestamp

from tests.lakebase.postgres import Postgres

ENDPOINT = "projects/p/branches/production/endpoints/primary"
SIGN_IN = "a token of the workspace"


@dataclass
class Workspace:
    host: str = ""
    given: list[str] = field(default_factory=list)
    lifetime: float = 3600
    good: bool = True


@contextmanager
def workspace(postgres: Postgres, sign_in: str = SIGN_IN) -> Iterator[Workspace]:
    seen = Workspace()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.headers["Authorization"] != f"Bearer {sign_in}":
                self.answer(403, {"error_code": "PERMISSION_DENIED", "message": "Invalid access token."})
            elif self.path != "/api/2.0/postgres/credentials":
                self.answer(404, {"error_code": "ENDPOINT_NOT_FOUND", "message": self.path})
            elif body != {"endpoint": ENDPOINT}:
                self.answer(404, {"error_code": "NOT_FOUND", "message": f"No such endpoint: {body}"})
            else:
                self.answer(200, self.credential().as_dict())

        def do_GET(self) -> None:
            self.answer(404, {"error_code": "ENDPOINT_NOT_FOUND", "message": self.path})

        def credential(self) -> DatabaseCredential:
            seen.given.append(f"token-{secrets.token_hex(8)}")
            postgres.change_password(seen.given[-1] if seen.good else "another")
            return DatabaseCredential(Timestamp(seconds=int(time.time() + seen.lifetime)), seen.given[-1])

        def answer(self, status: int, content: Any) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen.host = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
