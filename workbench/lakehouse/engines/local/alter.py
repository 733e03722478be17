"""ALTER TABLE: what only changes the schema is a commit without files; the rest writes the table anew in one commit."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import duckdb
from sqlglot import exp

from . import datatypes, ddl, errors, locks, words
from .cursor import Cursor
from .dialect import generate, refuse
from .engine import count
from .names import TableName, quoted
from .protocol import check_writable
from .session import Session
from .snapshot import COMMENT_KEY, CONSTRAINTS_PROPERTY, DEFAULT_KEY, Column, Snapshot, read_state
from .translate import parse
from .writing import check_expression, replace_rows, row_bytes, write_files

Parts = dict[str, str | None]
_PASSING = "workbench_check"


def _edit(session: Session, found: Parts, change: Callable[[Snapshot], None]) -> TableName:
    name = session.name(words.parts(found["name"]))

    def statement() -> None:
        with session.writing(name) as target:
            change(target)

    locks.retrying(statement)
    return name


def _set_columns(target: Snapshot, columns: Sequence[Column], operation: str) -> None:
    """Commit another schema for the same files: an overwrite whose filter matches no file.

    delta-rs holds a filter against the files' statistics, where almost any value could lie; an empty list lies in none.
    Should it ever remove a file all the same, the table goes back to the version before.
    """
    before = set(target.delta.file_uris())
    plain = next((c for c in target.columns if isinstance(c.type, str)), target.columns[0])
    replace_rows(target, [], columns, operation, [(plain.name, "in", [])])
    target.delta.update_incremental()
    if set(target.delta.file_uris()) != before:
        target.delta.restore(target.version)
        raise errors.InternalError(f"{operation} of {target.name} would have removed rows; the table is as it was.")


def _rewrite(
    session: Session,
    cursor: Cursor,
    target: Snapshot,
    columns: Sequence[Column],
    values: dict[str, str],
    operation: str,
) -> None:
    """Write every row anew under another schema; `values` gives the DuckDB expression of each column."""
    relation, files = session.engine.relation(target, "files", target.files)
    picked = ", ".join(f"{values[c.name]} AS {quoted(c.name)}" for c in columns)
    shaped = replace(target, columns=tuple(columns))
    width = row_bytes(target, target.files)
    select = f"SELECT {picked} FROM {relation} AS t"
    written = write_files(cursor.duckdb, shaped, select, {"files": files}, row_bytes=width)
    replace_rows(target, written.adds, columns, operation)


def _single(name: str | None) -> str:
    found = words.parts(name)
    if len(found) != 1:
        raise refuse(f"the nested column {name}", "Change whole columns.")
    return found[0]


def add_columns(session: Session, cursor: Cursor, found: Parts) -> None:
    """ADD COLUMN: the files stay as they are, their rows have NULL."""
    inner = (found["definition"] or "").strip()
    inner = inner if inner.startswith("(") else f"({inner})"
    tree = parse(f"CREATE TABLE x {inner}").tree
    assert isinstance(tree, exp.Create)  # noqa: S101
    added = ddl.define(tree).columns

    def change(target: Snapshot) -> None:
        known = {c.name.lower() for c in target.columns}
        for column in added:
            if column.name.lower() in known:
                raise errors.ProgrammingError(
                    f"[FIELD_ALREADY_EXISTS] {target.name} has a column {column.name} already."
                )
            if column.default:
                raise refuse(
                    "ADD COLUMN … DEFAULT", "Add it, ALTER COLUMN … SET DEFAULT, then UPDATE, as on Databricks."
                )
            if not column.nullable and target.files:
                raise errors.ProgrammingError(
                    f"Found NOT NULL for {column.name}, but {target.name} has rows; add it nullable."
                )
        _set_columns(target, [*target.columns, *added], "ADD COLUMNS")

    _edit(session, found, change)


def drop_columns(session: Session, cursor: Cursor, found: Parts) -> None:
    """DROP COLUMN: the table is written anew without it."""
    names = [_single(name) for name in (found["columns"] or "").strip().strip("()").split(",")]

    def change(target: Snapshot) -> None:
        dropped = set()
        for name in names:
            if found["if_exists"] and name.lower() not in {c.name.lower() for c in target.columns}:
                continue
            dropped.add(target.column(name).name)
        _refuse_used(target, dropped)
        kept = [c for c in target.columns if c.name not in dropped]
        if dropped:
            values = {c.name: f"t.{quoted(c.name)}" for c in kept}
            _rewrite(session, cursor, target, kept, values, "DROP COLUMNS")

    name = _edit(session, found, change)
    for column in names:
        session.metadata.forget(f"{name}.{column.lower()}")


def _refuse_used(target: Snapshot, names: set[str]) -> None:
    used = [n for n in names if n in target.partitioned_by]
    used += [n for k in target.constraints for n in k["columns"] if n in names]
    used += [n for text in target.checks.values() for n in names if _mentions(text, n)]
    if used:
        raise errors.ProgrammingError(
            f"{', '.join(sorted(set(used)))} is a partition or in a constraint of {target.name}; drop that first."
        )


def _mentions(text: str, name: str) -> bool:
    return any(c.name.lower() == name.lower() for c in parse(f"SELECT {text}").tree.find_all(exp.Column))


def rename_column(session: Session, cursor: Cursor, found: Parts) -> None:
    """RENAME COLUMN: the table is written anew, because its files name their columns."""
    old, new = _single(found["column"]), _single(found["new"])
    children = _referring(session, session.name(words.parts(found["name"])))

    def change(target: Snapshot) -> None:
        column = target.column(old)
        if new.lower() in {c.name.lower() for c in target.columns if c.name != column.name}:
            raise errors.ProgrammingError(f"[FIELD_ALREADY_EXISTS] {target.name} has a column {new} already.")
        keys = [k for k in target.constraints if column.name in k["columns"]]
        _refuse_used(
            replace(target, properties={k: v for k, v in target.properties.items() if k != CONSTRAINTS_PROPERTY}),
            {column.name},
        )
        columns = [replace(c, name=new) if c.name == column.name else c for c in target.columns]
        values = {n.name: f"t.{quoted(o.name)}" for o, n in zip(target.columns, columns, strict=True)}
        _rewrite(session, cursor, target, columns, values, "RENAME COLUMN")
        if keys:
            renamed = [
                k | {"columns": [new if c == column.name else c for c in k["columns"]]} for k in target.constraints
            ]
            target.delta.update_incremental()
            _set_properties(target, {CONSTRAINTS_PROPERTY: json.dumps(renamed)})

    name = _edit(session, found, change)
    session.metadata.rename(f"{name}.{old.lower()}", f"{name}.{new.lower()}")
    primary = session.engine.snapshot(name).primary_key
    if new in primary:
        _follow(session, children, name, {"references": primary})


def rename_table(session: Session, cursor: Cursor, found: Parts) -> None:
    """RENAME TO: the directory moves."""
    old = session.name(words.parts(found["name"]))
    new = session.name(words.parts(found["new"]))
    session.layout.need_schema(new.catalog, new.schema)
    children = _referring(session, old)
    with session.writing(old), locks.exclusive(session.layout, str(new), session.lock_timeout):
        if new.table in session.layout.tables(new.catalog, new.schema):
            raise errors.ProgrammingError(f"[TABLE_OR_VIEW_ALREADY_EXISTS] {new} exists; drop or rename it first.")
        try:
            session.layout.table(old).rename(session.layout.table(new))
        except OSError as error:
            raise errors.from_engine(error) from error
    session.engine.forget(old)
    session.metadata.rename(str(old), str(new))
    _follow(session, [new if name == old else name for name in children], old, {"table": str(new)})


def _referring(session: Session, parent: TableName) -> list[TableName]:
    """The tables with foreign keys to one; NotSupportedError where these could not follow it, before it changes."""
    found = []
    for catalog, schema in session.layout.every_schema():
        for table in session.layout.tables(catalog, schema):
            name = TableName(catalog, schema, table)
            try:
                child = session.engine.snapshot(name)
            except errors.DatabaseError:  # what cannot be read was not written here, so it has no keys of ours
                continue
            if any(k.get("table") == str(parent) for k in child.constraints):
                check_writable(child)
                found.append(name)
    return found


def _follow(session: Session, children: list[TableName], parent: TableName, change: dict[str, str | list[str]]) -> None:
    """Change the foreign keys that name a table."""
    for name in children:
        with session.writing(name) as target:
            keys = [k | change if k.get("table") == str(parent) else k for k in target.constraints]
            _set_properties(target, {CONSTRAINTS_PROPERTY: json.dumps(keys)})


def _changed_column(session: Session, found: Parts, operation: str, edit: Callable[[Snapshot, Column], Column]) -> None:
    def change(target: Snapshot) -> None:
        column = target.column(_single(found["column"]))
        new = edit(target, column)
        _set_columns(target, [new if c.name == column.name else c for c in target.columns], operation)

    _edit(session, found, change)


def set_not_null(session: Session, cursor: Cursor, found: Parts) -> None:
    """SET NOT NULL (IntegrityError when there are NULLs) and DROP NOT NULL."""
    nullable = (found["verb"] or "").upper() == "DROP"

    def edit(target: Snapshot, column: Column) -> Column:
        if not nullable:
            nulls = _count(session, cursor.duckdb, target, f"t.{quoted(column.name)} IS NULL")
            if nulls:
                raise errors.IntegrityError(
                    f"[{errors.NOT_NULL}] {nulls} rows of {target.name} have NULL in {column.name}."
                )
        return replace(column, nullable=nullable)

    _changed_column(session, found, "CHANGE COLUMN", edit)


def _count(session: Session, duck: duckdb.DuckDBPyConnection, target: Snapshot, condition: str) -> int:
    relation, files = session.engine.relation(target, "files", target.files)
    return count(duck, f"SELECT count(*) FROM {relation} AS t WHERE {condition}", {"files": files})


def set_default(session: Session, cursor: Cursor, found: Parts) -> None:
    """SET DEFAULT and DROP DEFAULT: for later INSERTs that leave the column out."""
    given = found.get("default")
    value = ddl.checked_default(parse(f"SELECT {given}").tree.expressions[0]) if given else None

    def edit(target: Snapshot, column: Column) -> Column:
        metadata = {k: v for k, v in column.metadata.items() if k != DEFAULT_KEY}
        return replace(column, metadata=metadata | ({DEFAULT_KEY: value} if value else {}))

    _changed_column(session, found, "CHANGE COLUMN", edit)


def comment_column(session: Session, cursor: Cursor, found: Parts) -> None:
    text = words.text(found["comment"])

    def edit(target: Snapshot, column: Column) -> Column:
        metadata = {k: v for k, v in column.metadata.items() if k != COMMENT_KEY}
        return replace(column, metadata=metadata | ({COMMENT_KEY: text} if text else {}))

    _changed_column(session, found, "CHANGE COLUMN", edit)


def change_type(session: Session, cursor: Cursor, found: Parts) -> None:
    """ALTER COLUMN … TYPE: the table is written anew with the column cast; DataError when a value does not fit."""
    tree = parse(f"SELECT CAST(x AS {found['type']})").tree.expressions[0]
    kind = datatypes.from_expression(tree.to)

    def change(target: Snapshot) -> None:
        column = target.column(_single(found["column"]))
        if column.name in target.partitioned_by:
            raise refuse(f"another type for the partition column {column.name}")
        columns = [replace(c, type=kind) if c.name == column.name else c for c in target.columns]
        values = {c.name: f"t.{quoted(c.name)}" for c in target.columns}
        cast = exp.Cast(this=exp.column(exp.to_identifier(column.name, quoted=True), table="t"), to=tree.to.copy())
        values[column.name] = generate(cast)
        _rewrite(session, cursor, target, columns, values, "CHANGE COLUMN")

    _edit(session, found, change)


def add_constraint(session: Session, cursor: Cursor, found: Parts) -> None:
    """ADD CONSTRAINT: CHECK is enforced from now on (IntegrityError when a row violates it); keys are informational."""
    text = (found["constraint"] or "").strip()
    tree = parse(f"CREATE TABLE x (x INT, {text})").tree
    item = tree.this.expressions[1]
    part = item.expressions[0] if isinstance(item, exp.Constraint) else item
    if isinstance(part, exp.CheckColumnConstraint):
        name, condition = (
            item.name if isinstance(item, exp.Constraint) else "check",
            part.this.sql("databricks", normalize_functions=False),
        )
        _edit(session, found, lambda target: _add_check(session, cursor, target, name, condition))
        return
    new = ddl.constraints(item)

    def change(target: Snapshot) -> None:
        clash = {k["name"].lower() for k in target.constraints} & {k["name"].lower() for k in new}
        if clash:
            raise errors.ProgrammingError(
                f"[CONSTRAINT_ALREADY_EXISTS] {target.name} has a constraint {clash.pop()} already."
            )
        keys = [k | {"columns": [target.column(c).name for c in k["columns"]]} for k in new]
        ddl.resolve_references(session, target.name, [*target.constraints, *keys])
        _set_properties(target, {CONSTRAINTS_PROPERTY: json.dumps([*target.constraints, *keys])})

    _edit(session, found, change)


def _add_check(session: Session, cursor: Cursor, target: Snapshot, name: str, condition: str) -> None:
    if name.lower() in {known.lower() for known in target.checks}:
        raise errors.ProgrammingError(f"[CONSTRAINT_ALREADY_EXISTS] {target.name} has a constraint {name} already.")
    for column in parse(f"SELECT {condition}").tree.find_all(exp.Column):
        target.column(column.name)
    wrong = _count(session, cursor.duckdb, target, f"({check_expression(condition)}) IS NOT TRUE")
    if wrong:
        raise errors.IntegrityError(f"[{errors.CHECK}] {wrong} rows of {target.name} violate {name} ({condition}).")
    _let_checks(target)
    _set_properties(target, {f"delta.constraints.{name}": condition})


def _let_checks(target: Snapshot) -> None:
    """Take the table to the protocol that knows checks, by one that comes and goes.

    delta-rs parses less of Spark's SQL than Spark and writes what it does parse in its own dialect (RLIKE as ~), so the
    real ones are set as properties; its add_feature would take the table to versions that other readers refuse.
    """
    protocol = target.delta.protocol()
    known = protocol.writer_features
    if "checkConstraints" in known if known is not None else protocol.min_writer_version > 2:
        return
    target.delta.alter.add_constraint({_PASSING: "1 = 1"})
    target.delta.update_incremental()
    target.delta.alter.drop_constraint(_PASSING)
    target.delta.update_incremental()


def drop_constraint(session: Session, cursor: Cursor, found: Parts) -> None:
    def change(target: Snapshot) -> None:
        wanted = _single(found["constraint"]).lower() if found.get("constraint") else None
        check = next((n for n in target.checks if n.lower() == wanted), None)
        if check:
            target.delta.alter.drop_constraint(check)
            return
        kept = [
            k
            for k in target.constraints
            if not (k["name"].lower() == wanted or (wanted is None and k["type"] == "PRIMARY KEY"))
        ]
        if len(kept) == len(target.constraints) and not found["if_exists"]:
            known = [*target.checks, *(k["name"] for k in target.constraints)]
            raise errors.ProgrammingError(
                f"Found no constraint {wanted or 'PRIMARY KEY'} of {target.name}; it has {known}."
            )
        _set_properties(target, {CONSTRAINTS_PROPERTY: json.dumps(kept)})

    _edit(session, found, change)


def _set_properties(target: Snapshot, given: dict[str, str]) -> None:
    """Commit the properties; the table goes back to the version before where it would be refused with them."""
    before = target.delta.version()
    target.delta.alter.set_table_properties(given, raise_if_not_exists=False)
    target.delta.update_incremental()
    try:
        check_writable(read_state(target.name, target.path, target.delta))
    except errors.NotSupportedError:
        target.delta.restore(before, protocol_downgrade_allowed=True)
        raise


def set_properties(session: Session, cursor: Cursor, found: Parts) -> None:
    given = words.pairs(found["properties"] or "")
    _edit(session, found, lambda target: _set_properties(target, given))


def cluster_by(session: Session, cursor: Cursor, found: Parts) -> None:
    """CLUSTER BY is remembered; files here are laid out by partitions only."""
    names = (found["cluster"] or "").strip("() ")
    _edit(session, found, lambda target: _set_properties(target, {"workbench.clusterBy": names}))
