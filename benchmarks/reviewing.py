"""What a reviewer waits for, over HTTP: `python -m benchmarks.reviewing [--rows 1000 100000] [--only inline]`.

The server runs as `manage.py serve` runs it, with its worker; a reviewer takes a pair, is shown it, approves it, thinks for
a moment, and then pages through lists. All pairs are in one training sheet; the lakehouse is a directory or a slow warehouse.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.__main__ import SIZES, machine
from benchmarks.figures import Figure, p50, p95, table
from benchmarks.review_site import TRAINING_SHEET, Reviewer, fill, served, signed_in
from benchmarks.stage import opened, staged
from benchmarks.warehouse_server import warehouse
from tests.databricks.sign_in import TOKEN

REPEAT, PAGES = 60, 20
# Each of the server's processes remembers for itself what a first request finds out.
WARM = 8
# The screen asks for the next pairs, thirty of them, when it comes to the end of those it knows.
KNOWN = 25
# Seconds; the fastest reviewers take some five for a pair, and nobody reads fifty rows in less than a few.
THINKS, READS = 0.25, 1.5
SLOW = 0.3
# Name: how decisions are applied, and the seconds that are added to each statement of a warehouse.
WAYS: dict[str, tuple[str, float | None]] = {
    "worker": ("worker", None),
    "inline": ("inline", None),
    "slow warehouse": ("worker", SLOW),
}
SHEET = f"/api/v1/training-sheets/{TRAINING_SHEET}"
AIMS = {
    "acknowledged": 50,
    "next pair": 100,
    "its screen": 100,
    "list of what waits": 200,
    "list of pairs": 200,
    "list on the screen": 200,
}
# How a page of the list leads on to the next.
AFTER = re.compile(rb'&amp;(after=[^"]+)"')


def review(directory: Path, rows: int, ways: list[str]) -> Iterator[Figure]:
    """Review in each of the ways, one after the other, on the same pairs."""
    with opened(directory / f"review-{rows}") as lakehouse:
        fill(lakehouse, rows)
        session = signed_in()
    for way in ways:
        print(f"{rows:,} pairs: {way} …", flush=True)
        yield from _review(lakehouse, rows, way, session)


def _review(lakehouse: Path, rows: int, way: str, session: str) -> Iterator[Figure]:
    mode, delay = WAYS[way]
    home = lakehouse.with_name(f"{lakehouse.name}-{way.replace(' ', '-')}")
    with warehouse(lakehouse) if delay else nullcontext() as remote:
        url = remote.url if remote else f"delta://{lakehouse}"
        with served(home, url, mode) as port:
            found: dict[str, list[float]] = {}
            work = lambda: found.update(_session(port, session))  # noqa: E731 - what is measured
            if remote and delay:
                remote.measured(work, delay)
            else:
                work()
    for name, took in found.items():
        yield Figure(f"{way}: {name} p50", rows, p50(took), "ms")
        yield Figure(f"{way}: {name} p95", rows, p95(took), "ms", most=AIMS.get(name))
        yield Figure(f"{way}: {name} slowest", rows, max(took), "ms")


def _session(port: int, session: str) -> dict[str, list[float]]:
    """Return the milliseconds of each thing that a reviewer waits for."""
    first, _ = Reviewer(port, session).ask("POST", f"{SHEET}/queue/claim", {})
    warm: dict[str, list[float]] = {}
    for _ in range(WARM):
        Reviewer(port, session).ask("GET", f"{SHEET}/queue?limit=30")
        _one(Reviewer(port, session), {})
        _lists(Reviewer(port, session), warm, pages=2)
    took = {"first pair of all": [first], "first list of pairs": [max(warm["list of pairs"])]}
    took["first list on the screen"] = [max(warm["list on the screen"])]
    rosa = Reviewer(port, session)
    for number in range(REPEAT):
        if number % KNOWN == 0:
            rosa.ask("GET", f"{SHEET}/queue?limit=30")
        _one(rosa, took)
        time.sleep(THINKS)
    _lists(rosa, took)
    return took


def _one(rosa: Reviewer, took: dict[str, list[float]]) -> None:
    def ask(name: str, *request: Any) -> Any:
        milliseconds, answer = rosa.ask(*request)
        took.setdefault(name, []).append(milliseconds)
        return answer

    pair = ask("next pair", "POST", f"{SHEET}/queue/claim", {})["pair"]
    ask("its screen", "GET", f"/review/{TRAINING_SHEET}/pairs/{pair['id']}")
    ask("acknowledged", "POST", f"/api/v1/qa-pairs/{pair['id']}/approve", {"version": pair["version"]})


def _lists(rosa: Reviewer, took: dict[str, list[float]], pages: int = PAGES) -> None:
    start = path = f"/api/v1/qa-pairs?training_sheet={TRAINING_SHEET}"
    screen = f"/review/{TRAINING_SHEET}/list?order=sequence"
    after = ""
    for _ in range(pages):
        milliseconds, _answer = rosa.ask("GET", f"{SHEET}/queue?limit=50")
        took.setdefault("list of what waits", []).append(milliseconds)
        milliseconds, page = rosa.ask("GET", path)
        took.setdefault("list of pairs", []).append(milliseconds)
        path = page["next"].partition(f":{rosa.port}")[2] if page["next"] else start
        milliseconds, shown = rosa.ask("GET", f"{screen}{after}")
        took.setdefault("list on the screen", []).append(milliseconds)
        link = AFTER.search(shown)
        after = f"&{link[1].decode()}" if link else ""
        time.sleep(READS)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reviewing", description="Measure what a reviewer waits for."
    )
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES, help="pairs (default: %(default)s)")
    parser.add_argument("--only", choices=WAYS, help="one of the ways (default: all)")
    options = parser.parse_args()
    os.environ["DATABRICKS_TOKEN"] = TOKEN
    ways = [options.only] if options.only else list(WAYS)
    with staged() as directory:
        figures = [figure for rows in options.rows for figure in review(directory, rows, ways)]
    print(f"\n{table(figures)}\n\n{machine()}")


if __name__ == "__main__":
    main()
