from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.databricks.conftest import Connect
from tests.databricks.loopback import Loopback
from tests.databricks.sign_in import CLIENT_ID, CLIENT_SECRET, TOKEN
from workbench.lakehouse.engines.databricks import OperationalError

SELECT = "SELECT 1"


@pytest.fixture
def principal(warehouse: Loopback, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """Signs in as a service principal, as the environment of a Databricks App does."""
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", CLIENT_SECRET)
    return warehouse


def test_a_service_principal_asks_for_one_token(principal: Loopback, connect: Connect) -> None:
    for connection in (connect(), connect()):
        connection.cursor().execute(SELECT)
    assert len(principal.sign_in.granted) == 1


def test_a_token_that_expired_is_replaced_under_an_open_session(principal: Loopback, connect: Connect) -> None:
    principal.sign_in.lifetime = 0
    connection = connect()
    principal.sign_in.lifetime = 3600
    for _ in range(2):
        connection.cursor().execute(SELECT)
    assert principal.calls == ["OpenSession", "ExecuteStatement", "ExecuteStatement"]
    assert len(principal.sign_in.granted) == 2 and principal.sign_in.granted[0] not in principal.sign_in.valid


def test_apps_give_a_host_of_their_own_that_changes_nothing(
    principal: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", "another.cloud.databricks.com")
    connect().cursor().execute(SELECT)
    assert len(principal.sign_in.granted) == 1


def test_a_wrong_secret_is_told_and_not_shown(
    principal: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "mistyped-secret")
    with pytest.raises(OperationalError, match="Client authentication failed") as caught:
        connect()
    assert "mistyped-secret" not in str(caught.value) and principal.calls == []


def test_a_profile_signs_in(
    warehouse: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.delenv("DATABRICKS_TOKEN")
    file = tmp_path / "databrickscfg"
    file.write_text(f"[work]\nhost = {warehouse.http.address}\ntoken = {TOKEN}\n")
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(file))
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "work")
    connect().cursor().execute(SELECT)


def test_two_ways_at_once_are_refused(warehouse: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", CLIENT_SECRET)
    with pytest.raises(OperationalError, match="more than one authorization method"):
        connect()


@pytest.mark.parametrize("how", ["token", "principal"])
def test_no_secret_in_logs_errors_or_repr(
    how: str, request: Any, warehouse: Loopback, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    if how == "principal":
        request.getfixturevalue("principal")
    caplog.set_level(logging.DEBUG)
    connection = connect()
    with pytest.raises(Exception, match="NOT_FOUND") as caught:
        connection.cursor().execute("SELECT * FROM nowhere")
    warehouse.sign_in.valid.clear()
    with pytest.raises(OperationalError, match="403") as refused:
        connection.cursor().execute(SELECT)
    said = [caplog.text, repr(connection), repr(caught.value), repr(refused.value), repr(vars(connection))]
    for secret in (TOKEN, CLIENT_SECRET, *warehouse.sign_in.granted):
        assert not [text for text in said if secret in text]
