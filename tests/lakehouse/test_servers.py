"""Servers and workers as they run in production, each a process with children, on one site."""

from __future__ import annotations

import http.client
import json
import os
import selectors
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
def started(command: list[str], site: Site) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, env=site, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


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


def test_gunicorn_serves_the_lakehouse_from_forked_workers_with_threads(site: Site) -> None:
    port = free_port()
    command = [
        "gunicorn",
        "workbench.wsgi",
        "--preload",
        "--workers",
        "2",
        "--threads",
        "2",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    with started([str(BIN / command[0]), *command[1:]], site):
        until(lambda: get(port, "/admin/login/")[0] == 200, "gunicorn")
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(lambda _: names(port), range(12))) == [["PCB"]] * 12


def test_runserver_serves_the_lakehouse_before_and_after_a_reload(site: Site) -> None:
    port = free_port()
    with started([sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}"], site) as server:
        assert server.stdout
        for _ in range(2):
            lines(server, "Starting development server")
            until(lambda: get(port, "/admin/login/")[0] == 200, "runserver")
            assert names(port) == ["PCB"]
            Path(site["PYTHONPATH"].split(os.pathsep)[0], "site_settings.py").touch()


def lines(server: subprocess.Popen[str], wanted: str) -> None:
    """Read what the server prints up to a line with the wanted words."""
    assert server.stdout
    with selectors.DefaultSelector() as ready:
        ready.register(server.stdout, selectors.EVENT_READ)
        while ready.select(DEADLINE):
            line = server.stdout.readline()
            if wanted in line:
                return
            assert line, "the server ended"
    raise TimeoutError(f"Waited {DEADLINE} s for {wanted!r}.")


def test_workers_of_the_queue_write_to_the_lakehouse(site: Site) -> None:
    table = Path(site["WORKBENCH_VAR_DIR"]) / "lakehouse" / "mirion_vital" / "workbench" / "testapp_part"
    with started([sys.executable, "manage.py", "qcluster"], site):
        until(lambda: polars.read_delta(str(table)).height >= 4, "four rows of the workers")
    assert sorted(polars.read_delta(str(table))["name"]) == ["bolt", "cog", "nut", "pin"]
