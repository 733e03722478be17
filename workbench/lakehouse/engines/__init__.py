"""The engines that run the backend's Databricks SQL: each is one module, loaded when a connection names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol, cast

from django.core.exceptions import ImproperlyConfigured

from workbench.lakehouse.rows import Rows


class Engine(Protocol):
    """What a module of `ENGINES` has, beside the names of `pep249`."""

    def options(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return what `connect` takes, from an entry of DATABASES; ImproperlyConfigured where something is missing."""

    def connect(self, **options: Any) -> Any:
        """Return a connection whose cursors take `?` markers."""

    def prepare(self, connection: Any, catalog: str, schema: str) -> None:
        """Do what a new connection needs before its first statement."""

    def bound(self, value: Any) -> tuple[str, Any]:
        """Return the marker that stands in the statement for the value, and the parameter to send."""

    def fits(self, values: Sequence[Any]) -> bool:
        """Say whether the values can travel as parameters; else they are written into the statement as literals."""

    def insert(self, connection: Any, sql: str, rows: Rows) -> int:
        """Write the rows, as the statement with its one marker says, and return how many were written."""


ENGINES = {
    "local": "workbench.lakehouse.engines.local",
    "databricks": "workbench.lakehouse.engines.databricks",
}


def engine(name: str) -> Engine:
    """Return the engine's module; ImproperlyConfigured for a name that is not in `ENGINES`."""
    if name not in ENGINES:
        raise ImproperlyConfigured(f"The lakehouse engine {name!r} is not known: use {' or '.join(ENGINES)}.")
    return cast(Engine, import_module(ENGINES[name]))
