"""CREATE, DROP and COMMENT ON."""

from __future__ import annotations

import json
import re
import shutil
import uuid
from dataclasses import replace
from typing import Any

from deltalake import DeltaTable
from deltalake import Schema as DeltaSchema
from sqlglot import exp

from . import datatypes, errors, locks, words
from .cursor import Cursor
from .dialect import refuse
from .layout import remove
from .names import TableName, quoted
from .protocol import check_partition
from .session import Session
from .snapshot import COMMENT_KEY, CONSTRAINTS_PROPERTY, DEFAULT_KEY, Column, key_columns, read_state
from .translate import Parsed, translate
from .writing import check_expression, commit, replace_rows, write_files

CHECKPOINT_INTERVAL = "20"
"""Commits between checkpoints: every write reads the log since the last one (delta-rs's own default is 100)."""
PARTITION_PROPERTY = "workbench.localPartition"


class Definition:
    """What CREATE TABLE says about a table."""

    def __init__(self) -> None:
        self.columns: list[Column] = []
        self.constraints: list[dict[str, Any]] = []
        self.partitioned_by: list[str] = []
        self.properties: dict[str, str] = {}
        self.comment: str | None = None

    def schema(self) -> DeltaSchema:
        fields = [c.as_json() for c in self.columns]
        return DeltaSchema.from_json(json.dumps({"type": "struct", "fields": fields}))

    def configuration(self) -> dict[str, str]:
        found = {"delta.checkpointInterval": CHECKPOINT_INTERVAL} | self.properties
        if self.constraints:
            found[CONSTRAINTS_PROPERTY] = json.dumps(self.constraints)
        return found


def create(session: Session, cursor: Cursor, parsed: Parsed, values: list[Any]) -> None:
    tree = parsed.tree
    assert isinstance(tree, exp.Create)  # noqa: S101
    kind = (tree.args.get("kind") or "").upper()
    if kind != "TABLE":
        raise refuse(f"CREATE {kind}", "Known: CATALOG, SCHEMA, TABLE, VOLUME.")
    create_table(session, cursor, tree, values)


def create_table(session: Session, cursor: Cursor, tree: exp.Create, values: list[Any]) -> None:
    """CREATE [OR REPLACE] TABLE [IF NOT EXISTS], with columns or AS SELECT. A half-made table never shows."""
    name = session.table(tree.this)
    session.layout.need_schema(name.catalog, name.schema)
    definition = define(tree)
    query = tree.args.get("expression")
    with locks.exclusive(session.layout, str(name), session.lock_timeout):
        exists = name.table in session.layout.tables(name.catalog, name.schema)
        if exists and tree.args.get("exists"):
            return
        if exists and not tree.args.get("replace"):
            raise errors.ProgrammingError(f"[TABLE_OR_VIEW_ALREADY_EXISTS] {name} exists; use IF NOT EXISTS.")
        text = ""
        parameters: dict[str, Any] = {}
        if query is not None:
            text, parameters = session.filled(translate(query), values, cursor.duckdb)
            relation = cursor.duckdb.sql(text, params=parameters)
            if not definition.columns:
                definition.columns = [
                    Column(n, datatypes.from_duckdb(str(k)), True, {})
                    for n, k in zip(relation.columns, relation.types, strict=True)
                ]
        _check(definition, name)
        resolve_references(session, name, definition.constraints)
        _build(session, cursor, name, definition, text, parameters)


def _check(definition: Definition, name: TableName) -> None:
    names = [c.name.lower() for c in definition.columns]
    if not names or len(set(names)) != len(names):
        raise errors.ProgrammingError(f"Found the columns {', '.join(names) or 'none'} for {name}; name each once.")
    known = {c.name.lower(): c.name for c in definition.columns}
    wanted = [*definition.partitioned_by, *(c for k in definition.constraints for c in k["columns"])]
    unknown = [c for c in wanted if c.lower() not in known]
    if unknown:
        raise errors.ProgrammingError(
            f"Found {', '.join(unknown)}, which are no columns of {name}: {', '.join(names)}."
        )
    definition.partitioned_by = [known[c.lower()] for c in definition.partitioned_by]
    for part in (c for c in definition.columns if c.name in definition.partitioned_by):
        check_partition(name, part)
    if len(definition.partitioned_by) == len(names):
        raise errors.ProgrammingError(f"Every column of {name} is a partition column; leave one that is not.")


def _build(
    session: Session, cursor: Cursor, name: TableName, definition: Definition, text: str, parameters: dict[str, Any]
) -> None:
    """Make the table beside its place and move it there, so that it appears whole."""
    final = session.layout.table(name)
    exists = (final / "_delta_log").is_dir()
    if exists and text and _replaced(session, cursor, name, definition, text, parameters):
        return
    place = final if exists else final.with_name(f".{final.name}.{uuid.uuid4().hex}")
    try:
        delta = DeltaTable.create(
            place,
            definition.schema(),
            mode="overwrite" if exists else "error",
            partition_by=definition.partitioned_by or None,
            description=definition.comment,
            configuration=definition.configuration(),
            raise_if_key_not_exists=False,
        )
        if text:
            target = read_state(name, place, DeltaTable(place))
            names = ", ".join(quoted(c.name) for c in definition.columns)
            written = write_files(cursor.duckdb, target, _cast(text, definition, names), parameters)
            if written.adds:
                commit(target, written.adds, [], "CREATE TABLE AS SELECT")
        del delta
        if not exists:
            place.rename(final)
    finally:
        # A draft that became the table is no longer at its place.
        if not exists:
            shutil.rmtree(place, ignore_errors=True)
    session.engine.forget(name)


def _replaced(
    session: Session, cursor: Cursor, name: TableName, definition: Definition, text: str, parameters: dict[str, Any]
) -> bool:
    """Replace rows and schema in one commit, which delta-rs can while the partitions stay; False when they do not."""
    old = session.engine.snapshot(name)
    if list(old.partitioned_by) != definition.partitioned_by or old.checks:
        return False
    shaped = replace(old, columns=tuple(definition.columns))
    names = ", ".join(quoted(c.name) for c in definition.columns)
    written = write_files(cursor.duckdb, shaped, _cast(text, definition, names), parameters)
    replace_rows(old, written.adds, definition.columns, "CREATE OR REPLACE TABLE AS SELECT")
    old.delta.update_incremental()
    properties = {CONSTRAINTS_PROPERTY: "[]"} if old.constraints else {}
    properties |= definition.configuration()
    if properties:
        old.delta.alter.set_table_properties(properties, raise_if_not_exists=False)
    if definition.comment:
        old.delta.alter.set_table_description(definition.comment)
    return True


def _cast(text: str, definition: Definition, names: str) -> str:
    casts = ", ".join(f"CAST({quoted(c.name)} AS {c.duckdb_type}) AS {quoted(c.name)}" for c in definition.columns)
    return f"SELECT {casts} FROM ({text}) AS __rows({names})"


def define(tree: exp.Create) -> Definition:
    """The definition in a CREATE TABLE; NotSupportedError for what the local engine does not keep."""
    found = Definition()
    if isinstance(tree.this, exp.Schema):
        for item in tree.this.expressions:
            if isinstance(item, exp.ColumnDef):
                found.columns.append(column(item, found.constraints))
            else:
                found.constraints += constraints(item)
    properties = tree.args.get("properties")
    for item in properties.expressions if properties else ():
        _property(item, found)
    wanted = found.properties.pop(PARTITION_PROPERTY, None)
    if wanted:
        found.partitioned_by = [wanted]
        found.properties[PARTITION_PROPERTY] = wanted
    return found


def _property(item: exp.Expr, found: Definition) -> None:
    if isinstance(item, exp.FileFormatProperty):
        if item.name.upper() != "DELTA":
            raise refuse(f"USING {item.name}", "Tables are USING DELTA.")
    elif isinstance(item, exp.PartitionedByProperty):
        found.partitioned_by = [e.name for e in item.this.expressions]
    elif isinstance(item, exp.SchemaCommentProperty):
        found.comment = item.this.name
    elif isinstance(item, exp.Cluster | exp.ClusterProperty):
        found.properties["workbench.clusterBy"] = ",".join(e.name for e in item.expressions)
    elif isinstance(item, exp.Property):
        found.properties[item.this.name if isinstance(item.this, exp.Expr) else str(item.this)] = item.args[
            "value"
        ].name
    else:
        raise refuse(f"{item.sql('databricks')} in CREATE TABLE")


def column(item: exp.ColumnDef, table_constraints: list[dict[str, Any]]) -> Column:
    """One column of a definition, with its NOT NULL, DEFAULT and COMMENT; inline keys go to the table's."""
    metadata: dict[str, Any] = {}
    nullable = True
    for constraint in item.args.get("constraints") or ():
        kind = constraint.args["kind"]
        if isinstance(kind, exp.NotNullColumnConstraint):
            nullable = bool(kind.args.get("allow_null"))
        elif isinstance(kind, exp.CommentColumnConstraint):
            metadata[COMMENT_KEY] = kind.this.name
        elif isinstance(kind, exp.DefaultColumnConstraint):
            metadata[DEFAULT_KEY] = checked_default(kind.this)
        elif isinstance(kind, exp.PrimaryKeyColumnConstraint):
            nullable = False
            table_constraints.append({"name": f"{item.name}_pk", "type": "PRIMARY KEY", "columns": [item.name]})
        elif isinstance(kind, exp.UniqueColumnConstraint):
            table_constraints.append({"name": f"{item.name}_uniq", "type": "UNIQUE", "columns": [item.name]})
        else:
            raise refuse(f"{constraint.sql('databricks')} in a column's definition")
    if item.args.get("kind") is None:
        raise errors.ProgrammingError(f"Found column {item.name} without a type; give one.")
    if not re.fullmatch(r"[^ ,;{}()\n\t=]+", item.name):
        raise errors.ProgrammingError(
            f"Found the column name {item.name!r}; Delta allows no spaces or ,;{{}}()= in it."
        )
    return Column(item.name, datatypes.from_expression(item.args["kind"]), nullable, metadata)


def checked_default(value: exp.Expr) -> str:
    """A default's Databricks text, once it is known to translate."""
    text = value.unnest().sql("databricks", normalize_functions=False)
    check_expression(text)
    return text


def constraints(item: exp.Expr) -> list[dict[str, Any]]:
    """The informational keys in a table's definition; CHECK goes through ALTER TABLE, as on Databricks."""
    name = item.name if isinstance(item, exp.Constraint) else ""
    found: list[dict[str, Any]] = []
    for part in item.expressions if isinstance(item, exp.Constraint) else [item]:
        if isinstance(part, exp.PrimaryKey):
            columns = [e.find(exp.Identifier).name for e in part.expressions]
            found.append({"name": name or "pk", "type": "PRIMARY KEY", "columns": columns})
        elif isinstance(part, exp.UniqueColumnConstraint):
            columns = [e.name for e in part.this.expressions]
            found.append({"name": name or "_".join([*columns, "uniq"]), "type": "UNIQUE", "columns": columns})
        elif isinstance(part, exp.ForeignKey):
            reference = part.args["reference"].this
            other = reference.find(exp.Table)
            columns = [e.name for e in part.expressions]
            found.append(
                {
                    "name": name or "fk",
                    "type": "FOREIGN KEY",
                    "columns": columns,
                    "table": other.sql("databricks", identify=True) if other else "",
                    "references": [e.name for e in reference.expressions] if isinstance(reference, exp.Schema) else [],
                }
            )
        else:
            raise refuse(
                f"{item.sql('databricks')[:80]} in CREATE TABLE", "Add a CHECK by ALTER TABLE … ADD CONSTRAINT."
            )
    return found


def resolve_references(session: Session, name: TableName, keys: list[dict[str, Any]]) -> None:
    """Give foreign keys the full name of their table; ProgrammingError unless they name its whole primary key."""
    for key in (k for k in keys if k["type"] == "FOREIGN KEY"):
        parent = session.name(words.parts(key["table"]))
        primary = key_columns(keys)
        if parent != name:
            primary = session.engine.snapshot(session.layout.need_table(parent)).primary_key
        wanted = key["references"] or primary
        if not primary or [c.lower() for c in wanted] != [c.lower() for c in primary]:
            raise errors.ProgrammingError(
                f"Found a foreign key to {parent} ({', '.join(wanted)}), whose primary key is "
                f"({', '.join(primary) or 'missing'}); a foreign key names the columns of a primary key."
            )
        key |= {"table": str(parent), "references": primary}


def drop(session: Session, cursor: Cursor, parsed: Parsed, values: list[Any]) -> None:
    tree = parsed.tree
    assert isinstance(tree, exp.Drop)  # noqa: S101
    kind = (tree.args.get("kind") or "").upper()
    if kind != "TABLE":
        raise refuse(f"DROP {kind}", "Known: CATALOG, SCHEMA, TABLE, VOLUME.")
    for table in tree.args["tables"]:
        drop_table(session, session.table(table), bool(tree.args.get("exists")))


def drop_table(session: Session, name: TableName, missing_ok: bool) -> None:
    if missing_ok and name.table not in session.layout.tables(name.catalog, name.schema):
        return
    session.layout.need_table(name)
    with locks.exclusive(session.layout, str(name), session.lock_timeout):
        remove(session.layout.table(name))
        session.engine.forget(name)
    session.metadata.forget(str(name))
