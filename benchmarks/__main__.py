"""Run the benchmarks: `python -m benchmarks [--rows 1000 100000] [--only export]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.exporting import export, flat
from benchmarks.figures import Figure, table
from benchmarks.paging import page_of_many, page_of_one
from benchmarks.stage import ROOT, staged
from benchmarks.updating import approve
from benchmarks.writing import write_many_sheets, write_one_sheet

# In this order: the writes make the tables that the others read.
BENCHMARKS: dict[str, tuple[Callable[[Path, int], Iterator[Figure]], ...]] = {
    "write": (write_one_sheet, write_many_sheets),
    "page": (page_of_one, page_of_many),
    "update": (approve,),
    "export": (export,),
    "flat": (flat,),
}
# Makes its own pairs, more than fit in memory, and only when it is asked for: `--only flat --rows 10000000`.
ALONE = "flat"
SIZES = [1_000, 100_000, 1_000_000]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the product beside a reference.")
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES, help="pairs in the tables (default: %(default)s)")
    parser.add_argument("--only", choices=BENCHMARKS, help="show one benchmark (the tables it reads are still written)")
    options = parser.parse_args()
    shown = [options.only] if options.only else [name for name in BENCHMARKS if name != ALONE]
    run = [ALONE] if options.only == ALONE else ["write", *shown]
    figures: list[Figure] = []
    with staged() as directory:
        for rows in options.rows:
            for name, steps in BENCHMARKS.items():
                if name not in run:
                    continue
                print(f"{rows:,} pairs: {name} …", flush=True)
                found = [figure for step in steps for figure in step(directory, rows)]
                figures += found if name in shown else []
    print(f"\n{table(figures)}\n\n{machine()}")
    machine_and_figures = {"machine": machine(), "figures": [figure.as_dict() for figure in figures]}
    (ROOT / "var" / "bench.json").write_text(json.dumps(machine_and_figures, indent=2, ensure_ascii=False))


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
