"""Generation: beside a bare loop of HTTP calls, by its own cost for an item, and by its memory.

`python -m benchmarks.generating model|engine|distilabel|manual [--rows 10000 …]`. Each run has a process and a lakehouse of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import duckdb
import orjson

from benchmarks.__main__ import machine
from benchmarks.exporting import peak_mib
from benchmarks.figures import Figure, p50, table
from benchmarks.model_server import model_server
from benchmarks.stage import ROOT, opened, set_up, staged

if TYPE_CHECKING:
    from training.models import TrainingSheet

REPEAT = 3
CONCURRENCY = 64
LABEL_EVERY = 10
ITEMS = """
SELECT printf('item-%08d', i) AS item, 'SMT-' || (i % 7) AS line, 200 + hash(i) % 600 / 10.0 AS peak_c,
    hash(i + 1) % 900 / 10.0 AS liquidus_s, sha256(i::VARCHAR) AS serial
FROM range($rows) AS numbers(i)
"""
PROMPT = "Board {{ serial }} of line {{ line }}: peak {{ peak_c }} °C, {{ liquidus_s }} s above liquidus. Which defect?"
SCHEMA = [{"name": "defect_type", "type": "string"}, {"name": "note", "type": "string"}]


def model(directory: Path, rows: int) -> Iterator[Figure]:
    """An endpoint that takes 50 ms, 64 calls at once: pairs a second, against a loop that only calls it."""
    yield from _beside_bare(directory, rows, 50, "generate, 50 ms, 64 at once")


def engine(directory: Path, rows: int) -> Iterator[Figure]:
    """An endpoint that answers at once: what is left is the engine's own work and that of HTTP."""
    (ours,) = _beside_bare(directory, rows, 0, "generate, 0 ms")
    yield ours
    assert ours.reference
    yield Figure("generate, an item", rows, 1000 / ours.ours, "ms", 1000 / ours.reference)
    yield Figure("generate, an item less HTTP", rows, 1000 / ours.ours - 1000 / ours.reference, "ms", most=0.5)


def distilabel(directory: Path, rows: int) -> Iterator[Figure]:
    """The same endpoint asked by distilabel, one run of each; it needs `.venv-distilabel` with distilabel.txt."""
    python = ROOT / ".venv-distilabel/bin/python"
    if not python.exists():
        raise SystemExit("There is no .venv-distilabel: make it, and install benchmarks/distilabel.txt into it.")
    with model_server(50) as url:
        ours = _run("model", directory, rows, url)
        command = [python, "-m", "benchmarks.peer_distilabel", str(rows), url]
        out = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    peer = json.loads(out.splitlines()[-1])
    assert peer["rows"] == rows, peer
    yield Figure(
        "generate, beside distilabel", rows, rows / ours["seconds"], "rows/s", rows / peer["seconds"], most_ratio=0.2
    )


def manual(directory: Path, rows: int) -> Iterator[Figure]:
    """A tenth of the items with a canonical label, the others left to a person: no model at all."""
    found = _run("manual", directory, rows, "")
    yield Figure("generate without a model", rows, rows / found["seconds"], "rows/s")
    yield Figure("generate without a model, peak", rows, found["peak"], "MiB")
    yield Figure("generate without a model, peak over start", rows, found["peak"] - found["start"], "MiB")


def _beside_bare(directory: Path, rows: int, milliseconds: int, name: str) -> Iterator[Figure]:
    with model_server(milliseconds) as url:
        sides: dict[str, list[float]] = {"bare": [], "model": []}
        for _ in range(REPEAT):
            for side, seconds in sides.items():
                seconds.append(_run(side, directory, rows, url)["seconds"])
    yield Figure(name, rows, rows / p50(sides["model"]), "rows/s", rows / p50(sides["bare"]), most_ratio=1 / 0.9)


def _run(side: str, directory: Path, rows: int, url: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.generating", side, "--rows", str(rows)]
    command += ["--at", str(directory), "--url", url]
    found: dict[str, float] = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return found


def _measure(side: str, directory: Path, rows: int, url: str) -> None:
    """Print `{"seconds", "start", "peak"}` of one side; memory in MiB."""
    set_up(directory)
    if side == "bare":
        began = time.perf_counter()
        asyncio.run(_bare(rows, url))
        print(json.dumps({"seconds": time.perf_counter() - began}))
        return
    shutil.rmtree(directory / "generating", ignore_errors=True)
    with opened(directory / "generating") as lakehouse:
        stage = _staged(lakehouse, rows, labels=side == "manual")
        start, began = peak_mib(), time.perf_counter()
        made = _generate(side, stage, url)
        seconds = time.perf_counter() - began
        assert made.statistics["items"] == rows and not made.statistics["failed"], made.statistics
        print(json.dumps({"seconds": seconds, "start": start, "peak": peak_mib()}))


async def _bare(rows: int, url: str) -> None:
    """64 workers that post a prompt of the same size and read the answer's JSON."""
    numbers = iter(range(rows))
    prompt = "Board " + "0" * 64 + " of line SMT-1: peak 245.1 °C, 62.4 s above liquidus. Which defect? %d"

    async def work(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            body = {"model": "loopback", "messages": [{"role": "user", "content": prompt % number}], "temperature": 0}
            async with session.post(
                f"{url}/chat/completions", data=orjson.dumps(body), headers={"Content-Type": "application/json"}
            ) as response:
                orjson.loads(await response.read())

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(work(session) for _ in range(CONCURRENCY)))


def _staged(lakehouse: Path, rows: int, *, labels: bool) -> dict[str, Any]:
    """Return sheet and template over so many invented items."""
    from deltalake import write_deltalake

    from sheets.models import Sheet
    from templates_app.models import PromptTemplate

    items = duckdb.connect().sql(ITEMS, params={"rows": rows}).to_arrow_table()
    write_deltalake(lakehouse / "mirion_vital/samples/boards", items)
    sheet = Sheet.objects.create(
        name="boards",
        primary_table="mirion_vital.samples.boards",
        join_keys=["item"],
        item_ref_column="item",
        created_by="bench",
    )
    template = PromptTemplate.objects.create(
        name="boards", version="1.0.0", status="published", label_type="defect", user_prompt_template=PROMPT,
        output_schema=SCHEMA, created_by="bench",
    )  # fmt: skip
    if labels:
        _label(items, sheet.pk)
    return {"sheet": sheet, "template": template}


def _label(items: Any, sheet_id: str) -> None:
    from labels.models import CanonicalLabel
    from workbench.lakehouse.bulk import append_arrow

    sql = """SELECT md5(item)::UUID::VARCHAR AS id, $sheet AS sheet_id, item AS item_ref, 'defect' AS label_type,
        '{"defect_type":"none","note":""}' AS label_data, 'omar' AS labeled_by, now() AS labeled_at,
        'omar' AS last_modified_by, now() AS last_modified_at, now() AS created_at
        FROM items WHERE right(item, 1) = '0'"""
    connection = duckdb.connect()
    connection.register("items", items)
    connection.execute("SET TimeZone = 'UTC'")
    append_arrow(CanonicalLabel, connection.sql(sql, params={"sheet": sheet_id}).to_arrow_table())


def _generate(side: str, stage: dict[str, Any], url: str) -> TrainingSheet:
    from django.conf import settings

    from training.actions.generate import generate

    settings.LLM_URL, settings.LLM_MODEL = url, "loopback"
    config = {"concurrency": CONCURRENCY} if side == "model" else {}
    mode = "ai_generated" if side == "model" else "manual"
    return generate(**stage, actor="bench", mode=mode, config=config)


BENCHMARKS = {
    "model": (model, [10_000]),
    "engine": (engine, [10_000]),
    "distilabel": (distilabel, [3_000]),
    "manual": (manual, [10_000, 100_000, 1_000_000]),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generating", description="Measure generation.")
    parser.add_argument("name", choices=[*BENCHMARKS, "bare"])
    parser.add_argument("--rows", type=int, nargs="+")
    parser.add_argument("--at", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.at:
        _measure(options.name, options.at, options.rows[0], options.url)
        return
    work, sizes = BENCHMARKS[options.name]
    with staged() as directory:
        figures = [figure for rows in options.rows or sizes for figure in work(directory, rows)]
    print(f"\n{table(figures)}\n\n{machine()}")


if __name__ == "__main__":
    main()
