"""Each new connection has a token that is good, and nobody reads it."""

from __future__ import annotations

import time
from threading import Thread

import pytest
from django.db.utils import OperationalError

from tests.lakebase.conftest import Connect
from tests.lakebase.credentials import Workspace
from tests.lakebase.postgres import Postgres
from workbench.lakebase import credentials
from workbench.lakebase.base import DatabaseWrapper


def who(connection: DatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


def test_a_token_opens_many_connections(connect: Connect, lakebase: Workspace) -> None:
    assert [who(connect()) for _ in range(3)] == ["workbench"] * 3
    assert len(lakebase.given) == 1


def test_a_token_near_its_end_is_replaced_before_it_is_used(connect: Connect, lakebase: Workspace) -> None:
    lakebase.lifetime = credentials.SPARE_SECONDS
    first, second = connect(), connect()
    assert len(lakebase.given) == 2
    assert who(first) == who(second) == "workbench"  # an open connection outlives its token


def test_a_refused_token_is_replaced_once(connect: Connect, lakebase: Workspace, postgres: Postgres) -> None:
    connect()
    postgres.change_password("another")
    assert who(connect()) == "workbench" and len(lakebase.given) == 2


def test_a_connection_that_was_lost_comes_back_with_a_new_token(
    connect: Connect, lakebase: Workspace, postgres: Postgres
) -> None:
    connection = connect()
    postgres.administer("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'workbench'")
    postgres.change_password("another")
    connection.health_check_enabled = True
    connection.close_if_unusable_or_obsolete()
    assert who(connection) == "workbench" and len(lakebase.given) == 2


def test_threads_that_connect_at_once_ask_for_one_token(connect: Connect, lakebase: Workspace) -> None:
    threads = [Thread(target=lambda: connect().close()) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lakebase.given) == 1


def test_a_second_refusal_is_told_without_the_token(
    connect: Connect, lakebase: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    lakebase.good = False
    with pytest.raises(OperationalError) as caught:
        connect()
    assert len(lakebase.given) == 2
    assert not any(token in f"{caught.getrepr(chain=True)}{caplog.text}" for token in lakebase.given)


def test_a_refused_sign_in_says_what_to_check(
    connect: Connect, lakebase: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "wrong")
    with pytest.raises(OperationalError, match="Check the endpoint's name"):
        connect()


def test_a_workspace_that_does_not_answer_costs_seconds(
    connect: Connect, lakebase: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert credentials.PATIENCE["http_timeout_seconds"] + credentials.PATIENCE["retry_timeout_seconds"] <= 30
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")
    monkeypatch.setitem(credentials.PATIENCE, "retry_timeout_seconds", 1)
    before = time.monotonic()
    with pytest.raises(OperationalError):
        connect()
    assert time.monotonic() - before < 10
