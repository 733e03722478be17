"""Where things lie: `DIR/CATALOG/SCHEMA/TABLE`, `DIR/Volumes/CATALOG/SCHEMA/VOLUME`, our own files in `DIR/.catalog`."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import errors
from .names import TableName, checked, unknown

INFORMATION_SCHEMA = "information_schema"
SYSTEM = "system"


class Layout:
    """The directory of one lakehouse."""

    def __init__(self, directory: str | Path) -> None:
        self.root = Path(directory).absolute()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for part in ("locks", "templates", "spill"):
                (self.root / ".catalog" / part).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise errors.OperationalError(
                f"The lakehouse directory {self.root} cannot be written: {error.strerror}. "
                "Give a directory this user may write, or change its rights."
            ) from error
        self.root = self.root.resolve()

    @property
    def private(self) -> Path:
        return self.root / ".catalog"

    def table(self, name: TableName) -> Path:
        return self.place(*name.parts)

    def place(self, *names: str) -> Path:
        """The directory of a catalog, schema or table, however another tool has spelled it; ProgrammingError for two."""
        return _spelled(self.root, *names)

    def volume(self, catalog: str, schema: str, volume: str) -> Path:
        return self.root / "Volumes" / catalog / schema / volume

    def catalogs(self) -> list[str]:
        return _names(name for name in _directories(self.root) if name != "Volumes")

    def schemas(self, catalog: str) -> list[str]:
        return _names(_directories(self.place(catalog)))

    def tables(self, catalog: str, schema: str) -> list[str]:
        base = self.place(catalog, schema)
        return _names(name for name in _directories(base) if (base / name / "_delta_log").is_dir())

    def volumes(self, catalog: str, schema: str) -> list[str]:
        return _directories(self.root / "Volumes" / catalog / schema)

    def every_schema(self, catalog: str | None = None) -> Iterator[tuple[str, str]]:
        for name in [catalog] if catalog else self.catalogs():
            yield from ((name, schema) for schema in self.schemas(name))

    def need_catalog(self, catalog: str) -> str:
        if catalog.lower() not in self.catalogs():
            raise unknown("catalog", catalog, self.catalogs())
        return catalog.lower()

    def need_schema(self, catalog: str, schema: str) -> tuple[str, str]:
        catalog = self.need_catalog(catalog)
        if schema.lower() not in self.schemas(catalog):
            raise unknown("schema", f"{catalog}.{schema}", [f"{catalog}.{s}" for s in self.schemas(catalog)])
        return catalog, schema.lower()

    def need_table(self, name: TableName) -> TableName:
        self.need_schema(name.catalog, name.schema)
        if name.table not in self.tables(name.catalog, name.schema):
            raise self.unknown_table(name)
        return name

    def unknown_table(self, name: TableName) -> errors.ProgrammingError:
        """The error for a table that is not there: names every table of its schema that is near."""
        self.need_schema(name.catalog, name.schema)
        known = [str(TableName(name.catalog, name.schema, t)) for t in self.tables(name.catalog, name.schema)]
        return unknown("table_or_view", str(name), known)

    def need_alone(self, name: TableName) -> None:
        """ProgrammingError where another table's name differs by case only, and would be taken for this one."""
        _alone(self.table(name).parent, name.table)

    def need_volume(self, catalog: str, schema: str, volume: str) -> tuple[str, str, str]:
        known = self.volumes(catalog.lower(), schema.lower())
        if volume.lower() not in known:
            raise unknown("volume", f"{catalog}.{schema}.{volume}", [f"{catalog}.{schema}.{v}" for v in known])
        return catalog.lower(), schema.lower(), volume.lower()


def _directories(base: Path) -> list[str]:
    try:
        with os.scandir(base) as entries:
            return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    except OSError:
        return []


def _names(directories: Iterable[str]) -> list[str]:
    return sorted({name.lower() for name in directories})


def _spelled(base: Path, *names: str) -> Path:
    """The directory below `base` whose names are these without case; those that are not there stay as given."""
    exact = base.joinpath(*names)
    if exact.is_dir():
        return exact
    for name in names:
        base = base / name if (base / name).is_dir() else base / _alone(base, name)
    return base


def _alone(base: Path, name: str) -> str:
    """How the one directory of that name is spelled, the name itself where there is none."""
    found = [each for each in _directories(base) if each.lower() == name.lower()]
    if len(found) > 1:
        raise errors.ProgrammingError(
            f"Found {' and '.join(found)} in {base}, names that differ by case only; rename one of the directories."
        )
    return found[0] if found else name


def remove(path: Path) -> None:
    """Out of sight in one step, then away: nobody sees half of it."""
    if not path.exists():
        return
    hidden = path.with_name(f".dropped.{uuid.uuid4().hex}")
    try:
        path.rename(hidden)
    except OSError as error:
        raise errors.from_engine(error) from error
    shutil.rmtree(hidden, ignore_errors=True)


def table_name(parts: tuple[str, ...] | list[str], catalog: str, schema: str) -> TableName:
    """The full lower-case name for one to three parts."""
    if not 1 <= len(parts) <= 3:
        raise errors.ProgrammingError(f"Found the name {'.'.join(parts)}; a table has one to three parts.")
    full = [catalog, schema][: 3 - len(parts)] + list(parts)
    return TableName(*(checked(part, kind) for part, kind in zip(full, ("catalog", "schema", "table"), strict=True)))
