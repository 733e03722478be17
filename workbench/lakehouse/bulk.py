"""Many rows at once, as one commit: Arrow into a model's table, and what is missing of some objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson
import pyarrow as pa
from django.core.exceptions import FieldError
from django.db import connections, router
from django.db.models import NOT_PROVIDED, Field, Model
from django.db.models.constants import OnConflict as Conflict
from django.db.models.sql import InsertQuery

from workbench.lakehouse.compiler import insert_sql, unique_columns, within_partition
from workbench.lakehouse.literals import adapted
from workbench.lakehouse.names import stored_name
from workbench.lakehouse.rows import OnConflict, Rows, arrow_type


@dataclass(frozen=True, repr=False)
class ArrowRows(Rows):
    """Rows that are an Arrow table already; `columns` are the types they are written as."""

    arrow: pa.Table = None

    def __repr__(self) -> str:
        return f"<{self.arrow.num_rows} rows of {self.table}>"

    def to_arrow(self) -> pa.Table:
        """Return the table in the columns' types; a value outside its type raises `pa.ArrowInvalid`."""
        return self.arrow.cast(pa.schema([(name, arrow_type(kind)) for name, kind in self.columns]))


def append_arrow(model: type[Model], table: pa.Table, on_conflict: OnConflict = "error") -> int:
    """Write the rows as one commit and return how many were written.

    The table has the model's column names (`sheet_id`, not `sheet`), with JSON as canonical text. Columns left out
    take the field's default, one value for all rows, or NULL; a primary key is always given. A key that exists raises
    IntegrityError, or is skipped with `on_conflict="ignore"`. FieldError for columns that the model lacks or needs,
    DataError for a value that does not fit its column.
    """
    connection = connections[router.db_for_write(model)]
    fields = {stored_name(str(field.column)): field for field in model._meta.local_concrete_fields}
    complete = _completed(model, fields, table, connection)
    rows = ArrowRows(
        table=model._meta.db_table,
        columns=[(name, str(fields[name].db_type(connection))) for name in complete.column_names],
        values=(),
        keys=unique_columns(model),
        on_conflict=on_conflict,
        within=within_partition(model),
        arrow=complete,
    )
    with connection.cursor() as cursor:
        cursor.execute(insert_sql(rows, connection.ops.quote_name), cast(Any, [rows]))
        return int(cursor.rowcount)


def insert_missing(objects: Sequence[Model]) -> int:
    """Insert the objects of which no key is in their table yet, in one statement, and return how many those were."""
    if not objects:
        return 0
    model = type(objects[0])
    query = InsertQuery(model, on_conflict=Conflict.IGNORE)
    query.insert_values(model._meta.concrete_fields, list(objects))
    using = router.db_for_write(model)
    ((sql, params),) = query.get_compiler(using).as_sql()
    with connections[using].cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def _completed(model: type[Model], fields: dict[str, Field[Any, Any]], table: pa.Table, connection: Any) -> pa.Table:
    """Return the table with the columns that it leaves out."""
    label, given = model._meta.label, table.column_names
    if unknown := sorted(set(given) - fields.keys()):
        raise FieldError(f"{label} has no columns {', '.join(unknown)}; it has {', '.join(fields)}.")
    absent = {name: field for name, field in fields.items() if name not in given}
    if needed := [n for n, f in absent.items() if f.primary_key or (f.default is NOT_PROVIDED and not f.null)]:
        raise FieldError(f"{label} needs the columns {', '.join(needed)}; the table has {', '.join(given)}.")
    for name, field in absent.items():
        value = adapted(field.get_db_prep_save(field.get_default(), connection))
        kind = arrow_type(str(field.db_type(connection)))
        table = table.append_column(name, pa.repeat(pa.scalar(value, kind), table.num_rows))
    return table


def update_next(rows: Sequence[Model], columns: Sequence[str]) -> int:
    """Set the columns where the stored row is one `version` behind, in one commit; return how many were set.

    For optimistic writers: a row that another changed meanwhile stays as it is.
    """
    return _update_versioned(rows, columns, "t.`version` + 1 = s.`version`")


def update_newer(rows: Sequence[Model], columns: Sequence[str]) -> int:
    """Set the columns where the stored row has a smaller `version`, in one commit; return how many were set."""
    return _update_versioned(rows, columns, "t.`version` < s.`version`")


def _update_versioned(rows: Sequence[Model], columns: Sequence[str], condition: str) -> int:
    model = type(rows[0])
    connection = connections[router.db_for_write(model)]
    quote, key = connection.ops.quote_name, str(model._meta.pk.column)
    match = [name for name in (within_partition(model), key) if name]
    fields = {str(field.column): field for field in model._meta.local_concrete_fields}
    names = list(dict.fromkeys([*match, "version", *columns]))
    struct = ", ".join(f"{quote(name)}: {fields[name].db_type(connection)}" for name in names)
    values = [
        {
            name: adapted(fields[name].get_db_prep_save(fields[name].pre_save(row, add=False), connection))
            for name in names
        }
        for row in rows
    ]
    on = " AND ".join(f"t.{quote(name)} = s.{quote(name)}" for name in match)
    assignments = ", ".join(f"{quote(name)} = s.{quote(name)}" for name in columns)
    sql = (
        f"MERGE INTO {quote(model._meta.db_table)} AS t USING (SELECT INLINE(FROM_JSON(%s, 'ARRAY<STRUCT<{struct}>>'))) AS s"
        f" ON {on} WHEN MATCHED AND {condition} THEN UPDATE SET {assignments}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [orjson.dumps(values).decode()])
        return int(cursor.rowcount)
