"""The whole default database on a real PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django_q.brokers import get_broker
from django_q.tasks import async_task

from tests.lakebase.postgres import ROLE, Postgres
from workbench import databases
from workbench.tokens import MARK


@pytest.fixture
def default(postgres: Postgres, django_db_blocker: Any) -> Iterator[None]:
    """The alias `default` on an empty database of that server, migrated."""
    postgres.change_password("a password")
    name = postgres.make_database(f"plain_{secrets.token_hex(4)}")
    entry, before = connections.settings["default"], connections["default"]
    with django_db_blocker.unblock():
        url = f"postgresql://{ROLE}:a%20password@127.0.0.1:{postgres.port}/{name}"
        connections.settings["default"] = entry | databases.default(url)
        connections["default"] = connections.create_connection("default")
        try:
            call_command("migrate", verbosity=0)
            yield
        finally:
            connections["default"].close()
            connections["default"], connections.settings["default"] = before, entry


def test_migrations_sign_in_tokens_and_the_queue(default: None) -> None:
    assert connection.vendor == "postgresql"
    User.objects.create_superuser("omar", password="omar's password")
    browser = Client()
    answer = browser.post("/admin/login/", {"username": "omar", "password": "omar's password"})
    assert answer.status_code == 302 and "sessionid" in browser.cookies
    token = browser.post("/api/v1/auth/token", {"username": "omar", "password": "omar's password"}, "application/json")
    assert token.json()["token"].startswith(MARK)
    async_task("math.sqrt", 4)
    broker = get_broker()
    ((key, _),) = broker.dequeue()
    broker.acknowledge(key)
    assert broker.queue_size() == 0


def test_a_statement_that_never_ends_is_ended(default: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("1min",)
