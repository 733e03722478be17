from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from databricks.sql.backend import thrift_backend

from tests.databricks.conftest import Connect
from tests.databricks.loopback import Loopback
from tests.databricks.test_failures import INSERT
from workbench.lakehouse.engines.databricks import OperationalError

BUSY = ["429", "503"]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The connector waits at least five seconds between two tries; here a moment is enough."""
    limits = thrift_backend._retry_policy
    monkeypatch.setitem(limits, "_retry_delay_max", (float, 60, 0.01, 3600))
    monkeypatch.setitem(limits, "_retry_delay_min", (float, 1, 0.001, 60))
    return {"_retry_delay_min": 0.001, "_retry_delay_max": 0.01}


@pytest.mark.parametrize("status", BUSY)
def test_a_busy_warehouse_is_asked_again_and_executes_once(
    status: str, warehouse: Loopback, connect: Connect, quick: Any
) -> None:
    connection = connect(**quick)
    warehouse.fail(status, status)
    connection.cursor().execute(INSERT)
    assert warehouse.calls.count("ExecuteStatement") == 3 and warehouse.executed == [INSERT]


@pytest.mark.parametrize("call", ["OpenSession", "FetchResults", "GetOperationStatus"])
@pytest.mark.parametrize("status", BUSY)
def test_every_other_call_survives_it_too(
    status: str, call: str, warehouse: Loopback, connect: Connect, quick: Any
) -> None:
    warehouse.fail(status, call=call)
    warehouse.polls, warehouse.direct_rows = 1, 1
    with connect(**quick).cursor() as cursor:
        cursor.execute("SELECT EXPLODE(FROM_JSON(?, 'ARRAY<INT>')) AS n", ["[1, 2, 3]"])
        assert cursor.fetchall() == [(1,), (2,), (3,)]
    assert len(warehouse.executed) == 1


def test_retry_after_is_obeyed(warehouse: Loopback, connect: Connect, quick: Any) -> None:
    connection = connect(**quick)
    warehouse.retry_after = "1"
    warehouse.fail("503")
    started = time.monotonic()
    connection.cursor().execute(INSERT)
    assert 1 <= time.monotonic() - started < 3 and warehouse.executed == [INSERT]


@pytest.mark.parametrize("status", BUSY)
def test_patience_ends_before_a_wait_that_is_too_long(
    status: str, warehouse: Loopback, connect: Connect, quick: Any
) -> None:
    connection = connect(**quick)
    warehouse.retry_after = "31"
    warehouse.fail(status)
    with pytest.raises(OperationalError, match="retry duration of 30"):
        connection.cursor().execute(INSERT)
    assert warehouse.executed == []


def test_a_warehouse_that_starts_is_waited_for(warehouse: Loopback, run: Any) -> None:
    warehouse.polls = 3
    assert run(INSERT) == [(1,)]
    assert warehouse.calls.count("GetOperationStatus") == 3 and warehouse.executed == [INSERT]


def test_asking_after_a_statement_may_break_off(warehouse: Loopback, connect: Connect, quick: Any) -> None:
    connection = connect(**quick)
    warehouse.polls = 2
    warehouse.fail("drop", "drop after", call="GetOperationStatus")
    connection.cursor().execute(INSERT)
    assert warehouse.executed == [INSERT] and warehouse.calls.count("ExecuteStatement") == 1


def test_an_error_of_a_statement_that_waited(warehouse: Loopback, run: Any) -> None:
    warehouse.polls = 1
    warehouse.fail("[DELTA_CONCURRENT_WRITE] x SQLSTATE: 2D521")
    assert run(INSERT) == [(1,)]
    assert len(warehouse.statements) == 2 and warehouse.executed == [INSERT]


def test_a_statement_that_takes_too_long_is_cancelled(warehouse: Loopback, connect: Connect) -> None:
    warehouse.polls = 10**9
    connection = connect(most_seconds=0.2)
    with pytest.raises(OperationalError, match=r"cancelled after 0.2 s.*starts can take minutes"):
        connection.cursor().execute(INSERT)
    assert "CancelOperation" in warehouse.calls and warehouse.executed == []
    warehouse.polls = 0
    connection.cursor().execute(INSERT)
    assert warehouse.executed == [INSERT]


def test_a_statement_whose_first_answer_comes_too_late_is_cancelled_then(warehouse: Loopback, connect: Connect) -> None:
    warehouse.polls = 10**9
    connection = connect(most_seconds=0.05)
    warehouse.fail("sleep")
    threading.Timer(0.3, warehouse.awake.set).start()
    with pytest.raises(OperationalError, match="cancelled"):
        connection.cursor().execute(INSERT)
    assert warehouse.executed == []


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, also where a script that started pytest in the background had it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_control_c_cancels_the_statement(warehouse: Loopback, connect: Connect, interruptible: None) -> None:
    warehouse.polls = 10**9
    # On a busy machine the interrupt still comes before the limit of the statement.
    cursor = connect(most_seconds=100).cursor()
    threading.Thread(target=lambda: warehouse.waiting.wait(100) and _thread.interrupt_main(), daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        cursor.execute(INSERT)
    assert "CancelOperation" in warehouse.calls and warehouse.executed == []


def test_control_c_cancels_nothing_of_before(warehouse: Loopback, connect: Connect, monkeypatch: Any) -> None:
    connection = connect()
    connection.cursor().execute(INSERT)

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(connection._raw.session.backend, "make_request", interrupted)
    with pytest.raises(KeyboardInterrupt):
        connection.cursor().execute("SELECT 1")
    monkeypatch.undo()
    assert "CancelOperation" not in warehouse.calls


def test_a_server_that_says_nothing_times_out(warehouse: Loopback, connect: Connect) -> None:
    connection = connect(_socket_timeout=0.3)
    warehouse.fail("sleep")
    with pytest.raises(OperationalError, match="did not answer in time"):
        connection.cursor().execute(INSERT)
    assert warehouse.calls.count("ExecuteStatement") == 1


def test_a_large_result_that_breaks_off_is_an_error(warehouse: Loopback, connect: Connect) -> None:
    warehouse.direct_rows = 1
    with connect().cursor() as cursor:
        cursor.execute("SELECT EXPLODE(FROM_JSON(?, 'ARRAY<INT>')) AS n", ["[1, 2, 3]"])
        warehouse.fail("drop", call="FetchResults")
        with pytest.raises(OperationalError, match="lost"):
            cursor.fetchall()
