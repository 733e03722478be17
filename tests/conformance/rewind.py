"""Test isolation by Delta's log: after a test each table goes back to the version that it had before.

Django's `TestCase` rolls a transaction back, or flushes every table where there is none. A flush also loads the test
data anew for each test, four fifths of all statements. Here the commits made since are taken out of the log instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.db import connections
from django.test import TestCase
from django.test.runner import DiscoverRunner

from workbench.lakehouse.engines.local.names import TableName

Versions = dict[Path, int]


class Runner(DiscoverRunner):
    """Runs tests that find the rows of `setUpTestData` and nothing of each other."""

    def setup_test_environment(self, **kwargs: Any) -> None:
        super().setup_test_environment(**kwargs)
        rewinding = cast(Any, TestCase)
        rewinding._databases_support_transactions = rewinding._databases_support_savepoints = classmethod(_yes)
        rewinding._enter_atomics, rewinding._rollback_atomics = classmethod(_enter), classmethod(_leave)


def _yes(cls: type[TestCase]) -> bool:
    return True


def _enter(cls: Any) -> dict[str, Versions]:
    return {alias: versions(_schema(alias)) for alias in cls._databases_names()}


def _leave(cls: Any, before: dict[str, Versions]) -> None:
    for alias, wanted in before.items():
        changed = rewind(_schema(alias), wanted)
        for connection in _local_connections(alias):
            for table in changed:
                connection.engine.forget(TableName(*table.parts[-3:]))


def _schema(alias: str) -> Path:
    """Where the tables of an alias lie, on the local engine or behind its loopback warehouse."""
    entry, warehouse = connections[alias].settings_dict, _warehouse(alias)
    directory = warehouse.directory if warehouse else entry["NAME"]
    return Path(directory, entry["OPTIONS"]["catalog"], entry["OPTIONS"]["schema"])


def _local_connections(alias: str) -> list[Any]:
    """The local engine's connections, which keep the newest state of a table in memory."""
    if warehouse := _warehouse(alias):
        return [session.connection for session in warehouse.sessions.values()]
    return [connections[alias].connection] if connections[alias].connection else []


def _warehouse(alias: str) -> Any:
    return getattr(settings, "WAREHOUSES", {}).get(alias)


def versions(schema: Path) -> Versions:
    """Return the newest version of each table of a schema."""
    return {log.parent: max(map(_version, _commits(log)), default=-1) for log in schema.glob("*/_delta_log")}


def rewind(schema: Path, wanted: Versions) -> list[Path]:
    """Take every commit above the wanted version out of the tables' logs, and return the tables that had some."""
    changed = []
    for table, version in wanted.items():
        if surplus := [file for file in _commits(table / "_delta_log") if _version(file) > version]:
            changed.append(table)
            # It may point at a checkpoint that goes; without it a reader looks for one itself.
            (table / "_delta_log" / "_last_checkpoint").unlink(missing_ok=True)
        for file in surplus:
            file.unlink()
    return changed


def _commits(log: Path) -> Iterator[Path]:
    """Yield the log's commits and checkpoints; both begin with their version."""
    return log.glob("[0-9]*")


def _version(file: Path) -> int:
    return int(file.name.split(".")[0])
