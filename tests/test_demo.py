"""The commands as a person runs them: a fresh directory, a subprocess each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from training.chat import validate_file

ROOT = Path(__file__).parents[1]


def manage(var: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("WORKBENCH_", "DATABRICKS_"))}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**clean, "WORKBENCH_VAR_DIR": str(var)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("var")
    for arguments in (["migrate", "--verbosity", "0"], ["migrate", "--database", "lakehouse", "--verbosity", "0"]):
        done = manage(directory, *arguments)
        assert done.returncode == 0, done.stderr
    return directory


def versions(var: Path) -> dict[str, int]:
    tables = (log.parent for log in (var / "lakehouse").rglob("_delta_log"))
    return {str(table): DeltaTable(str(table)).version() for table in tables}


def test_the_demo_prints_the_table_and_leaves_two_valid_files(var: Path) -> None:
    done = manage(var, "demo")
    assert done.returncode == 0, done.stderr
    rows = [line.split("  ") for line in done.stdout.splitlines()]
    cells = {row[0]: [cell.strip() for cell in row[1:] if cell.strip()] for row in rows}
    assert cells["PCB Defect Detection - Sample"][:5] == ["50", "10", "40", "10", "0"]
    assert cells["Medical Invoices - Sample"][:5] == [
        "30",
        "8",
        "22",
        "5",
        "3 training prohibited: Contains PHI - HIPAA",
    ]
    for name, lines in (("pcb_defects", 10), ("medical_invoices", 5)):
        report = validate_file(var / "exports" / f"{name}.jsonl")
        assert (report.lines, report.problems) == (lines, [])
    assert pl.read_delta(str(var / "lakehouse/mirion_vital/workbench/qa_pairs")).height == 80

    before = versions(var), {file: file.read_bytes() for file in (var / "exports").iterdir()}
    again = manage(var, "demo")
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert (versions(var), {file: file.read_bytes() for file in (var / "exports").iterdir()}) == before


def test_generate_prints_the_id_that_export_takes(var: Path, tmp_path: Path) -> None:
    assert manage(var, "loadseed", "pcb_defects").returncode == 0
    made = manage(
        var,
        "generate",
        "--sheet",
        "PCB Defect Detection - Sample",
        "--template",
        "PCB Defect Localization",
        "--limit",
        "5",
    )
    assert made.returncode == 0, made.stderr
    training_sheet = made.stdout.splitlines()[-1]
    refused = manage(var, "export_jsonl", training_sheet, "--out", str(tmp_path / "out.jsonl"))
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1:] == [
        "CommandError: Nothing to export for training: 5 pairs: unlabeled: waiting for review. "
        "Approve pairs, or look at what limits their use."
    ]
    assert not (tmp_path / "out.jsonl").exists()


def test_what_is_written_to_standard_output_stands_there_alone(var: Path) -> None:
    done = manage(var, "export_labels", "--sheet", "PCB Defect Detection - Sample", "--out", "/dev/stdout")
    assert done.returncode == 0 and done.stderr == "10 labels exported to /dev/stdout\n"
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 10


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generate", "--sheet", "PCB Defect Detectio - Sample", "--template", "x"], "There is no sheet"),
        (["generate"], "Give --sheet and --template"),
        (["loadseed", "pcb"], "no seed data set 'pcb'"),
        (["export_jsonl", "nope", "--out", "x.jsonl"], "There is no training sheet 'nope'"),
        (["sql", "SELECT * FROM qa_pair"], "qa_pairs"),
        (["sql", "SELECT 1; SELECT 2"], "one"),
    ],
)
def test_a_failure_is_one_clear_line(var: Path, arguments: list[str], words: str) -> None:
    done = manage(var, *arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_demo_after_its_data_was_governed_says_that_nothing_leaves(var: Path) -> None:
    tagged = manage(var, "sql", "ALTER TABLE mirion_vital.samples.pcb_inspections SET TAGS ('classification' = 'PHI')")
    assert tagged.returncode == 0, tagged.stderr
    file = (var / "exports/pcb_defects.jsonl").read_bytes()
    done = manage(var, "demo")
    assert done.returncode == 0, done.stderr
    boards = next(line for line in done.stdout.splitlines() if line.startswith("PCB"))
    assert "  0  " in boards and "10 training prohibited" in boards and boards.endswith("  none")
    assert (var / "exports/pcb_defects.jsonl").read_bytes() == file
