"""Turns the two database URLs into Django's DATABASES entries."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from workbench.env import masked

Database = dict[str, Any]

DEFAULT_CATALOG, DEFAULT_SCHEMA = "mirion_vital", "workbench"


# Longer than any statement on Django's own tables, and shorter than the 120 s that a request may take.
STATEMENT_MS = 60_000
LOOPBACK = ("127.0.0.1", "localhost", "::1")
ENCRYPTED = ("require", "verify-ca", "verify-full")
ENDPOINT = re.compile(r"projects/[^/]+/branches/[^/]+/endpoints/[^/]+")
WAREHOUSE = re.compile(r"/sql/1\.0/(warehouses|endpoints)/[\w-]+")
MEMORY = re.compile(r"[1-9]\d{0,5}(MB|GB)", re.IGNORECASE)
NAME = re.compile(r"[\w-]{1,200}")
RESERVED = ("information_schema", "system", "volumes")
VOLUME = re.compile(r"([\w-]+\.){2}[\w-]+")


def lakehouse(url: str) -> Database:
    """Return the entry for the alias `lakehouse`, from a directory of Delta tables or a SQL warehouse.

    `delta:///DIR` or `databricks://HOST/sql/1.0/warehouses/ID`, each with `?catalog=C&schema=S` or the defaults; a
    directory also with `&memory=4GB`, which a statement may take, and a warehouse with `&volume=C.S.V`, through which
    large writes go, or `staging` beside the tables. Raises ImproperlyConfigured for a relative directory, an unknown or
    wrong option, what cannot be a name, a path that is no warehouse's, or a password.
    """
    parts = urlsplit(url)
    more = ("volume",) if parts.scheme == "databricks" else ("memory",)
    options = _options(parts, "WORKBENCH_LAKEHOUSE_URL", allowed=("catalog", "schema", *more))
    # Unity Catalog and the local lakehouse keep names in lower case.
    names = {"catalog": DEFAULT_CATALOG, "schema": DEFAULT_SCHEMA} | {
        name: text.lower() for name, text in options.items()
    }
    for level in ("catalog", "schema"):
        _expect_name(level, names[level])
    # A statement is one Delta commit and `atomic()` gives no rollback, so a request is never wrapped in one.
    return {"ENGINE": "workbench.lakehouse", "ATOMIC_REQUESTS": False} | LAKEHOUSE_KINDS[parts.scheme](parts, names)


def _expect_name(level: str, name: str) -> None:
    if not NAME.fullmatch(name) or name in RESERVED:
        raise ImproperlyConfigured(
            f"WORKBENCH_LAKEHOUSE_URL has {level}={name!r}, which cannot be a name: use letters, digits, _ and -, and none of "
            f"{', '.join(RESERVED)}."
        )


def _delta(parts: SplitResult, names: Database) -> Database:
    directory = unquote(parts.path)
    if parts.netloc or not directory.startswith("/") or directory == "/":
        raise ImproperlyConfigured(
            f"WORKBENCH_LAKEHOUSE_URL={masked(parts)!r} names no absolute directory: use delta:///DIR with three slashes."
        )
    if not MEMORY.fullmatch(names.get("memory", "1GB")):
        raise ImproperlyConfigured(
            f"WORKBENCH_LAKEHOUSE_URL has memory={names['memory']!r}: use a number with MB or GB, such as memory=4GB."
        )
    # A connection holds an engine and its snapshots, which cost 20 ms to make: keep one for each thread.
    return {"NAME": directory, "OPTIONS": names, "CONN_MAX_AGE": None}


def _databricks(parts: SplitResult, names: Database) -> Database:
    if parts.username or parts.password:
        raise ImproperlyConfigured(
            f"WORKBENCH_LAKEHOUSE_URL={masked(parts)!r} holds a secret: leave it out of the URL and set DATABRICKS_TOKEN, or "
            "DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET."
        )
    if not parts.hostname or not WAREHOUSE.fullmatch(parts.path):
        raise ImproperlyConfigured(
            f"WORKBENCH_LAKEHOUSE_URL={masked(parts)!r} names no SQL warehouse: use "
            "databricks://HOST/sql/1.0/warehouses/ID, as the warehouse's connection details show it."
        )
    volume = names.get("volume") or f"{names['catalog']}.{names['schema']}.staging"
    if not VOLUME.fullmatch(volume):
        raise ImproperlyConfigured(
            f"WORKBENCH_LAKEHOUSE_URL={masked(parts)!r} names no volume by {volume!r}: use volume=CATALOG.SCHEMA.VOLUME."
        )
    return {
        "NAME": parts.path,
        "HOST": parts.hostname,
        "PORT": str(parts.port or ""),
        "OPTIONS": {"engine": "databricks", **names, "volume": volume},
        # A warehouse forgets a session that was idle for half an hour; a connection is replaced before.
        "CONN_MAX_AGE": 600,
    }


LAKEHOUSE_KINDS: dict[str, Callable[[SplitResult, Database], Database]] = {"delta": _delta, "databricks": _databricks}


def default(url: str) -> Database:
    """Return the entry for Django's own tables, from one of three URLs.

    `sqlite:///FILE`, `postgresql://USER:PASSWORD@HOST:PORT/NAME`, or `lakebase://USER@HOST:PORT/NAME?endpoint=…`, whose
    passwords are asked for. Raises ImproperlyConfigured for what is missing, unknown or unsafe.
    """
    parts = urlsplit(url)
    return DEFAULT_KINDS[parts.scheme](parts)


def _sqlite(parts: SplitResult) -> Database:
    file = Path(unquote(parts.path))
    if parts.netloc or parts.query or not file.is_absolute() or file.is_dir() or not file.parent.is_dir():
        raise ImproperlyConfigured(
            f"WORKBENCH_DATABASE_URL={masked(parts)!r} names no file in a directory that is there: use sqlite:///FILE with "
            "three slashes, and make its directory first."
        )
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": file,
        # Kept for each thread: where the last one is closed, SQLite empties its write-ahead log, with a wait for the disk.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # IMMEDIATE: two writers queue for `timeout` seconds instead of failing when they upgrade a read lock.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: a reviewer is told "Saved" at the commit, and with NORMAL a loss of power takes back the latest ones.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }


def _postgresql(parts: SplitResult, more: tuple[str, ...] = ()) -> Database:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": {
            "connect_timeout": 15,
            "options": f"-c statement_timeout={STATEMENT_MS}",
            **_options(parts, "WORKBENCH_DATABASE_URL", allowed=("sslmode", "sslrootcert", *more)),
        },
        # Less than the hour for which a token of Lakebase lives.
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


def _lakebase(parts: SplitResult) -> Database:
    if parts.password:
        raise ImproperlyConfigured(
            f"WORKBENCH_DATABASE_URL={masked(parts)!r} holds a password: leave it out, a token is asked for at each connection."
        )
    entry = _postgresql(parts, more=("endpoint",)) | {"ENGINE": "workbench.lakebase"}
    options = entry["OPTIONS"]
    if not (entry["HOST"] and entry["USER"] and entry["NAME"] and ENDPOINT.fullmatch(options.get("endpoint", ""))):
        raise ImproperlyConfigured(
            f"WORKBENCH_DATABASE_URL={masked(parts)!r} names no Lakebase database: use "
            "lakebase://USER@HOST/NAME?endpoint=projects/P/branches/B/endpoints/E."
        )
    if entry["HOST"] not in LOOPBACK and options.setdefault("sslmode", "require") not in ENCRYPTED:
        raise ImproperlyConfigured(
            f"WORKBENCH_DATABASE_URL has sslmode={options['sslmode']!r}, which would send the token in the clear: use "
            f"{', '.join(ENCRYPTED)}."
        )
    return entry


DEFAULT_KINDS: dict[str, Callable[[SplitResult], Database]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "lakebase": _lakebase,
}


def _options(parts: SplitResult, variable: str, *, allowed: tuple[str, ...]) -> dict[str, str]:
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        raise ImproperlyConfigured(f"{variable} has unknown options {', '.join(unknown)}: use {', '.join(allowed)}.")
    return options
