"""What the lakehouse holds: catalogs, schemas, tables and volumes with types, comments and tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections
from django.db.utils import ProgrammingError

from sheets.names import TableName, quote
from workbench.near import listed, near_misses
from workbench.problems import Invalid, NotFound
from workbench.router import LAKEHOUSE

LARGEST_PREVIEW = 50
Row = dict[str, Any]
Tags = dict[str, str]


def rows(sql: str, params: Sequence[Any] = ()) -> list[Row]:
    """Return the rows of one SELECT in Databricks SQL with `%s` markers, as dicts by column."""
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(sql, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def catalogs() -> list[Row]:
    """Return every catalog: name, comment, tags."""
    found = rows("SELECT catalog_name AS name, comment FROM system.information_schema.catalogs ORDER BY catalog_name")
    found = [row for row in found if row["name"] != "system"]
    tags = _tags("system", "catalog_tags", "catalog_name")
    return [row | {"tags": tags.get(row["name"], {})} for row in found]


def schemas(catalog: str) -> list[Row]:
    """Return the schemas of a catalog: name, comment, tags; NotFound with the near misses."""
    need_catalog(catalog)
    found = rows(
        f"SELECT schema_name AS name, comment FROM {_views(catalog)}.schemata"  # noqa: S608 - a quoted name
        " WHERE catalog_name = %s AND schema_name <> 'information_schema' ORDER BY schema_name",
        [catalog.lower()],
    )
    tags = _tags(catalog, "schema_tags", "schema_name", catalog_name=catalog.lower())
    return [row | {"tags": tags.get(row["name"], {})} for row in found]


def tables(catalog: str, schema: str) -> list[Row]:
    """Return the tables of a schema: name, full name, comment, tags; NotFound with the near misses."""
    need_schema(catalog, schema)
    found = rows(
        f"SELECT table_name AS name, comment FROM {_views(catalog)}.tables"  # noqa: S608 - a quoted name
        " WHERE table_catalog = %s AND table_schema = %s ORDER BY table_name",
        [catalog.lower(), schema.lower()],
    )
    tags = _tags(catalog, "table_tags", "table_name", catalog_name=catalog.lower(), schema_name=schema.lower())
    full = f"{catalog}.{schema}.".lower()
    return [row | {"full_name": full + row["name"], "tags": tags.get(row["name"], {})} for row in found]


def volumes(catalog: str, schema: str) -> list[Row]:
    """Return the volumes of a schema: name, path, comment, tags; NotFound with the near misses."""
    need_schema(catalog, schema)
    found = rows(
        f"SELECT volume_name AS name, comment FROM {_views(catalog)}.volumes"  # noqa: S608 - a quoted name
        " WHERE volume_catalog = %s AND volume_schema = %s ORDER BY volume_name",
        [catalog.lower(), schema.lower()],
    )
    tags = _tags(catalog, "volume_tags", "volume_name", catalog_name=catalog.lower(), schema_name=schema.lower())
    base = f"/Volumes/{catalog.lower()}/{schema.lower()}/"
    return [row | {"path": base + row["name"], "tags": tags.get(row["name"], {})} for row in found]


def table(name: TableName) -> Row:
    """Return one table: full name, comment, tags, and its columns with types, comments and tags; NotFound as above."""
    where = {"catalog_name": name.catalog, "schema_name": name.schema, "table_name": name.table}
    columns = describe(name)
    (comment,) = rows(
        f"SELECT comment FROM {_views(name.catalog)}.tables"  # noqa: S608 - a quoted name
        " WHERE table_catalog = %s AND table_schema = %s AND table_name = %s",
        [*where.values()],
    )
    tags = _tags(name.catalog, "table_tags", "table_name", **where)
    column_tags = _tags(name.catalog, "column_tags", "column_name", **where)
    return {
        "name": name.table,
        "full_name": str(name),
        "comment": comment["comment"],
        "tags": tags.get(name.table, {}),
        "columns": [column | {"tags": column_tags.get(column["name"], {})} for column in columns],
    }


def preview(name: TableName, limit: int = LARGEST_PREVIEW) -> list[Row]:
    """Return up to `limit` rows of a table (at most 50), in no particular order; NotFound as above."""
    describe(name)
    return rows(f"SELECT * FROM {name.sql} LIMIT {min(limit, LARGEST_PREVIEW)}".replace("%", "%%"))  # noqa: S608


def describe(name: TableName) -> list[Row]:
    """Return the columns of a table in order: name, type (Databricks SQL), nullable, comment.

    NotFound names the level that does not exist, and the near misses.
    """
    sql = f"""
        SELECT column_name AS name, full_data_type AS type, is_nullable, comment FROM {_views(name.catalog)}.columns
        WHERE table_catalog = %s AND table_schema = %s AND table_name = %s ORDER BY ordinal_position
    """  # noqa: S608 - a quoted name
    try:
        found = rows(sql, [name.catalog, name.schema, name.table])
    except ProgrammingError:
        need_catalog(name.catalog)
        raise
    if not found:
        raise _missing_table(name)
    return [row | {"nullable": row.pop("is_nullable") == "YES"} for row in found]


def need_catalog(catalog: str) -> None:
    """NotFound, with the near misses, for a catalog that does not exist."""
    known = [row["name"] for row in catalogs()]
    if catalog.lower() not in known:
        words = f"There is no catalog {catalog!r}.{near_misses(catalog, known)} Catalogs: {listed(known)}."
        raise NotFound(words)


def need_schema(catalog: str, schema: str) -> None:
    """NotFound, with the near misses, for a catalog or schema that does not exist."""
    known = [row["name"] for row in schemas(catalog)]
    if schema.lower() not in known:
        near = near_misses(schema, known)
        raise NotFound(f"There is no schema {schema!r} in catalog {catalog!r}.{near} Schemas: {listed(known)}.")


def _missing_table(name: TableName) -> NotFound | Invalid:
    try:
        known = [row["full_name"] for row in tables(name.catalog, name.schema)]
    except NotFound as problem:
        return NotFound(f"There is no table {str(name)!r}: {problem.message}")
    if str(name) in known:
        return Invalid(f"The table {str(name)!r} has no columns: choose one with columns.")
    near = near_misses(str(name), known)
    return NotFound(f"There is no table {str(name)!r}.{near} Tables there: {listed(known)}.")


def _views(catalog: str) -> str:
    return f"{quote(catalog.lower())}.information_schema".replace("%", "%%")


def _tags(catalog: str, view: str, key: str, **where: str) -> dict[str, Tags]:
    """Return the tags in a tag view by the name in its column `key`."""
    sql = f"SELECT {key} AS name, tag_name, tag_value FROM {_views(catalog)}.{view}"  # noqa: S608 - fixed words
    if where:
        sql += " WHERE " + " AND ".join(f"{column} = %s" for column in where)
    found: dict[str, Tags] = {}
    for row in rows(sql + " ORDER BY tag_name", [*where.values()]):
        found.setdefault(row["name"], {})[row["tag_name"]] = row["tag_value"]
    return found
