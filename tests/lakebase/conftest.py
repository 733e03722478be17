"""A PostgreSQL for all tests here, a workspace that gives its passwords, and connections with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connections

from tests.lakebase.credentials import ENDPOINT, SIGN_IN, Workspace, workspace
from tests.lakebase.postgres import ROLE, Postgres, installed, started
from workbench import databases
from workbench.lakebase import credentials
from workbench.lakebase.base import DatabaseWrapper

Connect = Callable[[], DatabaseWrapper]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if (found := installed()) is None:
        pytest.skip("PostgreSQL is not installed: .ci/postgres installs it")
    with started(found) as server:
        server.make_database("lakebase")
        yield server


@pytest.fixture
def lakebase(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """The workspace, signed in to, with nothing remembered of another one."""
    with workspace(postgres) as server:
        monkeypatch.setenv("DATABRICKS_HOST", server.host)
        monkeypatch.setenv("DATABRICKS_TOKEN", SIGN_IN)
        credentials._workspace.cache_clear()
        credentials._kept.clear()
        yield server


@pytest.fixture
def connect(postgres: Postgres, lakebase: Workspace, django_db_blocker: Any) -> Iterator[Connect]:
    """Opens Django connections to Lakebase."""
    url = f"lakebase://{ROLE}@127.0.0.1:{postgres.port}/lakebase?endpoint={ENDPOINT}"
    with ExitStack() as stack, django_db_blocker.unblock():

        def opened() -> DatabaseWrapper:
            connection = DatabaseWrapper(connections.settings["default"] | databases.default(url), "lakebase")
            connection.inc_thread_sharing()
            stack.callback(connection.close)
            connection.ensure_connection()
            return connection

        yield opened
