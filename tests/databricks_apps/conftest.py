"""The app as `app.yaml` starts it: on Lakebase and a warehouse inside Databricks Apps, and on a directory outside."""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.databricks.loopback import TOKEN, Loopback
from tests.lakebase.conftest import postgres
from tests.lakebase.credentials import ENDPOINT, workspace
from tests.lakebase.postgres import ROLE, Postgres, free_port
from tests.lakehouse.conftest import ROOT

__all__ = ["postgres"]

HOST = "workbench-1.aws.databricksapps.com"
DEADLINE = 90


@dataclass
class App:
    """A running `serve_app`."""

    process: subprocess.Popen[str]
    port: int
    environment: dict[str, str]
    log: Path

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
        """Return status and body, or the address of a redirect. `X_Forwarded_User` is the header X-Forwarded-User."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        named = {"Host": HOST, "Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        try:
            client.request(method, path, body, named)
            answer = client.getresponse()
            text = answer.read().decode()
            return answer.status, answer.getheader("Location") or text
        finally:
            client.close()

    def manage(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command beside the app, with its variables and `more`."""
        command = [sys.executable, "manage.py", *arguments]
        environment = self.environment | more
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=DEADLINE)


@contextmanager
def app(home: Path, variables: Mapping[str, str]) -> Iterator[App]:
    port, log = free_port(), home / "log"
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WORKBENCH_", "DATABRICKS_", "PG", "DJANGO_"))
    }
    environment = ours | {
        "WORKBENCH_VAR_DIR": str(home / "var"),
        "WORKBENCH_WORKERS": "1",
        "DATABRICKS_APP_PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        **variables,
    }
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve_app"], cwd=ROOT, env=environment, stdout=out, stderr=out, text=True
        )
    try:
        until_listening(log, process)
        yield App(process, port, environment, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(DEADLINE)


def until_listening(log: Path, process: subprocess.Popen[str]) -> None:
    """Wait for gunicorn's line; `tail -F` ends by itself with the app."""
    follow = ["tail", "-n", "+1", "-F", f"--pid={process.pid}", str(log)]
    with subprocess.Popen(follow, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as tail:
        assert tail.stdout
        try:
            if not any("Listening at" in line for line in tail.stdout):
                raise RuntimeError(log.read_text())
        finally:
            tail.terminate()


@pytest.fixture(scope="module")
def inside(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Inside Databricks Apps, with all that Databricks sets and `app.yaml` asks for."""
    home = tmp_path_factory.mktemp("inside")
    name = postgres.make_database(f"app_{secrets.token_hex(4)}")
    with workspace(postgres, TOKEN) as server, Loopback(home / "lakehouse") as warehouse:
        variables = {
            "DATABRICKS_APP_NAME": "workbench",
            "DATABRICKS_HOST": server.host,
            "DATABRICKS_TOKEN": TOKEN,
            "PGHOST": "127.0.0.1",
            "PGPORT": str(postgres.port),
            "PGUSER": ROLE,
            "PGDATABASE": name,
            "LAKEBASE_ENDPOINT": ENDPOINT,
            "WORKBENCH_LAKEHOUSE_URL": warehouse.url,
            "WORKBENCH_PUBLIC_URL": f"https://{HOST}",
            "WORKBENCH_SECRET_KEY": secrets.token_urlsafe(64),
            "WORKBENCH_OWNERS": "omar@example.com",
        }
        with app(home, variables) as running:
            yield running


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The same command elsewhere: there is a port, and no app."""
    with app(tmp_path_factory.mktemp("outside"), {"WORKBENCH_PUBLIC_URL": f"http://{HOST}"}) as running:
        yield running
