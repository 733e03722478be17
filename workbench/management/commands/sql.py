from __future__ import annotations

import os
import re
import sys
from base64 import b64encode
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from workbench.canonical import canonical_json
from workbench.command import stated_plainly
from workbench.router import LAKEHOUSE

# A column's width is taken from this many rows, so that a long result still streams.
MEASURED = 200
WIDEST = 60
QUOTED = re.compile(r'[",\r\n]')

Row = Sequence[Any]


class Command(BaseCommand):
    help = 'Run one Databricks SQL statement on the lakehouse. Example: manage.py sql "SELECT * FROM qa_pairs LIMIT 5"'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("statement")
        shape = parser.add_mutually_exclusive_group()
        shape.add_argument("--csv", action="store_true", help="comma-separated, with a header")
        shape.add_argument("--json", action="store_true", help="one JSON object a line")

    @stated_plainly
    def handle(self, *args: Any, **options: Any) -> None:
        with connections[LAKEHOUSE].cursor() as cursor:
            cursor.execute(options["statement"])
            if cursor.description is None:
                self.stderr.write(f"{max(cursor.rowcount, 0)} rows changed")
                return
            names = [column[0] for column in cursor.description]
            rows = iter(cursor)
            shape = self._json if options["json"] else self._csv if options["csv"] else self._table
            try:
                shape(names, rows)
                self.stdout.flush()
            except ValueError as error:
                raise CommandError(f"{error} Cast what it is in to text, or leave it out.") from error
            except BrokenPipeError:
                # Whoever read has enough; what Python would still flush at its end goes nowhere.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _json(self, names: list[str], rows: Iterator[Row]) -> None:
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise CommandError(f"Found several columns named {', '.join(twice)}: name each of them once, by AS.")
        for row in rows:
            self.stdout.write(canonical_json(dict(zip(names, row, strict=True))))

    def _csv(self, names: list[str], rows: Iterator[Row]) -> None:
        for row in chain([names], rows):
            self.stdout.write(",".join(map(_in_csv, row)))

    def _table(self, names: list[str], rows: Iterator[Row]) -> None:
        count = 0
        head = [[_shown(cell) for cell in row] for row in islice(rows, MEASURED)]
        widths = [max(map(len, column)) for column in zip(names, *head, strict=True)]
        line = "  ".join("─" * width for width in widths)
        self.stdout.write("  ".join(name.ljust(width) for name, width in zip(names, widths, strict=True)).rstrip())
        self.stdout.write(line)
        for cells in chain(head, ([_shown(cell) for cell in row] for row in rows)):
            self.stdout.write("  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip())
            count += 1
        self.stderr.write(f"{count} rows")


def _in_csv(cell: Any) -> str:
    """Return the cell in CSV: nothing for NULL and quotes for the empty text; what is nested, and bytes, as in JSON."""
    if cell is None:
        return ""
    nested = isinstance(cell, list | dict)
    text = canonical_json(cell) if nested else b64encode(cell).decode() if isinstance(cell, bytes) else str(cell)
    return text if text and not QUOTED.search(text) else '"' + text.replace('"', '""') + '"'


def _shown(cell: Any) -> str:
    """Return the cell on one line, cut to the widest column; `--csv` and `--json` show it whole."""
    text = "NULL" if cell is None else " ".join(str(cell).split())
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
