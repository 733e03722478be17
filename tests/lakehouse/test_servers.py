"""Servers and workers as they run in production, each a process with children, on one site."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars
import pytest

from tests.lakehouse.conftest import ROOT

BIN = Path(sys.executable).parent
DEADLINE = 60

Site = dict[str, str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The environment of a migrated site where Rosa has a token and four tasks wait in the queue."""
    home = tmp_path_factory.mktemp("site")
    (home / "site_settings.py").write_text("from tests.lakehouse.testapp.settings import *\n")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("WORKBENCH_")}
    environment = ours | {
        "WORKBENCH_VAR_DIR": str(home / "var"),
        "DJANGO_SETTINGS_MODULE": "site_settings",
        "PYTHONPATH": f"{home}{os.pathsep}{ROOT}",
        "PYTHONUNBUFFERED": "1",
    }
    subprocess.run([sys.executable, "-m", "tests.lakehouse.testapp.site"], env=environment, cwd=home, check=True)
    return environment


@contextmanager
def started(command: list[str], site: Site, log: Path) -> Iterator[None]:
    """Run a server with its children, print to a file, and end them all at once."""
    with log.open("w") as out:
        process = subprocess.Popen(command, env=site, cwd=ROOT, stdout=out, stderr=out, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(done: Callable[[], Any], wanted: str) -> Any:
    """Wait for something that another process does."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if found := done():
            return found
        time.sleep(0.1)
    raise TimeoutError(f"Waited {DEADLINE} s for {wanted}.")


def get(port: int, path: str) -> tuple[int, str]:
    """Return status and body; status 0 while nobody listens."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        client.request("GET", path, headers={"Authorization": "Token rosa"})
        answer = client.getresponse()
        return answer.status, answer.read().decode()
    except ConnectionError:
        return 0, ""
    finally:
        client.close()


def names(port: int) -> list[str]:
    status, body = get(port, "/api/v1/sheets")
    return [row["name"] for row in json.loads(body)["results"]] if status == 200 else [f"{status}: {body[:500]}"]


def test_gunicorn_serves_the_lakehouse_from_forked_workers_with_threads(site: Site, tmp_path: Path) -> None:
    port = free_port()
    options = ["--preload", "--workers", "2", "--threads", "2", "--bind", f"127.0.0.1:{port}"]
    with started([str(BIN / "gunicorn"), "workbench.wsgi", *options], site, tmp_path / "log"):
        until(lambda: get(port, "/admin/login/")[0] == 200, "gunicorn")
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(lambda _: names(port), range(12))) == [["PCB"]] * 12


def test_runserver_serves_the_lakehouse_before_and_after_a_reload(site: Site, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    with started([sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}"], site, log):
        for starts in (1, 2):
            until(lambda: log.read_text().count("Starting development server") == starts, f"start {starts}")  # noqa: B023
            until(lambda: get(port, "/admin/login/")[0] == 200, "runserver")
            assert names(port) == ["PCB"]
            Path(site["PYTHONPATH"].split(os.pathsep)[0], "site_settings.py").touch()


def test_workers_of_the_queue_write_to_the_lakehouse(site: Site, tmp_path: Path) -> None:
    table = Path(site["WORKBENCH_VAR_DIR"]) / "lakehouse" / "mirion_vital" / "workbench" / "testapp_part"
    with started([sys.executable, "manage.py", "qcluster"], site, tmp_path / "log"):
        until(lambda: polars.read_delta(str(table)).height >= 4, "four rows of the workers")
    assert sorted(polars.read_delta(str(table))["name"]) == ["bolt", "cog", "nut", "pin"]
