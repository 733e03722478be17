"""Django's query compiler with Delta's ways of writing: guarded inserts, and MERGE where a write reads other rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from django.core.exceptions import FieldError, FullResultSet
from django.db import ProgrammingError
from django.db.models import AutoField, Field, Model, UniqueConstraint
from django.db.models.constants import OnConflict
from django.db.models.sql import compiler

from workbench.lakehouse.indexes import ClusterBy
from workbench.lakehouse.literals import adapted
from workbench.lakehouse.names import stored_name
from workbench.lakehouse.rows import Rows

SQLCompiler = compiler.SQLCompiler


class SQLAggregateCompiler(compiler.SQLAggregateCompiler, SQLCompiler):
    pass


def unique_columns(model: type[Model]) -> list[tuple[str, ...]]:
    """Return the column sets that must be unique in the model's own table, its primary key first."""
    options = model._meta
    local = set(options.local_concrete_fields)
    names: list[Sequence[str]] = [(field.name,) for field in options.local_concrete_fields if field.unique]
    names += options.unique_together
    names += [
        constraint.fields
        for constraint in options.constraints
        if isinstance(constraint, UniqueConstraint) and constraint.fields and constraint.condition is None
    ]
    sets = ([options.get_field(name) for name in group] for group in names)
    columns = [stored_names(group) for group in sets if local.issuperset(group)]
    pk = [stored_names([options.pk])] if options.pk in local else []
    return list(dict.fromkeys(pk + columns))


def within_partition(model: type[Model]) -> str | None:
    """Return the column inside which primary keys are unique by construction, if the model says so."""
    for index in model._meta.indexes:
        if isinstance(index, ClusterBy) and index.keys_within:
            return stored_name(str(model._meta.get_field(index.fields[0]).column))
    return None


def stored_names(fields: Iterable[Field[Any, Any]]) -> tuple[str, ...]:
    """Return the fields' columns as the table has them."""
    return tuple(stored_name(str(field.column)) for field in fields)


class SQLInsertCompiler(compiler.SQLInsertCompiler, SQLCompiler):
    """Rows go out as one parameter; a model with unique columns is inserted by MERGE."""

    def as_sql(self) -> list[tuple[str, tuple[Any, ...]]]:
        rows = self._rows()
        return [(insert_sql(rows, self.connection.ops.quote_name), (rows,))]

    def _rows(self) -> Rows:
        options, conflict = self.query.get_meta(), self.query.on_conflict
        fields = list(self.query.fields)
        values = [
            [self.prepare_value(field, self.pre_save_val(field, obj)) for field in fields] for obj in self.query.objs
        ]
        self._compute_expressions(fields, values)
        if isinstance(options.pk, AutoField) and options.pk not in fields:
            ids = self.connection.next_ids(options.db_table, options.pk.column, len(values))
            fields, values = [options.pk, *fields], [[key, *row] for key, row in zip(ids, values, strict=True)]
        self.inserted = fields, values
        keys = unique_columns(options.model)
        target = stored_names(self.query.unique_fields)
        if target and target not in keys:
            raise ProgrammingError(
                f"The columns {', '.join(target)} of {options.db_table} are not unique together, so no row is the one to "
                f"update: name one of {'; '.join(', '.join(key) for key in keys)}."
            )
        return Rows(
            table=options.db_table,
            columns=[
                (name, str(field.db_type(self.connection)))
                for name, field in zip(stored_names(fields), fields, strict=True)
            ],
            values=[[adapted(value) for value in row] for row in values],
            keys=keys,
            on_conflict={OnConflict.IGNORE: "ignore", OnConflict.UPDATE: "update"}.get(conflict, "error"),
            update_columns=stored_names(self.query.update_fields),
            target=target,
            within=within_partition(options.model),
        )

    def _compute_expressions(self, fields: Sequence[Field[Any, Any]], values: list[list[Any]]) -> None:
        """Replace expressions such as `Lower("x")` by their values, so that an insert carries only data."""
        cells = [
            (row, column, self.compile(value))
            for row, line in enumerate(values)
            for column, value in enumerate(line)
            if hasattr(value, "as_sql")
        ]
        for row, column, (_, params) in (cell for cell in cells if cell[2][0] == "%s"):
            (values[row][column],) = params
        cells = [cell for cell in cells if cell[2][0] != "%s"]
        if not cells:
            return
        with self.connection.cursor() as cursor:
            sql = "SELECT " + ", ".join(
                f"CAST({sql} AS {fields[column].db_type(self.connection)})" for _, column, (sql, _) in cells
            )
            cursor.execute(sql, list(chain.from_iterable(params for *_, (_, params) in cells)))
            computed = cursor.fetchone()
        for (row, column, _), value in zip(cells, computed, strict=True):
            values[row][column] = value

    def execute_sql(self, returning_fields: Sequence[Field[Any, Any]] | None = None) -> list[tuple[Any, ...]]:
        """Insert and return the values of `returning_fields`, which are known before the insert."""
        for sql, params in self.as_sql():
            with self.connection.cursor() as cursor:
                cursor.execute(sql, params)
        if not returning_fields:
            return []
        table = self.query.get_meta().db_table
        rows = self._returned(returning_fields)
        converters = self.get_converters([field.get_col(table) for field in returning_fields])
        return list(self.apply_converters(rows, converters) if converters else rows)

    def _returned(self, returning: Sequence[Field[Any, Any]]) -> list[tuple[Any, ...]]:
        fields, values = self.inserted
        if self.query.on_conflict == OnConflict.UPDATE:
            return self._stored(returning)
        position = {field: number for number, field in enumerate(fields)}
        return [tuple(row[position[field]] for field in returning) for row in values]

    def _stored(self, returning: Sequence[Field[Any, Any]]) -> list[tuple[Any, ...]]:
        """Return what an upsert left in the table, in the order of the given rows."""
        fields, values = self.inserted
        target = list(self.query.unique_fields)
        position = [fields.index(field) for field in target]
        quote = self.connection.ops.quote_name
        wanted = [tuple(adapted(row[number]) for number in position) for row in values]
        match = " AND ".join(f"{quote(field.column)} = %s" for field in target)
        columns = ", ".join(quote(field.column) for field in (*target, *returning))
        sql = f"SELECT {columns} FROM {quote(self.query.get_meta().db_table)} WHERE " + " OR ".join(
            [f"({match})"] * len(wanted)
        )
        with self.connection.cursor() as cursor:
            cursor.execute(sql, list(chain.from_iterable(wanted)))
            found = {tuple(row[: len(target)]): tuple(row[len(target) :]) for row in cursor.fetchall()}
        return [found[key] for key in wanted]


def insert_sql(rows: Rows, quote: Any) -> str:
    """Return the Databricks statement for the rows: INSERT, or MERGE where keys must stay unique."""
    table, names = ".".join(map(quote, rows.table.split("."))), ", ".join(quote(name) for name, _ in rows.columns)
    source = rows_of_json(rows)
    if not rows.keys:
        return f"INSERT INTO {table} ({names}) {source}"
    same = [" AND ".join(f"t.{quote(c)} = s.{quote(c)}" for c in key) for key in rows.keys]
    message = f"duplicate key in {rows.table} ({'; '.join(', '.join(key) for key in rows.keys)})"
    refuse = f"UPDATE SET {quote(rows.keys[0][0])} = RAISE_ERROR('{message}')"
    update = ", ".join(f"{quote(c)} = s.{quote(c)}" for c in rows.update_columns)
    target = " AND ".join(f"t.{quote(c)} = s.{quote(c)}" for c in rows.target)
    matched = {
        "ignore": "",
        "error": f" WHEN MATCHED THEN {refuse}",
        # A row with another key of the new one, beside the one that is to be updated, is a clash.
        "update": f" WHEN MATCHED AND NOT ({target}) THEN {refuse}" * (len(same) > 1)
        + f" WHEN MATCHED THEN UPDATE SET {update}",
    }[rows.on_conflict]
    on = " OR ".join(f"({condition})" for condition in same)
    given = ", ".join(f"s.{quote(name)}" for name, _ in rows.columns)
    return (
        f"MERGE INTO {table} AS t USING ({source}) AS s ON {on}{matched}"
        f" WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({given})"
    )


def rows_of_json(rows: Rows) -> str:
    """Return the SELECT that turns one JSON parameter into the rows. JSON holds no bytes, so they come as hex text."""
    kinds = {name: "STRING" if kind == "BINARY" else kind for name, kind in rows.columns}
    struct = ", ".join(f"{_quoted(name)}: {kind}" for name, kind in kinds.items())
    source = f"SELECT INLINE(FROM_JSON(%s, 'ARRAY<STRUCT<{struct}>>'))"
    if kinds == dict(rows.columns):
        return source
    values = (f"UNHEX({_quoted(n)}) AS {_quoted(n)}" if kind == "BINARY" else _quoted(n) for n, kind in rows.columns)
    return f"SELECT {', '.join(values)} FROM ({source})"


def rows_of_file(rows: Rows, path: str) -> str:
    """Return the SELECT of the rows in a Parquet file, by its path in a volume."""
    return f"SELECT {', '.join(_quoted(name) for name, _ in rows.columns)} FROM parquet.`{path}`"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


class SQLDeleteCompiler(compiler.SQLDeleteCompiler, SQLCompiler):
    """A delete that reads other rows becomes MERGE on the key, which nests as deep as a SELECT may."""

    def as_sql(self) -> tuple[str, tuple[Any, ...]]:
        sql, params = super().as_sql()
        if "SELECT " not in sql:
            return sql, params
        quote, options = self.quote_name_unless_alias, self.query.get_meta()
        table, pk = quote(options.db_table), quote(options.pk.column)
        where = sql.removeprefix(f"DELETE FROM {table}")
        source = f"SELECT {table}.{pk} AS {pk} FROM {table}{where}"
        return f"MERGE INTO {table} AS t USING ({source}) AS s ON t.{pk} = s.{pk} WHEN MATCHED THEN DELETE", params


class SQLUpdateCompiler(compiler.SQLUpdateCompiler, SQLCompiler):
    """An update that reads other rows, or touches unique columns, becomes MERGE on the key."""

    def as_sql(self) -> tuple[str, tuple[Any, ...]]:
        self.pre_sql_setup()
        if not self.query.values:
            return "", ()
        assignments = list(self._assignments())
        params = list(chain.from_iterable(given for *_, given in assignments))
        where = ""
        try:
            sql, where_params = self.compile(self.query.where)
        except FullResultSet:
            pass
        else:
            where = f" WHERE {sql}"
            params.extend(where_params)
        written = {column for column, *_ in assignments}
        guarded = [key for key in unique_columns(self.query.get_meta().model) if written.intersection(key)]
        if guarded:
            return self._guarded(assignments, where, guarded), tuple(params)
        if "SELECT " in where or any("SELECT " in sql for _, sql, _ in assignments):
            return self._merge(assignments, where), tuple(params)
        quote = self.quote_name_unless_alias
        pairs = ", ".join(f"{quote(column)} = {sql}" for column, sql, _ in assignments)
        return f"UPDATE {quote(self.query.base_table)} SET {pairs}{where}", tuple(params)

    def _assignments(self) -> Iterator[tuple[str, str, Iterable[Any]]]:
        """Yield (column, expression, its parameters) for each value to set."""
        for field, _model, value in self.query.values:
            value = field.get_db_prep_save(self._resolved(field, value), connection=self.connection)
            column, kind = stored_name(field.column), field.db_type(self.connection)
            if hasattr(value, "as_sql"):
                sql, params = self.compile(value)
                yield column, sql, params
            elif value is None:
                yield column, f"CAST(NULL AS {kind})", ()
            elif kind == "STRING":
                yield column, "%s", (value,)
            else:
                yield column, f"CAST(%s AS {kind})", (value,)

    def _resolved(self, field: Field[Any, Any], value: Any) -> Any:
        if hasattr(value, "resolve_expression"):
            value = value.resolve_expression(self.query, allow_joins=False, for_save=True)
            if value.contains_aggregate:
                raise FieldError(f"Aggregate functions are not allowed in this query ({field.name}={value!r}).")
            if value.contains_over_clause:
                raise FieldError(f"Window expressions are not allowed in this query ({field.name}={value!r}).")
        elif hasattr(value, "prepare_database_save"):
            if not field.remote_field:
                raise TypeError(
                    f"Tried to update field {field} with a model instance, {value!r}. "
                    f"Use a value compatible with {field.__class__.__name__}."
                )
            value = value.prepare_database_save(field)
        return value

    def _new_values(self, assignments: Sequence[tuple[str, str, Iterable[Any]]], where: str) -> str:
        quote, options = self.quote_name_unless_alias, self.query.get_meta()
        table, pk = quote(options.db_table), quote(options.pk.column)
        values = ", ".join(f"{sql} AS {quote('new_' + column)}" for column, sql, _ in assignments)
        return f"SELECT {values}, {table}.{pk} AS key FROM {table}{where}"

    def _merge(self, assignments: Sequence[tuple[str, str, Iterable[Any]]], where: str) -> str:
        quote, options = self.quote_name_unless_alias, self.query.get_meta()
        pairs = ", ".join(f"{quote(column)} = s.{quote('new_' + column)}" for column, *_ in assignments)
        return (
            f"MERGE INTO {quote(options.db_table)} AS t USING ({self._new_values(assignments, where)}) AS s"
            f" ON t.{quote(options.pk.column)} = s.key WHEN MATCHED THEN UPDATE SET {pairs}"
        )

    def _guarded(
        self, assignments: Sequence[tuple[str, str, Iterable[Any]]], where: str, keys: Sequence[Sequence[str]]
    ) -> str:
        """Return a MERGE that fails as a whole when a unique value would stand in two rows afterwards.

        Rows that the update leaves alone are `others`; a clash is a new value found there, or twice among the new.
        """
        quote, options = self.quote_name_unless_alias, self.query.get_meta()
        table, pk = quote(options.db_table), quote(options.pk.column)
        written = {column for column, *_ in assignments}
        new = self._new_values(assignments, where)
        kept = [column for column in dict.fromkeys(chain(*keys)) if column not in written]
        if kept:
            carried = ", ".join(f"{table}.{quote(column)} AS {quote('new_' + column)}" for column in kept)
            new = new.replace(f", {table}.{pk} AS key FROM", f", {carried}, {table}.{pk} AS key FROM", 1)
        joins, clashes = [], []
        for number, key in enumerate(keys):
            same = " AND ".join(f"o{number}.{quote(c)} = n.{quote('new_' + c)}" for c in key)
            joins.append(f"LEFT JOIN others AS o{number} ON {same}")
            group = ", ".join(f"n.{quote('new_' + c)}" for c in key)
            present = " AND ".join(f"n.{quote('new_' + c)} IS NOT NULL" for c in key)
            clashes.append(f"o{number}.{pk} IS NOT NULL OR ({present} AND COUNT(*) OVER (PARTITION BY {group}) > 1)")
        pairs = [f"{quote(column)} = s.{quote('new_' + column)}" for column in written]
        first = assignments[0][0]
        message = f"duplicate key in {options.db_table} ({'; '.join(', '.join(key) for key in keys)})"
        pairs[[*written].index(first)] = (
            f"{quote(first)} = CASE WHEN s.clash THEN RAISE_ERROR('{message}') ELSE s.{quote('new_' + first)} END"
        )
        return (
            f"MERGE INTO {table} AS t USING (WITH n AS ({new}),"
            f" others AS (SELECT r.* FROM {table} AS r LEFT ANTI JOIN n ON r.{pk} = n.key)"
            f" SELECT n.*, ({' OR '.join(clashes)}) AS clash FROM n {' '.join(joins)}) AS s"
            f" ON t.{pk} = s.key WHEN MATCHED THEN UPDATE SET {', '.join(pairs)}"
        )
