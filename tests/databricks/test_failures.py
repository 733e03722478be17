from __future__ import annotations

from typing import Any

import pytest

from tests.databricks.conftest import Connect
from tests.databricks.loopback import Loopback
from workbench.lakehouse.engines.databricks import (
    DatabaseError,
    DataError,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)

INSERT = "INSERT INTO parts (id, n) VALUES ('a', 1)"


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT * FROM nowhere", ProgrammingError),
        ("SELECT nothing FROM parts", ProgrammingError),
        ("SELEC 1", ProgrammingError),
        ("INSERT INTO parts (n) VALUES (1)", IntegrityError),
        ("INSERT INTO parts (id, n) VALUES ('a', 0)", IntegrityError),
        ("SELECT RAISE_ERROR('duplicate key in parts')", IntegrityError),
        ("SELECT CAST('x' AS INT)", DataError),
        ("SELECT CAST(4000000000 AS INT)", DataError),
        ("SELECT AI_QUERY('m', 'x')", NotSupportedError),
    ],
)
def test_an_error_of_the_engine_below(sql: str, kind: type[Exception], run: Any) -> None:
    with pytest.raises(kind):
        run(sql)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[DELTA_METADATA_CHANGED] x SQLSTATE: 2D521", OperationalError),
        ("[NOT_NULL_CONSTRAINT_VIOLATION.MAP_VALUE] x SQLSTATE: 42000", IntegrityError),
        ("[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION] x SQLSTATE: 22003", DataError),
        ("[SOME_NEW_CLASS] x SQLSTATE: 22999", DataError),
        ("[SOME_NEW_CLASS] x SQLSTATE: 0AKD0", NotSupportedError),
        ("[INSUFFICIENT_PERMISSIONS] x SQLSTATE: 42501", ProgrammingError),
        ("[SOME_NEW_CLASS] x SQLSTATE: 57KD0", OperationalError),
        ("org.apache.spark.SparkException: x", DatabaseError),
    ],
)
def test_a_server_text_gives_a_class_of_pep_249(text: str, kind: type[Exception]) -> None:
    from workbench.lakehouse.engines.databricks.errors import from_server

    error = from_server(text)
    assert str(error) == text
    assert isinstance(error, kind) and (kind is not DatabaseError or type(error) is DatabaseError)


def test_a_conflict_is_tried_again_whole(warehouse: Loopback, run: Any) -> None:
    warehouse.fail(*["[DELTA_CONCURRENT_APPEND.WITHOUT_HINT] x SQLSTATE: 2D521"] * 4)
    assert run(INSERT) == [(1,)]
    assert len(warehouse.statements) == 5 and run("SELECT COUNT(*) FROM parts") == [(1,)]


def test_the_fifth_conflict_is_an_error(warehouse: Loopback, run: Any) -> None:
    warehouse.fail(*["[DELTA_CONCURRENT_WRITE] x SQLSTATE: 2D521"] * 5)
    with pytest.raises(OperationalError, match="DELTA_CONCURRENT_WRITE"):
        run(INSERT)
    assert len(warehouse.statements) == 5


@pytest.mark.parametrize("failure", ["drop", "drop after", "expired"])
def test_a_read_survives_a_lost_session(failure: str, warehouse: Loopback, run: Any) -> None:
    run(INSERT)
    warehouse.fail(failure)
    assert run("SELECT n FROM parts") == [(1,)]
    assert warehouse.calls.count("OpenSession") == 2


@pytest.mark.parametrize(("failure", "rows"), [("drop", 0), ("drop after", 1), ("expired", 0), ("500", 0)])
@pytest.mark.parametrize("write", [INSERT, f"/* x */ {INSERT}", f"WITH a AS (SELECT 1) {INSERT}"])
def test_a_write_is_never_sent_twice(failure: str, rows: int, write: str, warehouse: Loopback, run: Any) -> None:
    warehouse.fail(failure)
    with pytest.raises(OperationalError):
        run(write)
    assert warehouse.calls.count("ExecuteStatement") == 1 and len(warehouse.executed) == rows


def test_a_read_that_is_lost_twice_is_an_error(warehouse: Loopback, run: Any) -> None:
    warehouse.fail("drop", "drop")
    with pytest.raises(OperationalError, match="lost"):
        run("SELECT 1")


def test_a_warehouse_that_went_away_is_an_operational_error(warehouse: Loopback, connect: Connect) -> None:
    patience = {"_retry_stop_after_attempts_count": 1, "_retry_stop_after_attempts_duration": 1}
    connection = connect(**patience)
    warehouse.http.shutdown()
    warehouse.http.server_close()
    warehouse.fail("drop")
    for open_one in (lambda: connection.cursor().execute("SELECT 1"), lambda: connect(**patience)):
        with pytest.raises(OperationalError):
            open_one()
