"""The gate over many pairs as a filter, seconds and peak memory, beside the same filter written by hand in DuckDB; and the
gate for one pair in Python, microseconds.

`python -m benchmarks.gate [--rows 1000 1000000]`. Each side runs in a process of its own (`… ours|duckdb DIRECTORY ROWS`),
because the peak of a process never falls.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from benchmarks.exporting import peak_mib
from benchmarks.figures import Figure, milliseconds, table
from benchmarks.invented import labels, pairs, sheet_id
from benchmarks.stage import ROOT, TABLES, opened, set_up, staged

SIZES = [1_000, 100_000, 1_000_000]
BY_HAND = """
SELECT count(*) FROM read_parquet($pairs) AS p LEFT JOIN read_parquet($labels) AS l ON p.canonical_label_id = l.id
WHERE list_contains(p.allowed_uses, 'training') AND NOT list_contains(p.prohibited_uses, 'training')
  AND (l.id IS NULL OR list_contains(l.allowed_uses, 'training') AND NOT list_contains(l.prohibited_uses, 'training'))
"""


def gate_as_filter(directory: Path, rows: int) -> Iterator[Figure]:
    """Count the pairs of one training sheet that may be trained on: tags read, label joined."""
    _write(directory, rows)
    ours, theirs = (_run(side, directory, rows) for side in ("ours", "duckdb"))
    if ours["permitted"] != theirs["permitted"]:
        raise AssertionError(f"The filters disagree: {ours['permitted']} and {theirs['permitted']}.")
    yield Figure("gate as a filter", rows, ours["seconds"] * 1000, "ms", theirs["seconds"] * 1000)
    yield Figure("gate as a filter, peak over start", rows, ours["added"], "MiB", theirs["added"])


def gate_for_one() -> Iterator[Figure]:
    """Judge one pair with its label, its sheet and two tags, anew each time."""
    from governance.uses import USES, TagRule, gate, tag_limit

    policy = {"PHI": TagRule(frozenset({"training"}), "restricted")}
    tags = [limit for level in ("table", "column") if (limit := tag_limit(level, "c.s.t", "phi", policy=policy))]
    rule = SimpleNamespace(
        allowed_uses=[*USES], prohibited_uses=["few_shot"], usage_reason="Contains PHI", data_classification="internal"
    )
    count = 20_000
    spent = milliseconds(
        lambda: [gate(tags, sheet=rule, label=rule, pair=rule).permits("training") for _ in range(count)]
    )
    yield Figure("gate for one pair, in Python", 1, spent * 1000 / count, "µs")


def _write(directory: Path, rows: int) -> None:
    from labels.models import CanonicalLabel
    from sheets.models import Sheet
    from training.models import QAPair, TrainingSheet
    from workbench.lakehouse.bulk import append_arrow

    with opened(directory / f"gate-{rows}") as lakehouse:
        write_deltalake(lakehouse / "bench/raw/items", pa.table({"item_ref": ["item-1"]}))
        sheet = Sheet.objects.create(
            name="Items", primary_table="bench.raw.items", join_keys=["item_ref"], created_by="bench"
        )
        TrainingSheet.objects.create(id=sheet_id(0), name="Items", sheet=sheet, template_id="none", created_by="bench")
        made = pairs(rows, per_sheet=rows)
        append_arrow(CanonicalLabel, labels(made))
        QAPair.objects.append_arrow(made)


def _run(side: str, directory: Path, rows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.gate", "--side", side, str(directory), str(rows)]
    found: dict[str, float] = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return found


def run_side(side: str, directory: Path, rows: int) -> None:
    """Print `{"permitted", "seconds", "added"}`, the quickest of five; memory in MiB over that after one small query."""
    set_up(directory)
    with opened(directory / f"gate-{rows}") as lakehouse:
        work = SIDES[side](lakehouse)
        start, spent, permitted = peak_mib(), [], 0
        for _ in range(5):
            began = time.perf_counter()
            permitted = work()
            spent.append(time.perf_counter() - began)
        print(json.dumps({"permitted": permitted, "seconds": min(spent), "added": peak_mib() - start}))


def ours(_lakehouse: Path) -> Callable[[], int]:
    from training.models import QAPair

    QAPair.objects.of(sheet_id(0)).values_list("pk").first()
    return lambda: QAPair.objects.of(sheet_id(0)).permitted("training").count()


def by_hand(lakehouse: Path) -> Callable[[], int]:
    files = {
        name: DeltaTable(lakehouse / TABLES / tablename).file_uris()
        for name, tablename in (("pairs", "qa_pairs"), ("labels", "canonical_labels"))
    }
    duckdb.execute("SELECT id FROM read_parquet($files) LIMIT 1", {"files": files["pairs"]}).fetchall()
    return lambda: int(duckdb.execute(BY_HAND, files).fetchall()[0][0])


SIDES: dict[str, Callable[[Path], Callable[[], int]]] = {"ours": ours, "duckdb": by_hand}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES)
    parser.add_argument("--side", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        run_side(options.side[0], Path(options.side[1]), int(options.side[2]))
        return
    with staged() as directory:
        figures = [figure for rows in options.rows for figure in gate_as_filter(directory, rows)]
        print(table([*figures, *gate_for_one()]))


if __name__ == "__main__":
    main()
