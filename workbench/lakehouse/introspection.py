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
        return {}

    def get_constraints(self, cursor: Any, table_name: str) -> dict[str, dict[str, Any]]:
        """Return the informational primary key, the one constraint that the table records for Django."""
        cursor.execute(
            """
            SELECT k.constraint_name, k.column_name FROM information_schema.key_column_usage AS k
            JOIN information_schema.table_constraints AS c
              ON c.constraint_name = k.constraint_name AND c.table_name = k.table_name AND c.table_schema = k.table_schema
            WHERE k.table_schema = %s AND k.table_name = %s AND c.constraint_type = 'PRIMARY KEY'
            ORDER BY k.ordinal_position
            """,
            [self._schema, table_name],
        )
        constraints: dict[str, dict[str, Any]] = {}
        for name, column in cursor.fetchall():
            entry = constraints.setdefault(name, {"columns": [], "primary_key": True, "unique": True})
            entry |= {"foreign_key": None, "check": False, "index": False, "orders": [], "type": None}
            entry["columns"].append(column)
        return constraints


def _digits(kind: str) -> tuple[int | None, int | None]:
    """Return precision and scale of `DECIMAL(12,2)`; no other type has them."""
    found = re.fullmatch(r"decimal\((\d+), ?(\d+)\)", kind.lower())
    return (int(found[1]), int(found[2])) if found else (None, None)
