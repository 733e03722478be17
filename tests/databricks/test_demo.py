"""The demo end to end with WORKBENCH_LAKEHOUSE_URL pointing at the loopback, each command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.databricks.loopback import TOKEN, Loopback
from training.chat import validate_file


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Loopback]:
    with Loopback(tmp_path / "lakehouse") as loopback:
        yield loopback


def manage(server: Loopback, var: Path, *arguments: str) -> str:
    """Run a command as somebody who exported what `make warehouse` prints, and return what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("WORKBENCH_", "DATABRICKS_"))}
    where = {"WORKBENCH_LAKEHOUSE_URL": server.url, "WORKBENCH_VAR_DIR": str(var), "DATABRICKS_TOKEN": TOKEN}
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=clean | where, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def versions(server: Loopback) -> dict[str, int]:
    """Return how many commits each table of the workbench has had."""
    tables = (log.parent for log in server.directory.rglob("_delta_log"))
    return {table.name: len(list((table / "_delta_log").glob("*.json"))) for table in tables}


def test_it_runs_end_to_end_and_a_second_run_changes_nothing(server: Loopback, tmp_path: Path) -> None:
    var = tmp_path / "var"
    manage(server, var, "migrate", "--verbosity", "0")
    manage(server, var, "migrate", "--database", "lakehouse", "--verbosity", "0")
    printed = manage(server, var, "demo")
    figures = {
        line.split("  ")[0]: [cell.strip() for cell in line.split("  ")[1:] if cell.strip()]
        for line in printed.splitlines()
    }
    assert figures["PCB Defect Detection - Sample"][:5] == ["50", "10", "40", "10", "0"]
    assert figures["Medical Invoices - Sample"][:4] == ["30", "8", "22", "5"]
    for name, lines in (("pcb_defects", 10), ("medical_invoices", 5)):
        report = validate_file(var / "exports" / f"{name}.jsonl")
        assert (report.lines, report.problems) == (lines, [])
    before = versions(server)
    assert before["qa_pairs"] > 1 and manage(server, var, "demo") == printed
    assert versions(server) == before
