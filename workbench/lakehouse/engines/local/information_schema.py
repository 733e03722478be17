"""information_schema: views over the lakehouse's directory, its tables' schemas and the metadata file.

Names and columns as in Unity Catalog; `system.information_schema` covers all catalogs. Each view is an Arrow table made
when a statement reads it, so the views join with each other and with tables in plain SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from . import errors
from .datatypes import to_sql
from .engine import Engine
from .layout import SYSTEM
from .metadata import Metadata
from .names import TableName, unknown
from .snapshot import Snapshot

Rows = Iterator[tuple[Any, ...]]
_SIMPLE = {"BIGINT": "LONG", "SMALLINT": "SHORT", "TINYINT": "BYTE"}
_TABLE = ("table_catalog", "table_schema", "table_name")
_CONSTRAINT = ("constraint_catalog", "constraint_schema", "constraint_name")


class Scope:
    """What one statement may look at: every catalog, or one.

    `wanted` are the texts that the statement compares columns with: the tables that it cannot mean are not opened.
    """

    def __init__(self, engine: Engine, metadata: Metadata, catalog: str, wanted: Mapping[str, Collection[str]]) -> None:
        self.engine, self.metadata, self.layout, self.wanted = engine, metadata, engine.layout, wanted
        self.catalog = catalog.lower()
        is_system = self.catalog == SYSTEM
        self.catalogs = self.layout.catalogs() if is_system else [self.layout.need_catalog(self.catalog)]

    def schemas(self) -> Iterator[tuple[str, str]]:
        for catalog in self.catalogs:
            yield from self.layout.every_schema(catalog)

    def tables(self) -> Iterator[tuple[TableName, Snapshot | errors.DatabaseError]]:
        """Every table with its snapshot, or why it has none: one that is refused keeps nobody from the others."""
        for catalog, schema in self.schemas():
            for table in self.layout.tables(catalog, schema) if self._may_be("table_schema", schema) else ():
                if self._may_be("table_name", table):
                    name = TableName(catalog, schema, table)
                    try:
                        yield name, self.engine.snapshot(name)
                    except errors.DatabaseError as error:
                        if self.layout.table(name).is_dir():
                            yield name, error

    def snapshots(self) -> Iterator[Snapshot]:
        """The tables that can be read."""
        return (found for _, found in self.tables() if isinstance(found, Snapshot))

    def _may_be(self, column: str, name: str) -> bool:
        return column not in self.wanted or name in self.wanted[column]

    def tagged(self, kind: str) -> Rows:
        """The tags of a kind of object: the parts of its name, key, value."""
        for key, entry in sorted(self.metadata.entries().items()):
            found, name = key.split(":", 1)
            parts = name.split(".", 3)
            if found == kind and parts[0] in self.catalogs:
                for tag, value in sorted(entry.get("tags", {}).items()):
                    yield (*parts, tag, value)


def _catalogs(scope: Scope) -> Rows:
    return ((c, None, scope.metadata.comment(f"catalog:{c}")) for c in scope.catalogs)


def _schemata(scope: Scope) -> Rows:
    return ((c, s, None, scope.metadata.comment(f"schema:{c}.{s}")) for c, s in scope.schemas())


def _tables(scope: Scope) -> Rows:
    """A table that cannot be read takes no rows, and its comment says why."""
    for name, found in scope.tables():
        insertable, comment = ("YES", found.comment) if isinstance(found, Snapshot) else ("NO", str(found))
        yield *name.parts, "MANAGED", insertable, comment, "DELTA", str(scope.layout.table(name))


def _columns(scope: Scope) -> Rows:
    for table in scope.snapshots():
        for position, column in enumerate(table.columns, 1):
            full = to_sql(column.type)
            simple = full.split("(")[0].split("<")[0]
            digits = [int(d) for d in full[8:-1].split(",")] if simple == "DECIMAL" else [None, None]
            part = table.partitioned_by.index(column.name) + 1 if column.name in table.partitioned_by else None
            yield (
                *table.name.parts, column.name, position, column.default, "YES" if column.nullable else "NO",
                full.lower().replace(": ", ":").replace(", ", ","), _SIMPLE.get(simple, simple), *digits, part,
                column.comment,
            )  # fmt: skip


def _volumes(scope: Scope) -> Rows:
    for catalog, schema in scope.schemas():
        for volume in scope.layout.volumes(catalog, schema):
            comment = scope.metadata.comment(f"volume:{catalog}.{schema}.{volume}")
            yield catalog, schema, volume, "MANAGED", comment, f"/Volumes/{catalog}/{schema}/{volume}"


def _keys(scope: Scope) -> Iterator[tuple[Snapshot, dict[str, Any]]]:
    for table in scope.snapshots():
        for key in table.constraints:
            yield table, key


def _references(scope: Scope) -> Iterator[tuple[Snapshot, dict[str, Any], Snapshot, dict[str, Any]]]:
    """The foreign keys whose table still exists, with that table and its primary key."""
    tables = {str(table.name): table for table in scope.snapshots()}
    for table in tables.values():
        for key in table.constraints:
            parent = tables.get(key.get("table", ""))
            primary = next((k for k in parent.constraints if k["type"] == "PRIMARY KEY"), None) if parent else None
            if parent and primary:
                yield table, key, parent, primary


def _referential_constraints(scope: Scope) -> Rows:
    for table, key, parent, primary in _references(scope):
        yield (*table.name.parts[:2], key["name"], *parent.name.parts[:2], primary["name"], "FULL", "NO ACTION",
               "NO ACTION")  # fmt: skip


def _table_constraints(scope: Scope) -> Rows:
    for table, key in _keys(scope):
        yield (*table.name.parts[:2], key["name"], *table.name.parts, key["type"], "NO")
    for table, name, _ in _checks(scope):
        yield (*table.name.parts[:2], name, *table.name.parts, "CHECK", "YES")


def _checks(scope: Scope) -> Iterator[tuple[Snapshot, str, str]]:
    for table in scope.snapshots():
        for name, text in table.checks.items():
            yield table, name, text


def _check_constraints(scope: Scope) -> Rows:
    return ((*t.name.parts[:2], name, *t.name.parts, text) for t, name, text in _checks(scope))


def _key_columns(scope: Scope) -> Rows:
    for table, key in _keys(scope):
        for position, column in enumerate(key["columns"], 1):
            other = position if key["type"] == "FOREIGN KEY" else None
            yield (*table.name.parts[:2], key["name"], *table.name.parts, column, position, other)


def _constraint_columns(scope: Scope) -> Rows:
    for table, key in _keys(scope):
        for column in key["columns"]:
            yield (*table.name.parts, column, *table.name.parts[:2], key["name"])


_VIEWS: dict[str, tuple[tuple[str, ...], Callable[[Scope], Rows]]] = {
    "catalogs": (("catalog_name", "catalog_owner", "comment"), _catalogs),
    "schemata": (("catalog_name", "schema_name", "schema_owner", "comment"), _schemata),
    "tables": ((*_TABLE, "table_type", "is_insertable_into", "comment", "data_source_format", "storage_path"), _tables),
    "columns": (
        (*_TABLE, "column_name", "ordinal_position", "column_default", "is_nullable", "full_data_type", "data_type",
         "numeric_precision", "numeric_scale", "partition_index", "comment"),
        _columns,
    ),
    "views": ((*_TABLE, "view_definition"), lambda scope: iter(())),
    "volumes": (
        ("volume_catalog", "volume_schema", "volume_name", "volume_type", "comment", "storage_location"), _volumes
    ),
    "catalog_tags": (("catalog_name", "tag_name", "tag_value"), lambda scope: scope.tagged("catalog")),
    "schema_tags": (("catalog_name", "schema_name", "tag_name", "tag_value"), lambda scope: scope.tagged("schema")),
    "table_tags": (
        ("catalog_name", "schema_name", "table_name", "tag_name", "tag_value"), lambda scope: scope.tagged("table")
    ),
    "column_tags": (
        ("catalog_name", "schema_name", "table_name", "column_name", "tag_name", "tag_value"),
        lambda scope: scope.tagged("column"),
    ),
    "volume_tags": (
        ("catalog_name", "schema_name", "volume_name", "tag_name", "tag_value"), lambda scope: scope.tagged("volume")
    ),
    "table_constraints": ((*_CONSTRAINT, *_TABLE, "constraint_type", "enforced"), _table_constraints),
    "check_constraints": ((*_CONSTRAINT, *_TABLE, "check_clause"), _check_constraints),
    "referential_constraints": (
        (*_CONSTRAINT, "unique_constraint_catalog", "unique_constraint_schema", "unique_constraint_name",
         "match_option", "update_rule", "delete_rule"),
        _referential_constraints,
    ),
    "key_column_usage": (
        (*_CONSTRAINT, *_TABLE, "column_name", "ordinal_position", "position_in_unique_constraint"), _key_columns
    ),
    "constraint_column_usage": ((*_TABLE, "column_name", *_CONSTRAINT), _constraint_columns),
}  # fmt: skip
_NUMBERS = {
    "ordinal_position",
    "numeric_precision",
    "numeric_scale",
    "partition_index",
    "position_in_unique_constraint",
}


def register(scope: Scope, duck: duckdb.DuckDBPyConnection, view: str, number: int) -> str:
    """Make the rows of a statement's use of a view, by its number, known to DuckDB; returns the name to read them by."""
    view = view.lower()
    if view not in _VIEWS:
        raise unknown("table_or_view", f"information_schema.{view}", [f"information_schema.{v}" for v in _VIEWS])
    names, rows = _VIEWS[view]
    columns = list(zip(*rows(scope), strict=True)) or [()] * len(names)
    arrays = [pa.array(c, pa.int32() if n in _NUMBERS else pa.string()) for n, c in zip(names, columns, strict=True)]
    registered = f"__information_schema_{scope.catalog}_{view}_{number}"
    duck.register(registered, pa.table(arrays, names=list(names)))
    return f'"{registered}"'
