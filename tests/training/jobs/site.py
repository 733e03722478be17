"""A site on files, with a model on loopback: what workers and servers run on when a test starts and kills them."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars

from tests.training.chat_server import Behaviour, ChatServer, chat_server, says

ROOT = Path(__file__).parents[3]
DEADLINE = 180
BOARD = re.compile(r"board-\d+")


def answers(_body: dict[str, Any], _number: int) -> Any:
    return says('{"defect": "scratch"}')


def until(done: Callable[[], Any], wanted: str) -> Any:
    """Wait for something that another process does."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if found := done():
            return found
        time.sleep(0.01)
    raise TimeoutError(f"Waited {DEADLINE} s for {wanted}.")


@dataclass
class Site:
    """Its environment for processes, its model, and the process that makes jobs and workers."""

    environment: dict[str, str]
    model: ChatServer
    factory: subprocess.Popen[str]

    def ask(self, request: str) -> str:
        assert self.factory.stdin and self.factory.stdout
        self.factory.stdin.write(f"{request}\n")
        self.factory.stdin.flush()
        return self.factory.stdout.readline().strip()

    def submit(self) -> str:
        """Return a new job, which nobody runs yet."""
        return self.ask("submit")

    def start(self, job: str) -> int:
        """Return the pid of a new worker for the job."""
        return int(self.ask(f"run {job}"))

    @property
    def var(self) -> Path:
        return Path(self.environment["WORKBENCH_VAR_DIR"])

    def asked(self) -> list[str]:
        """Return the items that the model was asked for, in that order."""
        return [BOARD.findall(body["messages"][-1]["content"])[0] for body in list(self.model.requests)]

    def written(self) -> list[str]:
        """Return the items of the pairs, as an independent reader finds them."""
        pairs = polars.read_delta(str(self.var / "lakehouse/mirion_vital/workbench/qa_pairs"))
        return pairs["item_ref"].to_list()

    def live(self, job: str) -> dict[str, Any]:
        """Return the job's row."""
        with sqlite3.connect(self.var / "workbench.sqlite3", timeout=20) as database:
            database.row_factory = sqlite3.Row
            row = database.execute("SELECT * FROM live_jobs WHERE id = ?", [job]).fetchone()
        database.close()
        return dict(row)

    def write_live(self, job: str, **columns: Any) -> None:
        """Change the job's row behind the workbench's back."""
        changes = ", ".join(f"{name} = ?" for name in columns)
        with sqlite3.connect(self.var / "workbench.sqlite3", timeout=20) as database:
            database.execute(f"UPDATE live_jobs SET {changes} WHERE id = ?", [*columns.values(), job])
        database.close()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not is_running(pid), "the end of a killed process")


@contextmanager
def made(
    home: Path, items: int, behaviour: Behaviour = answers, *, prepared: Path | None = None, **settings: str
) -> Iterator[Site]:
    """Make the site of a sheet of so many items; `prepared` has migrated databases to begin with."""
    if prepared:
        shutil.copytree(prepared, home / "var")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("WORKBENCH_", "DATABRICKS_"))}
    with chat_server(behaviour) as model:
        environment = ours | {
            "WORKBENCH_VAR_DIR": str(home / "var"),
            "WORKBENCH_LLM_URL": model.url,
            "WORKBENCH_LLM_MODEL": "tiny",
            "DJANGO_SETTINGS_MODULE": "tests.training.jobs.quick_settings",
            "PYTHONUNBUFFERED": "1",
            **settings,
        }
        command = [sys.executable, "-m", "tests.training.jobs.factory", str(items)]
        factory = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with factory:
            assert factory.stdout and factory.stdout.readline() == "ready\n"
            yield Site(environment, model, factory)
            factory.kill()


class Api:
    """The API of a server, as Rosa."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return status and body; status 0 while nobody listens."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        headers = {"Authorization": "Token rosa", "Content-Type": "application/json"}
        try:
            client.request(method, f"/api/v1/{path}", json.dumps(body) if body else None, headers)
            answer = client.getresponse()
            return answer.status, json.loads(answer.read())
        except ConnectionError:
            return 0, None
        finally:
            client.close()

    def job(self, key: str) -> Any:
        return self("GET", f"jobs/{key}")[1]

    def becomes(self, key: str, status: str) -> Any:
        return until(lambda: (job := self.job(key))["status"] == status and job, f"the status {status}")

    def start(self, limit: int) -> str:
        """Return the id of a new job over the first boards."""
        sheet, template = (self("GET", name)[1]["results"][0]["id"] for name in ("sheets", "templates"))
        wanted = {"sheet_id": sheet, "template_id": template, "generation_config": {"limit": limit}}
        status, answer = self("POST", "training-sheets/generate", wanted)
        assert status == 202, answer
        return str(answer["job_id"])


def answered(answer: tuple[int, Any]) -> bool:
    """Say whether the server is up; one that is up and refuses would refuse until the deadline."""
    assert answer[0] in (0, 200), answer
    return answer[0] == 200


@contextmanager
def serving(site: Site) -> Iterator[Api]:
    """Run web server and worker as `make serve` does, and end them as Ctrl-C does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        api = Api(int(probe.getsockname()[1]))
    command = [sys.executable, "manage.py", "serve", "--bind", f"127.0.0.1:{api.port}"]
    with (site.var / "serve.log").open("a") as log:
        server = subprocess.Popen(command, env=site.environment, cwd=ROOT, stdout=log, stderr=log)
    try:
        until(lambda: answered(api("GET", "jobs")), "the server")
        yield api
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(DEADLINE) == 0
