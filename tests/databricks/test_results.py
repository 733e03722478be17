from __future__ import annotations

from typing import Any

from tests.databricks.conftest import Connect
from tests.databricks.loopback import Loopback

NUMBERS = "SELECT EXPLODE(FROM_JSON(?, 'ARRAY<INT>')) AS n"
TO_25 = str(list(range(1, 26)))


def test_row_counts_are_true(run: Any) -> None:
    assert run("INSERT INTO parts (id, n) VALUES ('a', 1), ('b', 2), ('c', 3)") == [(3,)]
    assert run("UPDATE parts SET n = n + 1 WHERE n > ?", 1) == [(2,)]
    assert run("DELETE FROM parts WHERE n > ?", 9) == [(0,)]
    assert run("CREATE TABLE other (id STRING) USING DELTA") == [(-1,)]


def test_no_rows_keep_their_names_and_types(connect: Connect) -> None:
    with connect().cursor() as cursor:
        cursor.execute("SELECT id, n, price FROM parts")
        assert [column[:2] for column in cursor.description] == [("id", "STRING"), ("n", "INT"), ("price", "DECIMAL")]
        assert cursor.rowcount == -1 and cursor.fetchone() is None


def test_a_larger_result_is_fetched_in_parts(warehouse: Loopback, run: Any) -> None:
    warehouse.direct_rows = 10
    assert run(NUMBERS, TO_25) == [(n,) for n in range(1, 26)]
    assert warehouse.calls.count("FetchResults") == 2 and warehouse.calls.count("ExecuteStatement") == 1


def test_a_result_that_is_left_is_closed_by_the_next_statement(warehouse: Loopback, connect: Connect) -> None:
    warehouse.direct_rows = 10
    connection = connect()
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, [TO_25])
        assert cursor.fetchmany(3) == [(1,), (2,), (3,)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert not warehouse.operations


def test_two_results_are_read_side_by_side(connect: Connect) -> None:
    connection = connect()
    with connection.cursor() as one, connection.cursor() as other:
        one.execute("SELECT 1 AS a")
        other.execute("SELECT 2 AS a")
        assert (one.fetchall(), other.fetchall()) == ([(1,)], [(2,)])


def test_a_slow_statement_is_asked_after(warehouse: Loopback, run: Any) -> None:
    warehouse.polls = 2
    assert run("SELECT 5") == [(5,)]
    assert warehouse.calls.count("GetOperationStatus") == 2


def test_arrow_batches(connect: Connect) -> None:
    with connect().cursor() as cursor:
        cursor.execute(NUMBERS, [TO_25])
        assert [batch.num_rows for batch in cursor.fetch_arrow_batches(10)] == [10, 10, 5]
