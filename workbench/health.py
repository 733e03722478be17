"""The checks of `manage.py doctor` on settings, databases and the worker."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import load_backend
from django.utils import timezone
from django_q.models import OrmQ
from django_q.status import Stat

from workbench.databases import LOOPBACK
from workbench.doctor import Finding
from workbench.router import CONCEPT_APPS, LAKEHOUSE

# As Django's own check of a deployment has it.
SHORTEST_KEY, FEWEST_LETTERS = 50, 5
# A worker that lives takes a task within a second.
LONGEST_WAIT = 60


def secret_key() -> Finding:
    """Return whether sessions are signed by a key that nobody guesses."""
    if len(settings.SECRET_KEY) < SHORTEST_KEY or len(set(settings.SECRET_KEY)) < FEWEST_LETTERS:
        found = f"{len(settings.SECRET_KEY)} characters, {len(set(settings.SECRET_KEY))} different ones"
        return Finding("warn", found, f"set WORKBENCH_SECRET_KEY to {SHORTEST_KEY} random characters or more")
    return Finding("ok", f"{len(settings.SECRET_KEY)} characters")


def public_url() -> Finding:
    """Return whether what users send is encrypted on its way, and errors keep their details."""
    if settings.DEBUG:
        return Finding("warn", "WORKBENCH_DEBUG shows settings and values with every error", "set WORKBENCH_DEBUG=0")
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    if not settings.HTTPS and host not in LOOPBACK:
        return Finding(
            "warn", f"{settings.PUBLIC_URL} is not encrypted", "serve it by https:// and set WORKBENCH_PUBLIC_URL"
        )
    return Finding("ok", settings.PUBLIC_URL)


def default_database() -> Finding:
    """Return whether the database of users and queue answers and has its tables."""
    connection = connections["default"]
    connection.ensure_connection()
    where = connection.settings_dict["HOST"] or connection.settings_dict["NAME"]
    return _migrated("default", f"{connection.display_name}, {where}")


def lakehouse() -> Finding:
    """Return whether the directory or warehouse answers and has its tables."""
    given = connections[LAKEHOUSE].settings_dict
    place = Path(given["NAME"])
    if given["OPTIONS"].get("engine", "local") == "local" and not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        if not place.exists():
            return Finding("FAIL", f"{place} does not exist", "run manage.py migrate --database lakehouse")
        return Finding(
            "FAIL", f"{place} may not be written", f"give the right to {place}, or set WORKBENCH_LAKEHOUSE_URL"
        )
    _try_once()
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute("SELECT 1")
    return _migrated(LAKEHOUSE, f"{given.get('HOST') or 'Delta tables'}, {place}")


def _try_once() -> None:
    """Let this thread's connection try once, so that a warehouse that does not answer is told with its reason."""
    given = connections.settings[LAKEHOUSE]
    options = {**given["OPTIONS"], "connector": {"_retry_stop_after_attempts_count": 1}}
    if options.get("engine") == "databricks":
        connections[LAKEHOUSE] = load_backend(given["ENGINE"]).DatabaseWrapper({**given, "OPTIONS": options}, LAKEHOUSE)


def _migrated(alias: str, found: str) -> Finding:
    executor = MigrationExecutor(connections[alias])
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if waiting:
        return Finding("FAIL", f"{found}: {waiting} migrations wait", f"run manage.py migrate --database {alias}")
    return Finding("ok", f"{found}: migrated")


def reading() -> Finding:
    """Return whether a table of the workbench can be read."""
    table = next(model._meta.db_table for model in apps.get_models() if model._meta.app_label in CONCEPT_APPS)
    quote = connections[LAKEHOUSE].ops.quote_name
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {quote(table)} LIMIT 1")  # noqa: S608 - a quoted name
    return Finding("ok", f"{table} was read; --write tries to write")


def writing() -> Finding:
    """Return whether a table can be made, written and read; it is dropped again."""
    table = connections[LAKEHOUSE].ops.quote_name(f"doctor_{secrets.token_hex(4)}")
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} (n INT) USING DELTA")
        try:
            cursor.execute(f"INSERT INTO {table} VALUES (1)")  # noqa: S608 - a quoted name
            cursor.execute(f"UPDATE {table} SET n = 2")  # noqa: S608
            cursor.execute(f"SELECT n FROM {table}")  # noqa: S608
            rows = cursor.fetchall()
        finally:
            cursor.execute(f"DROP TABLE {table}")
    if [tuple(row) for row in rows] != [(2,)]:
        return Finding(
            "FAIL", f"wrote one row with 2 and read {rows}", "report it: the lakehouse does not keep its word"
        )
    return Finding("ok", "a table was made, written, read and dropped")


def worker() -> Finding:
    """Return whether a worker of this machine lives, and whether tasks wait for one."""
    waiting = OrmQ.objects.filter(lock__lte=timezone.now()).order_by("lock")
    count, oldest = waiting.count(), waiting.first()
    if clusters := Stat.get_all():
        processes = sum(len(cluster.workers) for cluster in clusters)
        return Finding("ok", f"{processes} processes, {count} tasks wait")
    found = f"no worker lives on this machine, {count} tasks wait"
    seconds = (timezone.now() - oldest.lock).total_seconds() if oldest else 0
    if seconds > LONGEST_WAIT:
        return Finding("FAIL", f"{found}, the oldest for {seconds:.0f} s", "run manage.py worker")
    return Finding("warn", found, "run manage.py worker")
