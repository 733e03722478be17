"""The client has its answer before the lakehouse is written: over a kept connection to gunicorn, as `manage.py serve` runs it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from filelock import FileLock

from tests.lakebase.postgres import free_port
from tests.lakehouse.test_servers import until
from tests.tokens import known_token
from training.models import QAPair
from workbench.management.commands.serve_app import server

DEADLINE = 60


class Connection:
    """One connection, kept alive, of Rosa's."""

    def __init__(self, port: int, token: str) -> None:
        self.token = token
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        self.headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self.http.request(method, path, None if body is None else json.dumps(body), self.headers)
        answer = self.http.getresponse()
        text = answer.read()
        assert (answer.status, answer.will_close) == (200, False), text
        return json.loads(text)

    def is_there(self) -> bool:
        try:
            self.http.connect()
        except ConnectionRefusedError:
            self.http.close()
            return False
        return True


@pytest.fixture
def rosas(waiting: QAPair, rosa: User, lakehouse: Path, tmp_path: Path) -> Iterator[Connection]:
    """Rosa's connection to a server of its own, on a copy of the default database."""
    token = known_token(rosa, "rosa")
    (tmp_path / "default.sqlite3").write_bytes(connections["default"].connection.serialize())
    ours = {name: value for name, value in os.environ.items() if not name.startswith("WORKBENCH_")}
    environment = ours | {
        "WORKBENCH_VAR_DIR": str(tmp_path / "var"),
        "WORKBENCH_LAKEHOUSE_URL": f"delta://{lakehouse}",
        "WORKBENCH_DATABASE_URL": f"sqlite://{tmp_path / 'default.sqlite3'}",
    }
    port = free_port()
    process = subprocess.Popen(server(f"127.0.0.1:{port}"), cwd=settings.BASE_DIR, env=environment)
    try:
        connection = Connection(port, token)
        until(connection.is_there, "gunicorn")
        yield connection
        connection.http.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(DEADLINE)


def status_of(lakehouse: Path, pair: QAPair) -> str:
    pairs = pl.read_delta(str(lakehouse / "mirion_vital/workbench/qa_pairs"))
    return str(pairs.filter(pl.col("id") == pair.pk)["status"].item())


@pytest.mark.skipif(
    os.environ.get("WORKBENCH_TEST_ENGINE") == "databricks",
    reason="what holds the lakehouse up here is a lock of the local engine",
)
def test_the_answer_comes_before_the_lakehouse_is_written(rosas: Connection, waiting: QAPair, lakehouse: Path) -> None:
    (lock,) = (lakehouse).glob("**/locks/*qa_pairs*.lock")
    with FileLock(lock):
        answer = rosas.ask("POST", f"/api/v1/qa-pairs/{waiting.pk}/approve", {})
        assert (answer["pair"]["status"], answer["action"]["applied"]) == ("labeled", False)
        assert status_of(lakehouse, waiting) == "unlabeled"
        # Another thread waits for the lock, and holds up nothing that is asked next on the connection.
        assert rosas.ask("GET", f"/api/v1/qa-pairs/{waiting.pk}")["status"] == "labeled"
    until(lambda: status_of(lakehouse, waiting) == "labeled", "applying")
