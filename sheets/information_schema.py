"""The catalog of the local lakehouse, by SQL on its information_schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError, connections
from django.db.utils import ProgrammingError

from sheets.names import TableName, quote
from sheets.tagged import Place, Tagged
from workbench.problems import Invalid, NotFound
from workbench.router import LAKEHOUSE

Row = dict[str, Any]
NAMED = ("catalog_name", "schema_name")
TAG_VIEWS = {
    "catalog": NAMED[:1],
    "schema": NAMED,
    "table": (*NAMED, "table_name"),
    "volume": (*NAMED, "volume_name"),
    "column": (*NAMED, "table_name", "column_name"),
}


def rows(sql: str, params: Sequence[Any] = ()) -> list[Row]:
    """Return the rows of one SELECT in Databricks SQL with `%s` markers, as dicts by column."""
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(sql, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def catalogs() -> list[Row]:
    return rows("SELECT catalog_name AS name, comment FROM system.information_schema.catalogs ORDER BY catalog_name")


def schemas(catalog: str) -> list[Row]:
    return _of(catalog, "schemata", "schema_name AS name, comment", "schema_name", catalog_name=catalog)


def tables(catalog: str, schema: str) -> list[Row]:
    where = {"table_catalog": catalog, "table_schema": schema}
    return _of(catalog, "tables", "table_name AS name, comment", "table_name", **where)


def volumes(catalog: str, schema: str) -> list[Row]:
    where = {"volume_catalog": catalog, "volume_schema": schema}
    return _of(catalog, "volumes", "volume_name AS name, comment", "volume_name", **where)


def table(name: TableName) -> Row:
    found = columns(name)
    (row,) = _of(name.catalog, "tables", "comment", "table_name", **_where(name))
    return row | {"columns": found}


def columns(name: TableName) -> list[Row]:
    wanted = "column_name AS name, full_data_type AS type, is_nullable, comment"
    found = _of(name.catalog, "columns", wanted, "ordinal_position", **_where(name))
    if not found:
        for refused in _of(name.catalog, "tables", "comment", "table_name", **_where(name), is_insertable_into="NO"):
            raise Invalid(refused["comment"])
        raise NotFound(f"There is no table {str(name)!r}.")
    return [row | {"nullable": row.pop("is_nullable") == "YES"} for row in found]


def tags(places: Sequence[Place]) -> list[Tagged]:
    """Return the tags of the places in their order, by one statement."""
    if not places:
        return []
    wanted = sorted({place.parts[0] for place in places})
    marks = ", ".join(["%s"] * len(wanted))
    levels = sorted({place.level for place in places})
    selects = [_tag_select(level, marks) for level in levels]
    try:
        found = rows(" UNION ALL ".join(selects) + " ORDER BY tag_name", wanted * len(levels))
    except DatabaseError as error:
        return [Tagged(place.level, place.name, problem=str(error)) for place in places]
    by_place: dict[tuple[str, ...], dict[str, str]] = {}
    for row in found:
        parts = (row["level"], row["p1"], row["p2"], row["p3"], row["p4"])
        key = tuple(part.casefold() for part in parts if part is not None)
        by_place.setdefault(key, {})[row["tag_name"]] = row["tag_value"]
    return [Tagged(place.level, place.name, by_place.get(_key(place), {})) for place in places]


def _key(place: Place) -> tuple[str, ...]:
    """The place as Databricks compares names, without case."""
    return (place.level, *(part.casefold() for part in place.parts))


def _tag_select(level: str, marks: str) -> str:
    named = [*TAG_VIEWS[level], *["CAST(NULL AS STRING)"] * 4][:4]
    chosen = ", ".join(f"{column} AS p{number}" for number, column in enumerate(named, 1))
    return (
        f"SELECT '{level}' AS level, {chosen}, tag_name, tag_value FROM system.information_schema.{level}_tags"  # noqa: S608
        f" WHERE catalog_name IN ({marks})"
    )


def _where(name: TableName) -> dict[str, str]:
    return {"table_catalog": name.catalog, "table_schema": name.schema, "table_name": name.table}


def _of(catalog: str, view: str, wanted: str, order: str, **where: str) -> list[Row]:
    """Return rows of one view; NotFound for a catalog that does not exist, nothing for what is missing in it."""
    views = f"{quote(catalog)}.information_schema".replace("%", "%%")
    conditions = " AND ".join(f"{column} = %s" for column in where)
    sql = f"SELECT {wanted} FROM {views}.{view} WHERE {conditions} ORDER BY {order}"  # noqa: S608 - quoted, fixed words
    try:
        return rows(sql, [*where.values()])
    except ProgrammingError as error:
        raise NotFound(f"The catalog {catalog!r} cannot be read: {error}") from error
