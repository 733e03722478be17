from __future__ import annotations

from typing import Any

import pytest

from tests.databricks.conftest import Connect
from tests.databricks.loopback import Loopback
from workbench.lakehouse.engines.databricks import OperationalError


def test_a_statement_is_one_post(warehouse: Loopback, run: Any) -> None:
    run("INSERT INTO parts (id, n) VALUES ('a', 1)")
    assert run("SELECT n FROM parts") == [(1,)]
    assert warehouse.calls == ["OpenSession", "ExecuteStatement", "ExecuteStatement"]


def test_a_session_is_in_utc_and_knows_catalog_schema_and_time_limit(warehouse: Loopback, connect: Connect) -> None:
    connect()
    (session,) = warehouse.sessions.values()
    assert (session.connection.catalog, session.connection.schema) == ("mirion_vital", "workbench")
    assert session.configuration["TIMEZONE"] == "UTC" and int(session.configuration["STATEMENT_TIMEOUT"]) < 60


def test_nothing_waits_900_seconds(connect: Connect) -> None:
    policy = connect()._raw.session.backend.retry_policy
    assert policy.stop_after_attempts_duration <= 30 and policy.read is False


def test_closing_ends_the_session(warehouse: Loopback, connect: Connect) -> None:
    connect().close()
    assert warehouse.calls == ["OpenSession", "CloseSession"] and not warehouse.sessions


def test_many_cursors_do_not_pile_up(connect: Connect) -> None:
    connection = connect()
    for _ in range(20):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    assert len(connection._raw._cursors) == 1


def test_a_wrong_token_is_refused_at_once(
    warehouse: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "another")
    with pytest.raises(OperationalError, match="403"):
        connect()
    assert warehouse.calls == []


def test_no_sign_in_at_all_says_what_to_set(connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(OperationalError, match="sign-in to Databricks is not configured"):
        connect()
