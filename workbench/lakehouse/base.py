"""The connection: what Django calls a database wrapper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper

from workbench.lakehouse import engines, functions
from workbench.lakehouse.client import DatabaseClient
from workbench.lakehouse.creation import DatabaseCreation
from workbench.lakehouse.cursor import LakehouseCursor
from workbench.lakehouse.features import DatabaseFeatures
from workbench.lakehouse.introspection import DatabaseIntrospection
from workbench.lakehouse.operations import DatabaseOperations
from workbench.lakehouse.schema import DatabaseSchemaEditor

functions.register()

TEXT_LIKE = "LIKE %s ESCAPE '\\\\'"
TEXT_ILIKE = "ILIKE %s ESCAPE '\\\\'"
COLUMN_PATTERN = "REPLACE(REPLACE(REPLACE({}, '\\\\', '\\\\\\\\'), '%%', '\\\\%%'), '_', '\\\\_')"


def _decimal(params: dict[str, Any]) -> str:
    return "DECIMAL({max_digits},{decimal_places})".format(
        max_digits=params["max_digits"] or 38, decimal_places=params["decimal_places"] or 0
    )


class DatabaseWrapper(BaseDatabaseWrapper):
    """One connection to a lakehouse. Every statement is one atomic Delta commit: `atomic()` gives no rollback."""

    vendor = "databricks"
    display_name = "Databricks SQL"
    SchemaEditorClass = DatabaseSchemaEditor
    client_class = DatabaseClient
    creation_class = DatabaseCreation
    features_class = DatabaseFeatures
    introspection_class = DatabaseIntrospection
    ops_class = DatabaseOperations

    data_types = {
        "AutoField": "BIGINT",
        "BigAutoField": "BIGINT",
        "SmallAutoField": "BIGINT",
        "BigIntegerField": "BIGINT",
        "BinaryField": "BINARY",
        "BooleanField": "BOOLEAN",
        "CharField": "STRING",
        "DateField": "DATE",
        "DateTimeField": "TIMESTAMP",
        "DecimalField": _decimal,
        "DurationField": "BIGINT",
        "FileField": "STRING",
        "FilePathField": "STRING",
        "FloatField": "DOUBLE",
        "GenericIPAddressField": "STRING",
        "IntegerField": "INT",
        "IPAddressField": "STRING",
        "JSONField": "STRING",
        "OneToOneField": "BIGINT",
        "PositiveBigIntegerField": "BIGINT",
        "PositiveIntegerField": "INT",
        "PositiveSmallIntegerField": "SMALLINT",
        "SlugField": "STRING",
        "SmallIntegerField": "SMALLINT",
        "TextField": "STRING",
        "TimeField": "STRING",
        "UUIDField": "STRING",
    }
    operators = {
        "exact": "= %s",
        "iexact": TEXT_ILIKE,
        "contains": TEXT_LIKE,
        "icontains": TEXT_ILIKE,
        "gt": "> %s",
        "gte": ">= %s",
        "lt": "< %s",
        "lte": "<= %s",
        "startswith": TEXT_LIKE,
        "endswith": TEXT_LIKE,
        "istartswith": TEXT_ILIKE,
        "iendswith": TEXT_ILIKE,
        "regex": "RLIKE %s",
        "iregex": "RLIKE CONCAT('(?i)', %s)",
    }
    pattern_esc = COLUMN_PATTERN
    pattern_ops = {
        "contains": "LIKE CONCAT('%%', {}, '%%') ESCAPE '\\\\'",
        "icontains": "ILIKE CONCAT('%%', {}, '%%') ESCAPE '\\\\'",
        "startswith": "LIKE CONCAT({}, '%%') ESCAPE '\\\\'",
        "istartswith": "ILIKE CONCAT({}, '%%') ESCAPE '\\\\'",
        "endswith": "LIKE CONCAT('%%', {}) ESCAPE '\\\\'",
        "iendswith": "ILIKE CONCAT('%%', {}) ESCAPE '\\\\'",
    }

    def __init__(self, settings_dict: dict[str, Any], alias: str = DEFAULT_DB_ALIAS) -> None:
        super().__init__(settings_dict, alias)
        self.Database = engines.engine(settings_dict["OPTIONS"].get("engine", "local"))

    def get_connection_params(self) -> dict[str, Any]:
        return self.Database.options(self.settings_dict)

    def get_database_version(self) -> tuple[int, ...]:
        return (1,)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = self.Database.connect(**conn_params)
        self.Database.prepare(connection, *(self.ops.quote_name(conn_params[name]) for name in ("catalog", "schema")))
        return connection

    def init_connection_state(self) -> None:
        """Nothing is set per session: the engine fixes UTC and the default catalog when it connects."""

    def create_cursor(self, name: str | None = None) -> LakehouseCursor:
        return LakehouseCursor(self.Database, self.connection)

    def is_usable(self) -> bool:
        return self.connection is not None

    # Delta has no transaction over several statements. These hooks keep `atomic()` usable as a marker of
    # intent and for `on_commit`, and never pretend that anything was undone.
    def set_autocommit(self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False) -> None:
        """Remember the mode; nothing is sent, so nothing is logged as BEGIN."""
        self.validate_no_atomic_block()
        self.ensure_connection()
        self.autocommit = autocommit
        if autocommit and self.run_commit_hooks_on_set_autocommit_on:
            self.run_and_clear_commit_hooks()
            self.run_commit_hooks_on_set_autocommit_on = False

    def _set_autocommit(self, autocommit: bool) -> None:
        self.autocommit = autocommit

    def _commit(self) -> None: ...

    def _rollback(self) -> None: ...

    def validate_no_broken_transaction(self) -> None:
        """A failed statement changed nothing and nothing was begun, so the next one may always run."""

    def next_ids(self, table: str, column: str, count: int) -> Sequence[int]:
        """Return `count` integers above the table's largest key; only tables of Django itself have such keys.

        Two writers may be given the same ones: the guarded insert then refuses the second.
        """
        quote = self.ops.quote_name
        self.ensure_connection()
        with self.wrap_database_errors, LakehouseCursor(self.Database, self.connection) as cursor:
            cursor.execute(f"SELECT MAX({quote(column)}) FROM {quote(table)}")
            (largest,) = cursor.fetchone() or (0,)
        return range(int(largest or 0) + 1, int(largest or 0) + 1 + count)
