"""Unity Catalog of the loopback workspace: what to browse, and tags, read and set by SQL on the local engine."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from databricks.sdk.service.catalog import (
    CatalogInfo,
    ColumnInfo,
    ColumnTypeName,
    DataSourceFormat,
    EntityTagAssignment,
    SchemaInfo,
    TableInfo,
    TableType,
    VolumeInfo,
    VolumeType,
)

from tests.databricks.exchange import RefusedError, Routes, page
from tests.databricks.http import Reply, Request, json_reply
from workbench.lakehouse.engines.local import Connection, connect

BASE = "/api/2.1/unity-catalog"
TAGS = f"{BASE}/entity-tag-assignments"
KINDS = {"catalogs": "catalog", "schemas": "schema", "tables": "table", "columns": "column", "volumes": "volume"}
IN_TABLE = ("table_catalog", "table_schema", "table_name")
# Where an object of a kind is found, and where its tags are.
FOUND = {
    "catalog": ("catalogs", ("catalog_name",)),
    "schema": ("schemata", ("catalog_name", "schema_name")),
    "table": ("tables", IN_TABLE),
    "column": ("tables", IN_TABLE),
    "volume": ("volumes", ("volume_catalog", "volume_schema", "volume_name")),
}
TAGGED = {
    "catalog": ("catalog_name",),
    "schema": ("catalog_name", "schema_name"),
    "table": ("catalog_name", "schema_name", "table_name"),
    "column": ("catalog_name", "schema_name", "table_name", "column_name"),
    "volume": ("catalog_name", "schema_name", "volume_name"),
}
TABLES = "SELECT table_catalog, table_schema, table_name, comment FROM system.information_schema.tables"


class Catalog:
    """The catalog of one directory."""

    def __init__(self, directory: Path, denied: set[str], page_size: int) -> None:
        self.directory, self.denied, self.page_size = directory, denied, page_size
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def routes(self) -> Routes:
        return {
            ("GET", f"{BASE}/catalogs"): self.catalogs,
            ("GET", f"{BASE}/schemas"): self.schemas,
            ("GET", f"{BASE}/tables"): self.tables,
            ("GET", f"{BASE}/tables/{{}}"): self.table,
            ("GET", f"{BASE}/volumes"): self.volumes,
            ("GET", f"{BASE}/volumes/{{}}"): self.volume,
            ("POST", TAGS): self.tag,
            ("GET", f"{TAGS}/{{}}/{{}}/tags"): self.tags,
            ("GET", f"{TAGS}/{{}}/{{}}/tags/{{}}"): self.one_tag,
            ("PATCH", f"{TAGS}/{{}}/{{}}/tags/{{}}"): self.change_tag,
            ("DELETE", f"{TAGS}/{{}}/{{}}/tags/{{}}"): self.untag,
        }

    def run(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            if self._connection is None:
                self._connection = connect(self.directory, catalog="", schema="")
            with self._connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return list(cursor.fetchall()) if cursor.description else []

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    # What there is.

    def catalogs(self, request: Request) -> dict[str, Any]:
        found = self.run("SELECT catalog_name, comment FROM system.information_schema.catalogs ORDER BY 1")
        return page(request, "catalogs", [CatalogInfo(name=n, comment=c) for n, c in found], self.page_size)

    def schemas(self, request: Request) -> dict[str, Any]:
        catalog = request.query["catalog_name"]
        self._need("catalog", catalog)
        found = self.run(
            "SELECT schema_name, comment FROM system.information_schema.schemata WHERE catalog_name = ? ORDER BY 1",
            catalog,
        )
        rows = [
            SchemaInfo(name=name, catalog_name=catalog, full_name=f"{catalog}.{name}", comment=comment)
            for name, comment in [*found, ("information_schema", None)]
        ]
        return page(request, "schemas", rows, self.page_size)

    def tables(self, request: Request) -> dict[str, Any]:
        catalog, schema = self._schema(request)
        found = self.run(f"{TABLES} WHERE table_catalog = ? AND table_schema = ? ORDER BY table_name", catalog, schema)
        return page(request, "tables", [_table(*row) for row in found], self.page_size)

    def table(self, _request: Request, full_name: str) -> dict[str, Any]:
        parts = self._need("table", full_name)
        (row,) = self.run(f"{TABLES} WHERE table_catalog = ? AND table_schema = ? AND table_name = ?", *parts)
        columns = self.run(
            "SELECT column_name, ordinal_position, full_data_type, data_type, is_nullable, comment"
            " FROM system.information_schema.columns WHERE table_catalog = ? AND table_schema = ? AND table_name = ?"
            " ORDER BY ordinal_position",
            *parts,
        )
        return _table(*row, columns=[_column(*column) for column in columns]).as_dict()

    def volumes(self, request: Request) -> dict[str, Any]:
        catalog, schema = self._schema(request)
        found = self.run(
            "SELECT volume_name, comment FROM system.information_schema.volumes"
            " WHERE volume_catalog = ? AND volume_schema = ? ORDER BY 1",
            catalog,
            schema,
        )
        return page(request, "volumes", [_volume(catalog, schema, *row) for row in found], self.page_size)

    def volume(self, _request: Request, full_name: str) -> dict[str, Any]:
        return _volume(*self._need("volume", full_name), None).as_dict()

    def _schema(self, request: Request) -> tuple[str, str]:
        names = request.query["catalog_name"], request.query["schema_name"]
        self._need("schema", ".".join(names))
        return names

    # Tags.

    def tags(self, request: Request, kind: str, name: str) -> dict[str, Any]:
        found = [
            EntityTagAssignment(entity_name=name, entity_type=kind, tag_key=key, tag_value=value)
            for key, value in sorted(self._tags(kind, name).items())
        ]
        return page(request, "tag_assignments", found, self.page_size)

    def one_tag(self, _request: Request, kind: str, name: str, key: str) -> dict[str, Any]:
        found = self._tags(kind, name)
        if key not in found:
            raise RefusedError(404, "NOT_FOUND", f"Tag '{key}' is not assigned to {name}.")
        return EntityTagAssignment(entity_name=name, entity_type=kind, tag_key=key, tag_value=found[key]).as_dict()

    def tag(self, request: Request) -> dict[str, Any]:
        given = EntityTagAssignment.from_dict(request.json)
        if given.tag_key in self._tags(given.entity_type, given.entity_name):
            raise RefusedError(
                409, "ALREADY_EXISTS", f"Tag '{given.tag_key}' is assigned to {given.entity_name} already."
            )
        return self._set(given.entity_type, given.entity_name, given.tag_key, given.tag_value)

    def change_tag(self, request: Request, kind: str, name: str, key: str) -> dict[str, Any]:
        self.one_tag(request, kind, name, key)
        return self._set(kind, name, key, request.json.get("tag_value"))

    def untag(self, request: Request, kind: str, name: str, key: str) -> Reply:
        self.one_tag(request, kind, name, key)
        self.run(f"{_altered(kind, name)} UNSET TAGS ({_text(key)})")
        return json_reply(200, {})

    def _set(self, kind: str, name: str, key: str, value: str | None) -> dict[str, Any]:
        self.run(f"{_altered(kind, name)} SET TAGS ({_text(key)} = {_text(value or '')})")
        return EntityTagAssignment(entity_name=name, entity_type=kind, tag_key=key, tag_value=value).as_dict()

    def _tags(self, kind: str, name: str) -> dict[str, str]:
        if kind not in KINDS:
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", f"Unknown entity type '{kind}'.")
        parts = self._need(KINDS[kind], name)
        where = _equal(TAGGED[KINDS[kind]])
        view = f"system.information_schema.{KINDS[kind]}_tags"
        return dict(self.run(f"SELECT tag_name, tag_value FROM {view} WHERE {where}", *parts))

    def _need(self, kind: str, name: str) -> list[str]:
        """Return the parts of the name of what exists and may be looked into."""
        parts = name.lower().split(".", 3 if kind == "column" else 2)
        if any(".".join(parts[:end]) in self.denied for end in range(1, len(parts) + 1)):
            raise RefusedError(403, "PERMISSION_DENIED", f"User does not have USE on {kind.title()} '{name}'.")
        view, named = FOUND[kind]
        sql = f"SELECT 1 FROM system.information_schema.{view} WHERE {_equal(named)}"
        if len(parts) != len(TAGGED[kind]) or not self.run(sql, *parts[: len(named)]):
            raise RefusedError(404, f"{kind.upper()}_DOES_NOT_EXIST", f"{kind.title()} '{name}' does not exist.")
        return parts


def _table(catalog: str, schema: str, name: str, comment: str | None, columns: Any = None) -> TableInfo:
    return TableInfo(
        name=name,
        catalog_name=catalog,
        schema_name=schema,
        full_name=f"{catalog}.{schema}.{name}",
        comment=comment,
        columns=columns,
        table_type=TableType.MANAGED,
        data_source_format=DataSourceFormat.DELTA,
    )


def _column(name: str, position: int, full: str, simple: str, nullable: str, comment: str | None) -> ColumnInfo:
    return ColumnInfo(
        name=name,
        position=position - 1,
        type_text=full,
        type_name=ColumnTypeName(simple),
        nullable=nullable == "YES",
        comment=comment,
    )


def _volume(catalog: str, schema: str, name: str, comment: str | None) -> VolumeInfo:
    return VolumeInfo(
        name=name,
        catalog_name=catalog,
        schema_name=schema,
        full_name=f"{catalog}.{schema}.{name}",
        comment=comment,
        volume_type=VolumeType.MANAGED,
    )


def _equal(columns: Iterable[str]) -> str:
    return " AND ".join(f"{column} = ?" for column in columns)


def _altered(kind: str, name: str) -> str:
    parts = name.split(".", 3)
    quoted = ".".join(_quoted(parts[:3]))
    if kind == "columns":
        return f"ALTER TABLE {quoted} ALTER COLUMN {_quoted(parts[3:])[0]}"
    return f"ALTER {KINDS[kind].upper()} {quoted}"


def _quoted(parts: Iterable[str]) -> list[str]:
    return ["`" + part.replace("`", "``") + "`" for part in parts]


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
