from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from workbench import databases
from workbench.lakehouse.engines import databricks


def test_make_warehouse_prints_what_to_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "tests.databricks", str(tmp_path / "lake"), "0"]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        printed = "".join(server.stdout.readline() for _ in range(4))
        (url, token) = re.findall(r"^export \w+='?([^'\n]+)'?$", printed, re.MULTILINE)
        monkeypatch.setenv("DATABRICKS_TOKEN", token)
        entry = {"PORT": "", **databases.lakehouse(url)}
        connection = databricks.connect(**databricks.options(entry))
        assert connection.cursor().execute("SELECT 1").fetchall() == [(1,)]
        connection.close()
        server.send_signal(signal.SIGTERM)
    assert server.returncode == 0
