"""A SQL warehouse: Django's backend beside the bare connector, and what an action costs when each statement takes long.

`python -m benchmarks.warehouse [statements insert actions] [--rows 1000 100000] [--delay 300]`. The warehouse is the
loopback of the tests, so its own work is that of the local engine; both sides pay for it alike.
"""

from __future__ import annotations

import argparse
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.__main__ import machine
from benchmarks.figures import Figure, milliseconds, p50, table
from benchmarks.invented import pairs
from benchmarks.stage import opened, pointed_at, staged
from benchmarks.warehouse_actions import ACTIONS, prepared
from benchmarks.warehouse_server import Warehouse, warehouse
from tests.databricks.sign_in import TOKEN

ROUNDS, STATEMENTS = 5, 40
REPEAT = 3
MOST_JSON_ROWS = 50_000
KINDS = {"int64": "BIGINT", "int32": "INT", "double": "DOUBLE", "timestamp[us, tz=UTC]": "TIMESTAMP"}
STAGED = "/Volumes/mirion_vital/workbench/staging/bare.parquet"


def statements(server: Warehouse, _rows: list[int], _delay: float) -> Iterator[Figure]:
    """A constant, and one row by its key, each 200 times on both sides in turn."""
    from django.db import connections

    from sheets.models import Sheet

    row = Sheet.objects.filter(pk="none").order_by()
    sql, parameters = row.query.get_compiler("lakehouse").as_sql()
    with connections["lakehouse"].cursor() as cursor, bare_cursor(server) as bare:
        sides: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "SELECT 1, a cursor of Django": (
                lambda: cursor.execute("SELECT 1").fetchall(),
                lambda: bare.execute("SELECT 1").fetchall(),
            ),
            "a row by its key, a model": (
                lambda: list(row.all()),
                lambda: bare.execute(sql.replace("%s", "?"), parameters).fetchall(),
            ),
        }
        for name, both in sides.items():
            ours, reference = _in_turn(both)
            yield Figure(name, 1, ours, "ms", reference, note=f"{1000 / ours:,.0f} a second")


def _in_turn(both: Sequence[Callable[[], object]]) -> list[float]:
    """Return the median milliseconds of each side."""
    took: list[list[float]] = [[] for _ in both]
    for _ in range(ROUNDS):
        for work, found in zip(both, took, strict=True):
            found += [milliseconds(work) for _ in range(STATEMENTS)]
    return [p50(found) for found in took]


def insert(server: Warehouse, sizes: list[int], _delay: float) -> Iterator[Figure]:
    """Pairs with empty messages: guarded by their keys in one commit, beside an INSERT of the same rows."""
    from training.models import QAPair

    with bare_cursor(server) as bare:
        bare.execute("CREATE TABLE bare_pairs USING DELTA AS SELECT * FROM qa_pairs")
        for rows in sizes:
            way, write = ("one JSON parameter", _bare_json) if rows <= MOST_JSON_ROWS else ("a file", _bare_file)
            took: tuple[list[float], list[float]] = ([], [])
            for number in range(REPEAT):
                given = _short(pairs(rows, per_sheet=rows, sheet=rows + number))
                took[0].append(milliseconds(lambda given=given: QAPair.objects.append_arrow(given)))  # type: ignore[misc]
                took[1].append(milliseconds(lambda given=given, write=write: write(bare, given)))  # type: ignore[misc]
            ours, reference = (rows / p50(found) * 1000 for found in took)
            yield Figure(f"insert by {way}", rows, ours, "rows/s", reference)


def actions(server: Warehouse, _rows: list[int], delay: float) -> Iterator[Figure]:
    """What a user waits for, with the delay added to each statement; the reference is the delays alone."""
    stage = prepared()
    for name, rows, act in ACTIONS:
        count, seconds = server.measured(lambda act=act: act(stage), delay)  # type: ignore[misc]
        yield Figure(name, rows, seconds, "s", count * delay, note=f"{count} statements")


@contextmanager
def bare_cursor(server: Warehouse) -> Iterator[Any]:
    """A cursor of the connector on a session of its own, without Django and without the backend's settings."""
    from databricks import sql

    host, _, path = server.url.removeprefix("databricks://").partition("?")[0].partition("/")
    with sql.connect(
        server_hostname=host,
        http_path=f"/{path}",
        access_token=TOKEN,
        catalog="mirion_vital",
        schema="workbench",
        session_configuration={"TIMEZONE": "UTC"},
        staging_allowed_local_path="/",
        enable_telemetry=False,
        _connection_uri=f"http://{host}/{path}",
    ) as connection:
        yield connection.cursor()


def _short(given: pa.Table) -> pa.Table:
    return given.set_column(given.column_names.index("messages"), "messages", pa.array(["[]"] * given.num_rows))


def _bare_json(bare: Any, given: pa.Table) -> None:
    kinds = (
        (f.name, "ARRAY<STRING>" if pa.types.is_list(f.type) else KINDS.get(str(f.type), "STRING"))
        for f in given.schema
    )
    fields = ", ".join(f"`{name}`: {kind}" for name, kind in kinds)
    rows = f"INLINE(FROM_JSON(?, 'ARRAY<STRUCT<{fields}>>'))"
    bare.execute(
        f"INSERT INTO bare_pairs ({', '.join(given.column_names)}) SELECT {rows}",
        [orjson.dumps(given.to_pylist()).decode()],
    )


def _bare_file(bare: Any, given: pa.Table) -> None:
    file = io.BytesIO()
    pq.write_table(given, file)
    names = ", ".join(given.column_names)
    file.seek(0)
    bare.execute(f"PUT '__input_stream__' INTO '{STAGED}' OVERWRITE", input_stream=file)
    bare.execute(f"INSERT INTO bare_pairs ({names}) SELECT {names} FROM parquet.`{STAGED}`")
    bare.execute(f"REMOVE '{STAGED}'")


BENCHMARKS = {"statements": statements, "insert": insert, "actions": actions}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.warehouse", description="Measure on a loopback warehouse."
    )
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000], help="rows of an insert")
    parser.add_argument("--delay", type=int, default=300, help="milliseconds added to each statement of an action")
    options = parser.parse_args()
    os.environ["DATABRICKS_TOKEN"] = TOKEN
    with staged() as directory:
        figures = [figure for name in options.names or BENCHMARKS for figure in _run(name, directory, options)]
    print(f"\n{table(figures)}\n\n{machine()}")


def _run(name: str, directory: Path, options: argparse.Namespace) -> list[Figure]:
    with opened(directory / name):
        pass
    with warehouse(directory / name) as server, pointed_at(server.url):
        return list(BENCHMARKS[name](server, options.rows, options.delay / 1000))


if __name__ == "__main__":
    main()
