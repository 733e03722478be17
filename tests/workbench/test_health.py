"""What the doctor finds in settings, databases and the worker, each well and unwell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, ProgrammingError, connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.test import override_settings
from django.utils import timezone
from django_q.models import OrmQ

from tests.conftest import at
from tests.databricks.loopback import TOKEN, Loopback
from workbench import databases, health
from workbench.router import LAKEHOUSE

LOCMEM = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}


@pytest.fixture
def no_worker(db: None) -> Iterator[None]:
    """A machine on which no worker lives, whoever runs the tests."""
    with override_settings(CACHES={"default": LOCMEM, "heartbeat": LOCMEM | {"LOCATION": "no worker"}}):
        yield


def test_all_is_well_on_a_migrated_lakehouse(lakehouse: Path) -> None:
    checks = (health.secret_key, health.public_url, health.default_database, health.lakehouse, health.reading)
    assert [check().state for check in (*checks, health.writing)] == ["ok"] * 6


def test_trying_to_write_leaves_nothing(lakehouse: Path) -> None:
    health.writing()
    assert not list(lakehouse.rglob("doctor_*/_delta_log"))


@override_settings(SECRET_KEY="short")
def test_a_key_that_can_be_guessed() -> None:
    assert health.secret_key().state == "warn" and "WORKBENCH_SECRET_KEY" in health.secret_key().advice


@override_settings(PUBLIC_URL="http://workbench.example", HTTPS=False)
def test_an_address_without_encryption() -> None:
    assert health.public_url().state == "warn" and "https://" in health.public_url().advice


@override_settings(DEBUG=True)
def test_debug_pages() -> None:
    assert "WORKBENCH_DEBUG=0" in health.public_url().advice


def test_a_database_that_waits_for_a_migration(db: None) -> None:
    MigrationRecorder(connection).migration_qs.filter(app="django_q").delete()
    finding = health.default_database()
    assert finding.state == "FAIL" and "migrate --database default" in finding.advice


def test_a_lakehouse_that_is_not_there_is_not_made(lakehouse: Path, tmp_path: Path) -> None:
    with at(tmp_path / "none"):
        finding = health.lakehouse()
    assert finding.state == "FAIL" and "does not exist" in finding.found and not (tmp_path / "none").exists()


def test_a_lakehouse_without_tables(lakehouse: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    with at(tmp_path / "new"):
        finding = health.lakehouse()
        with pytest.raises(ProgrammingError):
            health.reading()
    assert finding.state == "FAIL" and "migrate --database lakehouse" in finding.advice


def test_a_warehouse_that_does_not_answer_is_told_with_its_reason(
    db: None, lakehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    before, entry = connections[LAKEHOUSE], connections.settings[LAKEHOUSE]
    try:
        with Loopback(tmp_path / "warehouse") as server:
            connections.settings[LAKEHOUSE] = entry | databases.lakehouse(server.url)
            assert "migrations wait" in health.lakehouse().found
            connections[LAKEHOUSE].close()
        with pytest.raises(OperationalError, match=r"lost|refused"):
            health.lakehouse()
    finally:
        connections[LAKEHOUSE], connections.settings[LAKEHOUSE] = before, entry


def test_no_worker(no_worker: None) -> None:
    finding = health.worker()
    assert finding.state == "warn" and "worker" in finding.advice


def test_tasks_that_wait_for_a_worker(no_worker: None) -> None:
    OrmQ.objects.create(key="workbench", payload="", lock=timezone.now() - timedelta(minutes=2))
    finding = health.worker()
    assert finding.state == "FAIL" and "1 tasks wait, the oldest for 120 s" in finding.found
