from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from workbench.lakehouse.engines import local

from .conftest import Run

SCRIPT = """
import resource, sys
from workbench.lakehouse.engines import local

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

connection = local.connect(sys.argv[1], catalog="main", schema="work")
cursor = connection.cursor()
how = sys.argv[2]
cursor.execute("SELECT * FROM big WHERE n < 1000").fetchall()
before = peak()
cursor.execute("SELECT id, n, text FROM big")
if how == "batches":
    rows = sum(batch.num_rows for batch in cursor.fetch_arrow_batches(10_000))
else:
    rows = 0
    while found := cursor.fetchmany(2000):
        rows += len(found)
print(rows, peak() - before)
"""


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A million rows of some 150 bytes."""
    directory = tmp_path_factory.mktemp("big")
    (directory / "main" / "work").mkdir(parents=True)
    with local.connect(directory, catalog="main", schema="work") as connection:
        connection.cursor().execute("CREATE TABLE big (id STRING, n BIGINT, text STRING)")
        for start in range(0, 1_000_000, 250_000):
            numbers = range(start, start + 250_000)
            text = [f"{n * 7919 % 1_000_003:07d}" * 15 for n in numbers]
            connection.append("big", pa.table({"id": [f"{n:036d}" for n in numbers], "n": list(numbers), "text": text}))
    return directory


@pytest.mark.parametrize("how", ["batches", "rows"])
def test_a_million_rows_stream_at_constant_memory(big: Path, how: str) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(big), how], capture_output=True, text=True, check=True)
    rows, grown = map(int, done.stdout.split())
    assert rows == 1_000_000
    assert grown < 120, f"{grown} MiB for a result of some 150 MiB"


def test_two_cursors_stream_side_by_side(pairs: Run, connection: local.Connection) -> None:
    one = connection.cursor().execute("SELECT id FROM pairs ORDER BY id")
    two = connection.cursor().execute("SELECT n FROM pairs ORDER BY n DESC")
    assert [next(iter(one)), next(iter(two)), one.fetchone(), two.fetchmany(5)] == [("a",), (3,), ("b",), [(2,), (1,)]]


def test_a_result_stays_what_it_was_while_the_table_changes(pairs: Run, connection: local.Connection) -> None:
    cursor = connection.cursor().execute("SELECT id FROM pairs ORDER BY id")
    pairs("DELETE FROM pairs")
    assert cursor.fetchall() == [("a",), ("b",), ("c",)]


def test_errors_of_rows_come_from_execute(pairs: Run) -> None:
    with pytest.raises(local.DataError):
        pairs("SELECT CAST(id AS INT) FROM pairs")


def test_fetching_without_a_result(connection: local.Connection, pairs: Run) -> None:
    cursor = connection.cursor().execute("UPDATE pairs SET n = 1")
    with pytest.raises(local.ProgrammingError, match="no result"):
        cursor.fetchone()
    cursor.close()
    with pytest.raises(local.InterfaceError, match="closed"):
        cursor.execute("SELECT 1")


def test_closing(connection: local.Connection) -> None:
    connection.commit()
    with pytest.raises(local.NotSupportedError, match="rolled back"):
        connection.rollback()
    connection.close()
    with pytest.raises(local.InterfaceError, match="closed"):
        connection.cursor()


def test_executemany_sums_the_counts(pairs: Run, connection: local.Connection) -> None:
    cursor = connection.cursor().executemany("INSERT INTO pairs VALUES (?, 'pcb', ?)", [("x", 1), ("y", 2)])
    assert cursor.rowcount == 2
