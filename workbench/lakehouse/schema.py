"""DDL for Unity Catalog: Delta tables with comments, clustering, informational keys and enforced checks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, NotSupportedError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement
from django.db.models import CheckConstraint, Field, ForeignKey, Index, Model, UniqueConstraint
from django.db.models.constraints import BaseConstraint

from workbench.lakehouse.indexes import ClusterBy
from workbench.lakehouse.literals import literal
from workbench.lakehouse.names import stored_name

# delta-rs, polars and many other readers refuse tables with deletion vectors or mapped columns, and a workspace may
# switch both on for new tables.
PROPERTIES = {"delta.columnMapping.mode": "none", "delta.enableDeletionVectors": "false"}
FOREIGN_KEY_SUFFIX = "_fk_%(to_table)s_%(to_column)s"


class DatabaseSchemaEditor(BaseDatabaseSchemaEditor):
    """Keys are informational and never RELY: an optimizer that trusts a key answers wrongly where one stands twice."""

    sql_delete_table = "DROP TABLE %(table)s"
    sql_rename_table = "ALTER TABLE %(old_table)s RENAME TO %(new_table)s"
    sql_create_column = "ALTER TABLE %(table)s ADD COLUMN %(column)s %(definition)s"
    sql_delete_column = "ALTER TABLE %(table)s DROP COLUMN %(column)s"
    sql_rename_column = "ALTER TABLE %(table)s RENAME COLUMN %(old_column)s TO %(new_column)s"
    sql_alter_column_type = "ALTER COLUMN %(column)s TYPE %(type)s"
    sql_alter_column_null = "ALTER COLUMN %(column)s DROP NOT NULL"
    sql_alter_column_not_null = "ALTER COLUMN %(column)s SET NOT NULL"
    sql_create_check = "ALTER TABLE %(table)s ADD CONSTRAINT %(name)s CHECK (%(check)s)"
    sql_delete_check = "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s"
    sql_alter_table_comment = "COMMENT ON TABLE %(table)s IS %(comment)s"
    sql_alter_column_comment = "ALTER TABLE %(table)s ALTER COLUMN %(column)s COMMENT %(comment)s"
    sql_create_fk = (
        "ALTER TABLE %(table)s ADD CONSTRAINT %(name)s FOREIGN KEY (%(column)s) "
        "REFERENCES %(to_table)s (%(to_column)s)%(deferrable)s NOT ENFORCED"
    )

    def execute(self, sql: Any, params: Any = ()) -> None:
        """Literals stand in the statement itself, so without parameters a percent sign is no marker."""
        super().execute(sql, params or None)

    def table_sql(self, model: type[Model]) -> tuple[str, tuple[Any, ...]]:
        """Return CREATE TABLE; foreign keys and checks follow at the end of the migration, when all tables are there."""
        quote, options = self.quote_name, model._meta
        parts = [self._column(field) for field in options.local_concrete_fields]
        key = ", ".join(quote(field.column) for field in options.local_concrete_fields if field.primary_key)
        if key:
            parts.append(f"CONSTRAINT {quote(options.db_table + '_pk')} PRIMARY KEY ({key}) NOT ENFORCED")
        self.deferred_sql += [
            self._create_fk_sql(model, field, FOREIGN_KEY_SUFFIX) for field in options.local_fields if _refers(field)
        ]
        self.deferred_sql += [self._check_sql(model, field) for field in options.local_fields if self._check(field)]
        self.deferred_sql += [
            constraint.create_sql(model, self)
            for constraint in options.constraints
            if isinstance(constraint, CheckConstraint)
        ]
        return f"CREATE TABLE {quote(options.db_table)} ({', '.join(parts)}) USING DELTA{self._clauses(model)}", ()

    def _clauses(self, model: type[Model]) -> str:
        clauses, properties = "", dict(PROPERTIES)
        for cluster in (index for index in model._meta.indexes if isinstance(index, ClusterBy)):
            columns = [str(model._meta.get_field(name).column) for name in cluster.fields]
            clauses += f" CLUSTER BY ({', '.join(map(self.quote_name, columns))})"
            properties["workbench.localPartition"] = columns[0]
        if model._meta.db_table_comment:
            clauses += f" COMMENT {self.quote_value(model._meta.db_table_comment)}"
        listed = ", ".join(f"{self.quote_value(key)} = {self.quote_value(value)}" for key, value in properties.items())
        return f"{clauses} TBLPROPERTIES ({listed})"

    def _column(self, field: Field[Any, Any]) -> str:
        parts = [self.quote_name(field.column), str(field.db_type(self.connection))]
        if not field.null:
            parts.append("NOT NULL")
        if field.db_comment:
            parts.append(f"COMMENT {self.quote_value(field.db_comment)}")
        return " ".join(parts)

    def create_model(self, model: type[Model]) -> None:
        self.execute(*self.table_sql(model))
        for field in model._meta.local_many_to_many:
            if field.remote_field.through._meta.auto_created:
                self.create_model(field.remote_field.through)

    def add_field(self, model: type[Model], field: Field[Any, Any]) -> None:
        """Add a column to a table with data: as nullable, then filled, then NOT NULL; each step may be repeated."""
        if field.many_to_many:
            if field.remote_field.through._meta.auto_created:
                self.create_model(field.remote_field.through)
            return
        if field.db_type(self.connection) is None:
            return
        table, column = self.quote_name(model._meta.db_table), self.quote_name(field.column)
        if not self._has_column(model._meta.db_table, field.column):
            comment = f" COMMENT {self.quote_value(field.db_comment)}" if field.db_comment else ""
            self.execute(f"ALTER TABLE {table} ADD COLUMN {column} {field.db_type(self.connection)}{comment}")
        default = self.effective_default(field)
        if default is not None:
            self.execute(f"UPDATE {table} SET {column} = {self.quote_value(default)} WHERE {column} IS NULL")
        if not field.null:
            self.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
        if field.unique:
            self._refuse_repeated(model, [field])
        self._add_constraints(model, field, bool(_refers(field)), bool(self._check(field)))

    def remove_field(self, model: type[Model], field: Field[Any, Any]) -> None:
        if not field.many_to_many:
            self._drop_constraints(model, field, bool(_refers(field)), bool(self._check(field)))
        super().remove_field(model, field)

    def _has_column(self, table: str, column: str) -> bool:
        if self.collect_sql:
            return False
        with self.connection.cursor() as cursor:
            found = self.connection.introspection.get_table_description(cursor, table)
        return stored_name(column) in {info.name for info in found}

    def _check(self, field: Field[Any, Any]) -> str | None:
        found: str | None = field.db_parameters(self.connection)["check"]
        return found

    def _check_sql(self, model: type[Model], field: Field[Any, Any]) -> Statement:
        name = self.quote_name(f"{model._meta.db_table}_{field.column}_check")
        statement: Statement = self._create_check_sql(model, name, self._check(field))
        return statement

    def _constraints(
        self, model: type[Model], field: Field[Any, Any], key: bool, check: bool
    ) -> list[tuple[str, Statement]]:
        """Return what adds the field's constraints, each with the name that introspection has for its kind."""
        found = [("foreign_key", self._create_fk_sql(model, field, FOREIGN_KEY_SUFFIX))] if key else []
        return found + ([("check", self._check_sql(model, field))] if check else [])

    def _add_constraints(self, model: type[Model], field: Field[Any, Any], key: bool, check: bool) -> None:
        for _, statement in self._constraints(model, field, key, check):
            if not self._has_constraint(model, str(statement.parts["name"])):
                self.execute(statement)

    def _drop_constraints(self, model: type[Model], field: Field[Any, Any], key: bool, check: bool) -> None:
        declared = {constraint.name for constraint in model._meta.constraints}
        for kind, statement in self._constraints(model, field, key, check):
            names = self._constraint_names(model, [field.column], exclude=declared, **{kind: True})
            if self.collect_sql and not names:
                # The migration that adds it may be in the same plan.
                names = [str(statement.parts["name"])]
            for name in names:
                self.execute(self._delete_constraint_sql(self.sql_delete_check, model, name))

    def _has_constraint(self, model: type[Model], name: str) -> bool:
        """Say whether an interrupted migration has added it already; no transaction undid it."""
        if self.collect_sql:
            return False
        with self.connection.cursor() as cursor:
            found = self.connection.introspection.get_constraints(cursor, model._meta.db_table)
        return name.strip("`").lower() in {known.lower() for known in found}

    def _alter_field(
        self,
        model: type[Model],
        old_field: Field[Any, Any],
        new_field: Field[Any, Any],
        old_type: str,
        new_type: str,
        old_db_params: Any,
        new_db_params: Any,
        strict: bool = False,
    ) -> None:
        table, column = self.quote_name(model._meta.db_table), self.quote_name(new_field.column)
        old_key, new_key = _refers(old_field), _refers(new_field)
        old_check, new_check = old_db_params["check"], new_db_params["check"]
        other_key, other_check = old_key != new_key, old_check != new_check
        if new_field.unique and not old_field.unique:
            self._refuse_repeated(model, [old_field])
        self._drop_constraints(model, old_field, other_key and bool(old_key), other_check and bool(old_check))
        if old_field.column != new_field.column:
            self.execute(f"ALTER TABLE {table} RENAME COLUMN {self.quote_name(old_field.column)} TO {column}")
        if old_type != new_type:
            self.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {new_type}")
        if old_field.null and not new_field.null:
            default = self.effective_default(new_field)
            if default is not None:
                self.execute(f"UPDATE {table} SET {column} = {self.quote_value(default)} WHERE {column} IS NULL")
            self.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
        if new_field.null and not old_field.null:
            self.execute(f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL")
        if old_field.db_comment != new_field.db_comment:
            self.execute(*self._alter_column_comment_sql(model, new_field, new_type, new_field.db_comment))
        self._add_constraints(model, new_field, other_key and bool(new_key), other_check and bool(new_check))

    def prepare_default(self, value: Any) -> str:
        return self.quote_value(value)

    def quote_value(self, value: Any) -> str:
        return literal(value)

    # Delta has no indexes and enforces no UNIQUE; the guarded insert of the compiler does.

    def add_index(self, model: type[Model], index: Index) -> None:
        if isinstance(index, ClusterBy):
            raise NotSupportedError(
                f"{model._meta.label} has data already: name ClusterBy in the migration that creates its table."
            )

    def remove_index(self, model: type[Model], index: Index) -> None: ...

    def rename_index(self, model: type[Model], old_index: Index, new_index: Index) -> None: ...

    def _model_indexes_sql(self, model: type[Model]) -> list[Statement | None]:
        return []

    def alter_unique_together(self, model: type[Model], old: Iterable[Any], new: Iterable[Any]) -> None:
        for names in {tuple(each) for each in new} - {tuple(each) for each in old}:
            self._refuse_repeated(model, [model._meta.get_field(name) for name in names])

    def add_constraint(self, model: type[Model], constraint: BaseConstraint) -> None:
        if isinstance(constraint, UniqueConstraint):
            if constraint.condition is not None or constraint.contains_expressions:
                raise NotSupportedError(
                    f"The lakehouse checks unique columns only, not {constraint.name} of {model._meta.label}: name the "
                    "columns without condition or expressions, or keep what must be unique in a column of its own."
                )
            self._refuse_repeated(model, [model._meta.get_field(name) for name in constraint.fields])
        if isinstance(constraint, CheckConstraint) and not self._has_constraint(model, constraint.name):
            super().add_constraint(model, constraint)

    def remove_constraint(self, model: type[Model], constraint: BaseConstraint) -> None:
        if isinstance(constraint, CheckConstraint):
            super().remove_constraint(model, constraint)

    def _refuse_repeated(self, model: type[Model], fields: Iterable[Any]) -> None:
        """IntegrityError where rows of the table share values that shall be unique; only later writes are guarded."""
        if self.collect_sql:
            return
        table, quoted = model._meta.db_table, [self.quote_name(field.column) for field in fields]
        columns, present = ", ".join(quoted), " AND ".join(f"{each} IS NOT NULL" for each in quoted)
        groups = f"SELECT {columns}, COUNT(*) FROM {self.quote_name(table)} WHERE {present} GROUP BY {columns}"
        with self.connection.cursor() as cursor:
            cursor.execute(f"{groups} HAVING COUNT(*) > 1 LIMIT 1")
            found = cursor.fetchone()
        if found:
            raise IntegrityError(
                f"{found[-1]} rows of {table} have the same {columns}, {found[:-1]!r}: change or delete all but one of "
                "each, then migrate again."
            )

    def _alter_many_to_many(self, model: type[Model], old: Any, new: Any, strict: bool) -> None:
        raise NotSupportedError("Keep many-to-many relations as they are: make a new one and copy its rows.")


def _refers(field: Field[Any, Any]) -> str | None:
    """Return the table that the field's foreign key names; Unity Catalog takes keys to primary keys only."""
    if not isinstance(field, ForeignKey) or not field.db_constraint or not field.target_field.primary_key:
        return None
    return str(field.target_field.model._meta.db_table)
