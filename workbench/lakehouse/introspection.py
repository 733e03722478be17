"""What the lakehouse says of its own tables, by `information_schema`."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from django.db.backends.base.introspection import BaseDatabaseIntrospection

COLUMNS = """
    SELECT column_name, full_data_type, is_nullable, column_default, comment
    FROM information_schema.columns
    WHERE table_schema = %s AND table_name = %s
    ORDER BY ordinal_position
"""
# One row for each column of a key, with the column that it refers to; one row of NULLs for a table without keys.
KEYS = """
    SELECT c.constraint_name, c.constraint_type, k.column_name, u.table_name, u.column_name
    FROM information_schema.tables AS t
    LEFT JOIN information_schema.table_constraints AS c
      ON c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.constraint_type <> 'CHECK'
    LEFT JOIN information_schema.key_column_usage AS k
      ON k.constraint_schema = c.constraint_schema AND k.constraint_name = c.constraint_name
      AND k.table_name = c.table_name
    LEFT JOIN information_schema.referential_constraints AS r
      ON r.constraint_schema = c.constraint_schema AND r.constraint_name = c.constraint_name
    LEFT JOIN information_schema.key_column_usage AS u
      ON u.constraint_schema = r.unique_constraint_schema AND u.constraint_name = r.unique_constraint_name
      AND u.ordinal_position = k.position_in_unique_constraint
    WHERE t.table_schema = %s AND t.table_name = %s
    ORDER BY c.constraint_name, k.ordinal_position
"""
CHECK_PROPERTY = "delta.constraints."
TABLES = "SELECT table_name, comment FROM information_schema.tables WHERE table_schema = %s ORDER BY table_name"


class TableInfo(NamedTuple):
    """Django's own fields, and the comment that `inspectdb` asks for."""

    name: str
    type: str
    comment: str | None


class FieldInfo(NamedTuple):
    """Django's own fields, and the comment that `inspectdb` asks for."""

    name: str
    type_code: str
    display_size: int | None
    internal_size: int | None
    precision: int | None
    scale: int | None
    null_ok: bool
    default: str | None
    collation: str | None
    comment: str | None


class DatabaseIntrospection(BaseDatabaseIntrospection):
    data_types_reverse = {
        "bigint": "BigIntegerField",
        "binary": "BinaryField",
        "boolean": "BooleanField",
        "date": "DateField",
        "double": "FloatField",
        "int": "IntegerField",
        "smallint": "SmallIntegerField",
        "string": "TextField",
        "timestamp": "DateTimeField",
    }

    @property
    def _schema(self) -> str:
        return str(self.connection.settings_dict["OPTIONS"]["schema"])

    def get_field_type(self, data_type: str, description: Any) -> str:
        if data_type.startswith("decimal"):
            return "DecimalField"
        if data_type.startswith("array"):
            return "workbench.lakehouse.fields.ArrayField"
        return super().get_field_type(data_type, description)

    def get_table_list(self, cursor: Any) -> list[TableInfo]:
        cursor.execute(TABLES, [self._schema])
        return [TableInfo(name, "t", comment) for name, comment in cursor.fetchall()]

    def get_table_description(self, cursor: Any, table_name: str) -> list[FieldInfo]:
        cursor.execute(COLUMNS, [self._schema, table_name])
        return [
            FieldInfo(name, kind.lower(), None, None, *_digits(kind), nullable == "YES", default, None, comment)
            for name, kind, nullable, default, comment in cursor.fetchall()
        ]

    def get_sequences(self, cursor: Any, table_name: str, table_fields: Any = ()) -> list[dict[str, str]]:
        return []

    def get_relations(self, cursor: Any, table_name: str) -> dict[str, tuple[str, str]]:
        """Return for each column with an informational foreign key the column and the table that it names."""
        cursor.execute(KEYS, [self._schema, table_name])
        return {column: (to_column, to_table) for _, _, column, to_table, to_column in cursor.fetchall() if to_table}

    def get_constraints(self, cursor: Any, table_name: str) -> dict[str, dict[str, Any]]:
        """Return the informational keys and the enforced checks; nothing for a table that does not exist."""
        cursor.execute(KEYS, [self._schema, table_name])
        rows = cursor.fetchall()
        found: dict[str, dict[str, Any]] = {}
        for name, kind, column, to_table, to_column in rows:
            if name is None:
                continue
            key = found.setdefault(name, _constraint())
            key["columns"].append(column)
            key["primary_key"] = key["unique"] = kind == "PRIMARY KEY"
            key["foreign_key"] = (to_table, to_column) if to_table else None
        return found | (self._checks(cursor, table_name) if rows else {})

    def _checks(self, cursor: Any, table_name: str) -> dict[str, dict[str, Any]]:
        """Unity Catalog lists checks among the table's properties only."""
        cursor.execute(f"SHOW TBLPROPERTIES {self.connection.ops.quote_name(table_name)}")
        return {
            key.removeprefix(CHECK_PROPERTY): _constraint() | {"check": True, "columns": _columns_of(text)}
            for key, text in cursor.fetchall()
            if key.startswith(CHECK_PROPERTY)
        }


def _constraint() -> dict[str, Any]:
    return {"columns": [], "primary_key": False, "unique": False, "foreign_key": None, "check": False, "index": False,
            "orders": [], "type": None}  # fmt: skip


def _columns_of(check: str) -> list[str]:
    """Return the columns that a check names; the schema editor quotes each of them."""
    return list(dict.fromkeys(re.findall(r"`([^`]+)`", check)))


def _digits(kind: str) -> tuple[int | None, int | None]:
    """Return precision and scale of `DECIMAL(12,2)`; no other type has them."""
    found = re.fullmatch(r"decimal\((\d+), ?(\d+)\)", kind.lower())
    return (int(found[1]), int(found[2])) if found else (None, None)
