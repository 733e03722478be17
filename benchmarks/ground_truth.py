"""Ground truth of reviewed pairs with three corrections each: `python -m benchmarks.ground_truth [--rows 1000 100000]`.

Each size runs in a process of its own, because the peak of a process never falls. The reference is the same pairs and events
read by DuckDB and written as JSON, without gates and without rebuilding anything.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from benchmarks.__main__ import machine
from benchmarks.exporting import peak_mib
from benchmarks.figures import Figure, table
from benchmarks.invented import pairs, sheet_id
from benchmarks.stage import ROOT, TABLES, opened, set_up, staged

EVENTS = 3
FIELDS = ("location.x", "location.y", "severity")
QUERY = """
SELECT p.id, p.item_ref, p.messages, list(struct_pack(e.changes, e.actor, e.created_at) ORDER BY e.pair_version) AS events
FROM read_parquet($pairs) p JOIN read_parquet($events) e ON e.qa_pair_id = p.id GROUP BY ALL ORDER BY ANY_VALUE(p.position)
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ground_truth")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000])
    figures: list[Figure] = []
    rows_wanted = parser.parse_args().rows
    with staged() as directory:
        from django.core.management import call_command

        # Where the frames of review are, by which answers are read.
        call_command("migrate", database="default", verbosity=0)
        for rows in rows_wanted:
            figures += measured(directory, rows)
    print(f"\n{table(figures)}\n\n{machine()}")


def measured(directory: Path, rows: int) -> list[Figure]:
    with opened(directory / f"truth-{rows}"):
        _write(rows)
    ours, theirs = (_run(side, directory, rows) for side in ("ours", "duckdb"))
    return [
        Figure("ground truth", rows, rows / ours["seconds"], "rows/s", rows / theirs["seconds"]),
        Figure("ground truth, seconds", rows, ours["seconds"] * 1000, "ms", theirs["seconds"] * 1000, most=60_000),
        Figure("ground truth, peak over start", rows, ours["peak"] - ours["start"], "MiB"),
    ]


def _write(rows: int) -> None:
    """Write pairs that are all labeled, and three events of each that corrected one field, the last to what stands."""
    from sheets.models import Sheet
    from templates_app.models import PromptTemplate
    from training.models import QAPair, ReviewEvent, TrainingSheet
    from workbench.lakehouse.bulk import append_arrow

    key = sheet_id(0)
    Sheet.objects.create(pk=key, name="truth", primary_table="main.raw.none")
    PromptTemplate.objects.create(pk=key, name="truth", label_type="classification", output_schema={"type": "object"})
    TrainingSheet.objects.create(pk=key, name="truth", sheet_id=key, template_id=key, status="review")
    made = pairs(rows, per_sheet=rows)
    made = _set(made, "status", ["labeled"] * rows)
    made = _set(made, "prohibited_uses", pa.array([[]] * rows, pa.list_(pa.string())))
    made = _set(made, "version", pa.array([1 + EVENTS] * rows, pa.int32()))
    QAPair.objects.append_arrow(made)
    append_arrow(ReviewEvent, _events(made))


def _events(made: pa.Table) -> pa.Table:
    found: dict[str, list[Any]] = {name: [] for name in ("id", "qa_pair_id", "pair_version", "changes")}
    for key, messages in zip(made["id"].to_pylist(), made["messages"].to_pylist(), strict=True):
        answer = json.loads(json.loads(messages)[-1]["content"])
        now = {
            "location.x": answer["location"]["x"],
            "location.y": answer["location"]["y"],
            "severity": answer["severity"],
        }
        for at, field in enumerate(FIELDS):
            found["id"].append(str(uuid5(NAMESPACE_OID, f"{key}{at}")))
            found["qa_pair_id"].append(key)
            found["pair_version"].append(at + 2)
            change = {"field_path": field, "new_value": now[field], "old_value": "before"}
            found["changes"].append(json.dumps([change], sort_keys=True, separators=(",", ":")))
    rows = len(found["id"])
    fixed = {
        "training_sheet_id": sheet_id(0), "action": "edit", "old_status": "labeled", "new_status": "labeled", "reason": "",
        "actor": "rosa",
    }  # fmt: skip
    columns = {**found, "action_id": found["id"]} | {name: [value] * rows for name, value in fixed.items()}
    events = pa.table(columns)
    events = _set(events, "pair_version", events["pair_version"].cast(pa.int32()))
    when = pa.scalar(made["created_at"][0].as_py(), pa.timestamp("us", tz="UTC"))
    return events.append_column("created_at", pa.repeat(when, rows))


def _set(rows: pa.Table, name: str, values: Any) -> pa.Table:
    return rows.set_column(
        rows.schema.get_field_index(name), name, values if hasattr(values, "type") else pa.array(values)
    )


def _run(side: str, directory: Path, rows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.ground_truth", side, str(directory), str(rows)]
    found: dict[str, float] = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return found


def one(side: str, directory: Path, rows: int) -> None:
    """Print `{"seconds", "start", "peak"}` of one side; memory in MiB, its start after one small query."""
    set_up(directory)
    target = directory / f"{side}.jsonl"
    with opened(directory / f"truth-{rows}") as lakehouse:
        work = _ours(target) if side == "ours" else _theirs(lakehouse, target)
        start, began = peak_mib(), time.perf_counter()
        work()
        seconds = time.perf_counter() - began
    lines = sum(1 for _ in target.open("rb"))
    assert lines == rows, f"{side} wrote {lines} of {rows} lines"
    print(json.dumps({"seconds": seconds, "start": start, "peak": peak_mib()}))


def _ours(target: Path) -> Any:
    from training.ground_truth.run import SheetRun, Wanted
    from training.models import QAPair, TrainingSheet

    sheet = TrainingSheet.objects.select_related("sheet").get()
    QAPair.objects.of(sheet.pk).values_list("pk").first()

    def work() -> None:
        with target.open("wb") as file:
            # The sheet's table is invented, so its tags cannot be read, which leaves this use alone.
            file.writelines(SheetRun(sheet, Wanted(use="testing")).blocks())

    return work


def _theirs(lakehouse: Path, target: Path) -> Any:
    files = {
        name: DeltaTable(lakehouse / TABLES / table).file_uris()
        for name, table in (("pairs", "qa_pairs"), ("events", "review_events"))
    }
    return lambda: duckdb.execute(f"COPY ({QUERY}) TO '{target}' (FORMAT json)", files)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ("ours", "duckdb"):
        one(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
