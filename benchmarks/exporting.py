"""JSONL export in rows a second and peak memory, against DuckDB copying the same lines from the same files to JSON.

Each side runs in a process of its own (`python -m benchmarks.exporting ours|duckdb DIRECTORY ROWS FILE`), because the
peak of a process never falls.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
from deltalake import DeltaTable

from benchmarks.figures import Figure
from benchmarks.invented import labels, pairs, sheet_id
from benchmarks.stage import ROOT, TABLES, opened, set_up


def export(directory: Path, rows: int) -> Iterator[Figure]:
    """A training sheet with all pairs: half labeled, a few prohibited by themselves or by their label."""
    from labels.models import CanonicalLabel
    from workbench.lakehouse.bulk import append_arrow

    with opened(directory / f"one-{rows}"):
        append_arrow(CanonicalLabel, labels(pairs(rows, per_sheet=rows)))
    ours, theirs = (_run(side, directory, rows) for side in ("ours", "duckdb"))
    yield Figure("export JSONL", rows, rows / ours["seconds"], "rows/s", rows / theirs["seconds"], most_ratio=3)
    yield Figure("export JSONL, peak", rows, ours["peak"], "MiB", theirs["peak"])
    yield Figure(
        "export JSONL, peak over start", rows, ours["peak"] - ours["start"], "MiB", theirs["peak"] - theirs["start"]
    )


def _run(side: str, directory: Path, rows: int) -> dict[str, float]:
    target = directory / f"{side}-{rows}.jsonl"
    command = [sys.executable, "-m", "benchmarks.exporting", side, str(directory), str(rows), str(target)]
    found: dict[str, float] = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    target.unlink()
    return found


def main(side: str, directory: Path, rows: int, target: Path) -> None:
    """Print `{"seconds", "start", "peak"}`; memory in MiB, its start after one small query."""
    set_up(directory)
    with opened(directory / f"one-{rows}") as lakehouse:
        work = SIDES[side](lakehouse, target)
        start, began = peak_mib(), time.perf_counter()
        work()
        print(json.dumps({"seconds": time.perf_counter() - began, "start": start, "peak": peak_mib()}))


def ours(_lakehouse: Path, target: Path) -> Callable[[], None]:
    from training.exports.run import ExportRun
    from training.models import QAPair

    QAPair.objects.of(sheet_id(0)).values_list("pk").first()

    def work() -> None:
        with target.open("wb") as file:
            file.writelines(ExportRun(sheet_id(0), "training", source_limits=[]).lines())

    return work


def reference(lakehouse: Path, target: Path) -> Callable[[], None]:
    files = DeltaTable(lakehouse / TABLES / "qa_pairs").file_uris(
        file_pruning_predicate=f"training_sheet_id = '{sheet_id(0)}'"
    )
    duckdb.execute("SELECT id FROM read_parquet($files) LIMIT 1", {"files": files}).fetchall()
    query = "SELECT messages::JSON AS messages FROM read_parquet($files) WHERE status = 'labeled' ORDER BY position"

    def work() -> None:
        duckdb.execute(f"COPY ({query}) TO '{target}' (FORMAT json)", {"files": files})

    return work


def peak_mib() -> float:
    """Return the process's peak memory; not `getrusage`, whose peak a child inherits from the parent that forked it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


SIDES: dict[str, Callable[[Path, Path], Callable[[], None]]] = {"ours": ours, "duckdb": reference}

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
