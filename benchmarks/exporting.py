"""Export in rows a second and peak memory, against DuckDB copying the same lines from the same files to JSON, and a loop.

Each side runs in a process of its own (`python -m benchmarks.exporting SIDE DIRECTORY ROWS FILE`), because the
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
import orjson
import pyarrow as pa
from deltalake import DeltaTable

from benchmarks.figures import Figure
from benchmarks.invented import labels, pairs, sheet_id
from benchmarks.stage import ROOT, TABLES, opened, set_up

# Those with a reference come first; `dpo` has nothing to write here, as nobody edited the invented pairs.
CHAT = ("chat",)
# The fastest, and the one that holds most.
FLAT = ("chat", "parquet")
FORMATS = ("prompt_completion", "sharegpt", "alpaca", "parquet", "csv")
PIECE = 1_000_000
CONSTANTS = dict.fromkeys(("training_sheet_id", "sheet_id", "template", "template_version", "use", "split"), "invented")


def export(directory: Path, rows: int) -> Iterator[Figure]:
    """A training sheet with all pairs: half labeled, a few prohibited by themselves or by their label."""
    from labels.models import CanonicalLabel
    from workbench.lakehouse.bulk import append_arrow

    with opened(directory / f"one-{rows}"):
        append_arrow(CanonicalLabel, labels(pairs(rows, per_sheet=rows)))
    found = {side: _run(side, directory, rows) for side in SIDES}
    chat, duck = found["chat"], found["duckdb"]
    yield Figure("export chat", rows, rows / chat["seconds"], "rows/s", rows / duck["seconds"], most_ratio=2)
    yield Figure("export chat, peak", rows, chat["peak"], "MiB", duck["peak"])
    yield Figure(
        "export chat, peak over start",
        rows,
        chat["peak"] - chat["start"],
        "MiB",
        duck["peak"] - duck["start"],
        most=300,
    )
    loop = found["orjson loop"]
    yield Figure("export chat beside an orjson loop", rows, rows / chat["seconds"], "rows/s", rows / loop["seconds"])
    for name in FORMATS:
        made = found[name]
        yield Figure(f"export {name}", rows, rows / made["seconds"], "rows/s", rows / duck["seconds"])
        yield Figure(f"export {name}, peak over start", rows, made["peak"] - made["start"], "MiB")


def flat(directory: Path, rows: int) -> Iterator[Figure]:
    """As many pairs in one training sheet, written piece by piece: an export's memory must not grow with them."""
    from labels.models import CanonicalLabel
    from training.models import QAPair
    from workbench.lakehouse.bulk import append_arrow

    with opened(directory / f"one-{rows}"):
        for first in range(0, rows, PIECE):
            piece = pairs(min(PIECE, rows - first), per_sheet=rows, first=first)
            QAPair.objects.append_arrow(piece)
            append_arrow(CanonicalLabel, labels(piece))
    for name in FLAT:
        made = _run(name, directory, rows)
        yield Figure(f"export {name}", rows, rows / made["seconds"], "rows/s")
        yield Figure(f"export {name}, peak", rows, made["peak"], "MiB")
        yield Figure(f"export {name}, peak over start", rows, made["peak"] - made["start"], "MiB", most=300)


def _run(side: str, directory: Path, rows: int) -> dict[str, float]:
    target = directory / f"{side}-{rows}.out"
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


def ours(name: str) -> Callable[[Path, Path], Callable[[], None]]:
    """Return the side that exports as a person's command does: gates, lines, digests, manifest, its rows in Delta."""

    def prepared(_lakehouse: Path, target: Path) -> Callable[[], None]:
        from training.exports.manifest import Manifest
        from training.exports.options import Options
        from training.exports.run import ExportRun
        from training.models import QAPair
        from workbench.lakehouse.ids import uuid7

        QAPair.objects.of(sheet_id(0)).values_list("pk").first()

        def work() -> None:
            manifest = Manifest(uuid7())
            run = ExportRun(sheet_id(0), "sheet", Options(format=name), source_limits=[], constants=CONSTANTS)
            run.between = lambda _read: manifest.flush()
            manifest.head({"header_lines": 0})
            with target.open("wb") as file, target.with_suffix(".json").open("wb") as beside:
                for block in run.blocks():
                    file.write(block.data)
                    beside.write(manifest.add(block))
                beside.write(manifest.tail({"sha256": run.digest.hexdigest()}))
            target.with_suffix(".json").unlink()

        return work

    return prepared


def orjson_loop(lakehouse: Path, target: Path) -> Callable[[], None]:
    """The least that Python can do: the labeled messages of the Arrow batches, each read and written as a line."""
    table = DeltaTable(lakehouse / TABLES / "qa_pairs")

    def work() -> None:
        import pyarrow.dataset as ds

        chosen = (ds.field("training_sheet_id") == sheet_id(0)) & (ds.field("status") == "labeled")
        with target.open("wb") as file:
            for batch in table.to_pyarrow_dataset().to_batches(columns=["messages"], filter=chosen):
                lines = (
                    {"messages": [{"role": m["role"], "content": m["content"]} for m in orjson.loads(text)]}
                    for text in batch["messages"].cast(pa.binary()).to_pylist()
                )
                file.write(b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines))

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


SIDES: dict[str, Callable[[Path, Path], Callable[[], None]]] = {
    **{name: ours(name) for name in (*CHAT, *FORMATS)},
    "duckdb": reference,
    "orjson loop": orjson_loop,
}

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
