"""Turns the two database URLs into Django's DATABASES entries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from workbench.env import masked

Database = dict[str, Any]

DEFAULT_CATALOG, DEFAULT_SCHEMA = "mirion_vital", "workbench"


def lakehouse(url: str) -> Database:
    """Return the entry for the alias `lakehouse` from `delta:///DIR[?catalog=C&schema=S]`.

    Raises ImproperlyConfigured for a relative directory or an unknown option.
    """
    parts = urlsplit(url)
    options = _options(parts, "WORKBENCH_LAKEHOUSE_URL", allowed=("catalog", "schema"))
    directory = unquote(parts.path)
    if parts.netloc or not directory.startswith("/") or directory == "/":
        raise ImproperlyConfigured(
            f"WORKBENCH_LAKEHOUSE_URL={masked(parts)!r} names no absolute directory: use delta:///DIR with three slashes."
        )
    return {
        "ENGINE": "workbench.lakehouse",
        "NAME": directory,
        "OPTIONS": {
            "catalog": options.get("catalog", DEFAULT_CATALOG),
            "schema": options.get("schema", DEFAULT_SCHEMA),
        },
        # A statement is one Delta commit and `atomic()` gives no rollback, so a request is never wrapped in one.
        "ATOMIC_REQUESTS": False,
        # A connection holds an engine and its snapshots, which cost 20 ms to make: keep one for each thread.
        "CONN_MAX_AGE": None,
    }


def default(url: str) -> Database:
    """Return the entry for Django's own tables from `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST:PORT/NAME`."""
    parts = urlsplit(url)
    return DEFAULT_KINDS[parts.scheme](parts)


def _sqlite(parts: SplitResult) -> Database:
    file = Path(unquote(parts.path))
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": file,
        "OPTIONS": {
            # IMMEDIATE: two writers queue for `timeout` seconds instead of failing when they upgrade a read lock.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def _postgresql(parts: SplitResult) -> Database:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": _options(parts, "WORKBENCH_DATABASE_URL", allowed=("sslmode",)),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


DEFAULT_KINDS: dict[str, Callable[[SplitResult], Database]] = {"sqlite": _sqlite, "postgresql": _postgresql}


def _options(parts: SplitResult, variable: str, *, allowed: tuple[str, ...]) -> dict[str, str]:
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        raise ImproperlyConfigured(f"{variable} has unknown options {', '.join(unknown)}: use {', '.join(allowed)}.")
    return options
