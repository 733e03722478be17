"""SHOW, DESCRIBE and USE."""

from __future__ import annotations

import datetime as dt
import json

from . import words
from .cursor import Cursor
from .datatypes import to_sql
from .session import Session
from .writing import OPERATION_KEY

Parts = dict[str, str | None]


def use(session: Session, cursor: Cursor, found: Parts) -> None:
    """USE CATALOG c, USE SCHEMA [c.]s, USE [c.]s."""
    names = words.parts(found["name"])
    if (found["kind"] or "").upper() == "CATALOG":
        session.catalog, session.schema = session.layout.need_catalog(names[-1]), "default"
        return
    catalog = names[0] if len(names) > 1 else session.catalog
    session.catalog, session.schema = session.layout.need_schema(catalog, names[-1])


def _place(session: Session, name: str | None) -> tuple[str, str]:
    names = words.parts(name)
    catalog = names[0] if len(names) > 1 else session.catalog
    return session.layout.need_schema(catalog, names[-1] if names else session.schema)


def catalogs(session: Session, cursor: Cursor, found: Parts) -> None:
    cursor.show_rows(["catalog"], [(name,) for name in session.layout.catalogs()])


def schemas(session: Session, cursor: Cursor, found: Parts) -> None:
    catalog = session.layout.need_catalog(words.parts(found["name"])[-1] if found["name"] else session.catalog)
    cursor.show_rows(["databaseName"], [(name,) for name in session.layout.schemas(catalog)])


def tables(session: Session, cursor: Cursor, found: Parts) -> None:
    catalog, schema = _place(session, found["name"])
    rows = [(schema, name, False) for name in session.layout.tables(catalog, schema)]
    cursor.show_rows(["database", "tableName", "isTemporary"], rows)


def volumes(session: Session, cursor: Cursor, found: Parts) -> None:
    catalog, schema = _place(session, found["name"])
    cursor.show_rows(["database", "volume_name"], [(schema, v) for v in session.layout.volumes(catalog, schema)])


def columns(session: Session, cursor: Cursor, found: Parts) -> None:
    target = session.engine.snapshot(session.name(words.parts(found["name"])))
    cursor.show_rows(["col_name"], [(c.name,) for c in target.columns])


def properties(session: Session, cursor: Cursor, found: Parts) -> None:
    target = session.engine.snapshot(session.name(words.parts(found["name"])))
    cursor.show_rows(["key", "value"], sorted(target.properties.items()))


def describe(session: Session, cursor: Cursor, found: Parts) -> None:
    """Columns with type and comment; partitions and, when EXTENDED, the table's details below them."""
    target = session.engine.snapshot(session.name(words.parts(found["name"])))
    rows: list[tuple[str, str | None, str | None]] = [
        (c.name, to_sql(c.type).lower(), c.comment) for c in target.columns
    ]
    if target.partitioned_by:
        rows += [("# Partition Information", "", ""), ("# col_name", "data_type", "comment")]
        rows += [(n, to_sql(target.column(n).type).lower(), target.column(n).comment) for n in target.partitioned_by]
    if found["extended"]:
        rows += [("", "", ""), ("# Detailed Table Information", "", ""), ("Name", str(target.name), "")]
        rows += [("Provider", "delta", ""), ("Comment", target.comment or "", ""), ("Location", str(target.path), "")]
        rows += [("Table Properties", json.dumps(target.properties, sort_keys=True), "")]
    cursor.show_rows(["col_name", "data_type", "comment"], rows)


def detail(session: Session, cursor: Cursor, found: Parts) -> None:
    target = session.engine.snapshot(session.name(words.parts(found["name"])))
    protocol = target.delta.protocol()
    found_detail = {
        "format": "delta",
        "name": str(target.name),
        "location": str(target.path),
        "partitionColumns": list(target.partitioned_by),
        "numFiles": len(target.files),
        "properties": target.properties,
        "minReaderVersion": protocol.min_reader_version,
        "minWriterVersion": protocol.min_writer_version,
    }
    cursor.show_rows(list(found_detail), [tuple(found_detail.values())])


def history(session: Session, cursor: Cursor, found: Parts) -> None:
    """The commits, newest first: version, timestamp, operation, operationParameters, engineInfo."""
    target = session.engine.snapshot(session.name(words.parts(found["name"])))
    entries = target.delta.history(int(found["limit"]) if found["limit"] else None)
    rows = [
        (
            entry["version"],
            dt.datetime.fromtimestamp(entry["timestamp"] / 1000, dt.UTC),
            entry.get(OPERATION_KEY) or entry.get("operation"),
            entry.get("operationParameters") or {},
            entry.get("engineInfo"),
        )
        for entry in entries
    ]
    cursor.show_rows(["version", "timestamp", "operation", "operationParameters", "engineInfo"], rows)
