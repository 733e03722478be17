"""DDL: Delta tables with comments, informational keys, clustering and checks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import NotSupportedError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement
from django.db.models import CheckConstraint, Field, Index, Model
from django.db.models.constraints import BaseConstraint

from workbench.lakehouse.indexes import ClusterBy
from workbench.lakehouse.literals import literal
from workbench.lakehouse.names import stored_name


class DatabaseSchemaEditor(BaseDatabaseSchemaEditor):
    sql_create_table = "CREATE TABLE %(table)s (%(definition)s) USING DELTA"
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
    sql_alter_column_comment = "COMMENT ON COLUMN %(table)s.%(column)s IS %(comment)s"
    sql_primary_key = "CONSTRAINT %(name)s PRIMARY KEY (%(column)s)"

    def execute(self, sql: Any, params: Any = ()) -> None:
        """Literals stand in the statement itself, so without parameters a percent sign is no marker."""
        super().execute(sql, params or None)

    def table_sql(self, model: type[Model]) -> tuple[str, tuple[Any, ...]]:
        """Return CREATE TABLE with the informational primary key and the clustering of `ClusterBy`."""
        quote, options = self.quote_name, model._meta
        columns = [self._column(field) for field in options.local_concrete_fields]
        key = ", ".join(quote(field.column) for field in options.local_concrete_fields if field.primary_key)
        if key:
            columns.append(f"CONSTRAINT {quote(options.db_table + '_pk')} PRIMARY KEY ({key})")
        sql = self.sql_create_table % {"table": quote(options.db_table), "definition": ", ".join(columns)}
        for cluster in (index for index in options.indexes if isinstance(index, ClusterBy)):
            names = [options.get_field(name).column for name in cluster.fields]
            sql += f" CLUSTER BY ({', '.join(map(quote, names))})"
            sql += f" TBLPROPERTIES ('workbench.localPartition' = {self.quote_value(names[0])})"
        if options.db_table_comment:
            sql = sql.replace(" USING DELTA", f" USING DELTA COMMENT {self.quote_value(options.db_table_comment)}", 1)
        self.deferred_sql.extend(
            constraint.create_sql(model, self)
            for constraint in options.constraints
            if isinstance(constraint, CheckConstraint)
        )
        return sql, ()

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

    def _has_column(self, table: str, column: str) -> bool:
        if self.collect_sql:
            return False
        with self.connection.cursor() as cursor:
            found = self.connection.introspection.get_table_description(cursor, table)
        return stored_name(column) in {info.name for info in found}

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
            self.execute(*self._alter_column_comment_sql(model, new_field, new_type, new_field.db_comment)[0])

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

    def alter_unique_together(self, model: type[Model], old: Iterable[Any], new: Iterable[Any]) -> None: ...

    def add_constraint(self, model: type[Model], constraint: BaseConstraint) -> None:
        if isinstance(constraint, CheckConstraint):
            super().add_constraint(model, constraint)

    def remove_constraint(self, model: type[Model], constraint: BaseConstraint) -> None:
        if isinstance(constraint, CheckConstraint):
            super().remove_constraint(model, constraint)

    def _alter_many_to_many(self, model: type[Model], old: Any, new: Any, strict: bool) -> None:
        raise NotSupportedError("Keep many-to-many relations as they are: make a new one and copy its rows.")
