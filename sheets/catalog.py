"""What the lakehouse holds: catalogs, schemas, tables and volumes with types, comments and tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from django.db import connections

from sheets import information_schema, unity_catalog
from sheets.data_files import data_files_needed
from sheets.information_schema import rows
from sheets.models import Sheet
from sheets.names import TableName
from sheets.own import own_schema, refuse_own
from sheets.tagged import Place, Tagged
from sheets.wide_rows import within_memory
from workbench.near import listed, near_misses
from workbench.problems import Invalid, NotFound
from workbench.router import LAKEHOUSE

LARGEST_PREVIEW = 50
# Names that are the system's, not somebody's data.
SYSTEM, INFORMATION_SCHEMA = "system", "information_schema"
Row = dict[str, Any]
Read = TypeVar("Read")


class Browser(Protocol):
    """Where the catalog is read: rows of `name` and `comment`, names in lower case; NotFound for what is missing."""

    def catalogs(self) -> list[Row]: ...
    def schemas(self, catalog: str) -> list[Row]: ...
    def tables(self, catalog: str, schema: str) -> list[Row]: ...
    def volumes(self, catalog: str, schema: str) -> list[Row]: ...

    def table(self, name: TableName) -> Row:
        """Return `comment` and `columns`."""

    def columns(self, name: TableName) -> list[Row]:
        """Return `name`, `type`, `nullable` and `comment` of each column, in order."""

    def tags(self, places: Sequence[Place]) -> list[Tagged]:
        """Return the tags of the places in their order, or for each why they could not be read; raises no error."""


BROWSERS: Mapping[str, Browser] = {"local": information_schema, "databricks": unity_catalog}


def browser() -> Browser:
    """Return the browser of the lakehouse's engine."""
    kind = connections[LAKEHOUSE].settings_dict["OPTIONS"].get("engine", "local")
    if kind not in BROWSERS:
        raise Invalid(f"The catalog of the engine {kind!r} cannot be browsed: known are {listed(BROWSERS)}.")
    return BROWSERS[kind]


def catalogs() -> list[Row]:
    """Return every catalog: name, comment, tags, tags_problem (why its tags could not be read, else empty)."""
    return _with_tags("catalog", _catalogs())


def schemas(catalog: str) -> list[Row]:
    """Return the schemas of a catalog but the workbench's own: name, comment, tags, tags_problem.

    NotFound with the near misses.
    """
    return _with_tags("schema", _schemas(catalog), catalog.lower())


def tables(catalog: str, schema: str) -> list[Row]:
    """Return the tables of a schema: name, full name, comment, tags, tags_problem.

    NotFound with the near misses, Forbidden for the workbench's own schema, as everywhere here.
    """
    refuse_own(catalog, schema)
    above = (catalog.lower(), schema.lower())
    found = _found(lambda: browser().tables(*above), lambda: need_schema(*above))
    full = ".".join(above)
    return [row | {"full_name": f"{full}.{row['name']}"} for row in _with_tags("table", found, *above)]


def volumes(catalog: str, schema: str) -> list[Row]:
    """Return the volumes of a schema: name, path, comment, tags, tags_problem; NotFound with the near misses."""
    refuse_own(catalog, schema)
    above = (catalog.lower(), schema.lower())
    found = _found(lambda: browser().volumes(*above), lambda: need_schema(*above))
    base = "/Volumes/" + "/".join(above)
    return [row | {"path": f"{base}/{row['name']}"} for row in _with_tags("volume", found, *above)]


def table(name: TableName) -> Row:
    """Return one table: full name, comment, tags, and its columns with types, comments and tags; NotFound as above."""
    refuse_own(name.catalog, name.schema)
    above = (name.catalog, name.schema, name.table)
    found = _needed(name, lambda: browser().table(name))
    tagged = _tags([Place("table", above), *(Place("column", (*above, each["name"])) for each in found["columns"])])
    columns = [column | tags for column, tags in zip(found["columns"], tagged[1:], strict=True)]
    return {"name": name.table, "full_name": str(name), "comment": found["comment"], **tagged[0], "columns": columns}


def preview(name: TableName, limit: int = LARGEST_PREVIEW) -> list[Row]:
    """Return up to `limit` rows of a table (at most 50), in no particular order; NotFound as above.

    Conflict where a data file of it is gone.
    """
    describe(name)
    sql = f"SELECT * FROM {name.sql} LIMIT {min(limit, LARGEST_PREVIEW)}".replace("%", "%%")  # noqa: S608
    with within_memory(), data_files_needed():
        return rows(sql)


def describe(name: TableName) -> list[Row]:
    """Return the columns of a table in order: name, type (Databricks SQL), nullable, comment.

    NotFound names the level that does not exist, and the near misses.
    """
    refuse_own(name.catalog, name.schema)
    return _needed(name, lambda: browser().columns(name))


def need_catalog(catalog: str) -> None:
    """NotFound, with the near misses, for a catalog that does not exist."""
    known = [row["name"] for row in _catalogs()]
    if catalog.lower() not in known:
        words = f"There is no catalog {catalog!r}.{near_misses(catalog, known)} Catalogs: {listed(known)}."
        raise NotFound(words)


def need_schema(catalog: str, schema: str) -> None:
    """NotFound, with the near misses, for a catalog or schema that does not exist."""
    refuse_own(catalog, schema)
    known = [row["name"] for row in _schemas(catalog)]
    if schema.lower() not in known:
        near = near_misses(schema, known)
        raise NotFound(f"There is no schema {schema!r} in catalog {catalog!r}.{near} Schemas: {listed(known)}.")


def _catalogs() -> list[Row]:
    return [row for row in browser().catalogs() if row["name"] != SYSTEM]


def _schemas(catalog: str) -> list[Row]:
    found = _found(lambda: browser().schemas(catalog.lower()), lambda: need_catalog(catalog))
    return [
        row for row in found if row["name"] != INFORMATION_SCHEMA and (catalog.lower(), row["name"]) != own_schema()
    ]


def _found(read: Callable[[], list[Row]], need: Callable[[], None]) -> list[Row]:
    """Return what is read; where that is nothing, `need` says first what does not exist."""
    try:
        found = read()
    except NotFound:
        need()
        raise
    if not found:
        need()
    return found


def _needed(name: TableName, read: Callable[[], Read]) -> Read:
    try:
        return read()
    except NotFound as problem:
        raise _missing_table(name) from problem


def _missing_table(name: TableName) -> NotFound | Invalid:
    above = (name.catalog, name.schema)
    try:
        found = _found(lambda: browser().tables(*above), lambda: need_schema(*above))
    except NotFound as problem:
        return NotFound(f"There is no table {str(name)!r}: {problem.message}")
    known = [f"{name.catalog}.{name.schema}.{row['name']}" for row in found]
    if str(name) in known:
        return Invalid(f"The table {str(name)!r} has no columns: choose one with columns.")
    known = Sheet.objects.openly(known)
    near = near_misses(str(name), known)
    return NotFound(f"There is no table {str(name)!r}.{near} Tables there: {listed(known)}.")


def _with_tags(level: str, found: list[Row], *above: str) -> list[Row]:
    tagged = _tags([Place(level, (*above, row["name"])) for row in found])
    return [row | tags for row, tags in zip(found, tagged, strict=True)]


def _tags(places: Sequence[Place]) -> list[Row]:
    return [{"tags": dict(each.tags), "tags_problem": each.problem} for each in browser().tags(places)]
