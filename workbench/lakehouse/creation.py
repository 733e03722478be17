"""Test databases: a directory of its own for each test run and worker, or a schema of its own on a warehouse."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.creation import TEST_DATABASE_PREFIX, BaseDatabaseCreation


class DatabaseCreation(BaseDatabaseCreation):
    real_schema = ""

    @property
    def _on_warehouse(self) -> bool:
        return bool(self.connection.settings_dict["OPTIONS"].get("engine", "local") != "local")

    @property
    def _test_schema(self) -> str:
        """The schema of a warehouse for tests: `TEST["SCHEMA"]`, else named after the real one."""
        entry = self.connection.settings_dict
        real = self.real_schema or entry["OPTIONS"]["schema"]
        name = str(entry["TEST"].get("SCHEMA") or TEST_DATABASE_PREFIX + real)
        if name == real:
            raise ImproperlyConfigured(f"The tests would drop the schema {real}: give TEST another SCHEMA.")
        return name

    def _get_test_db_name(self) -> str:
        if self._on_warehouse:
            # The path of the warehouse, where the schema alone changes.
            return str(self.connection.settings_dict["NAME"])
        name = self.connection.settings_dict["TEST"]["NAME"]
        return name or str(Path(tempfile.gettempdir()) / f"test_lakehouse_{self.connection.alias}")

    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        if self._on_warehouse:
            return self._create_schema(keepdb=keepdb)
        directory = Path(self._get_test_db_name())
        if directory.exists() and not keepdb:
            shutil.rmtree(directory)
        directory.mkdir(parents=True, exist_ok=True)
        return str(directory)

    def _create_schema(self, *, keepdb: bool) -> str:
        options, schema = self.connection.settings_dict["OPTIONS"], self._test_schema
        with self.connection.cursor() as cursor:
            if not keepdb:
                cursor.execute(f"DROP SCHEMA IF EXISTS {self._quoted(schema)} CASCADE")
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {self._quoted(schema)}")
        self.real_schema, options["schema"] = options["schema"], schema
        return self._get_test_db_name()

    def _quoted(self, schema: str) -> str:
        quote = self.connection.ops.quote_name
        return f"{quote(self.connection.settings_dict['OPTIONS']['catalog'])}.{quote(schema)}"

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        if not self._on_warehouse:
            shutil.rmtree(test_database_name, ignore_errors=True)
            return
        with self.connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {self._quoted(self._test_schema)} CASCADE")
        self.connection.close()
        self.connection.settings_dict["OPTIONS"]["schema"] = self.real_schema

    def get_test_db_clone_settings(self, suffix: str) -> dict[str, Any]:
        if self._on_warehouse:
            raise ImproperlyConfigured("A warehouse has one schema for tests: run them without --parallel.")
        return {**self.connection.settings_dict, "NAME": f"{self.connection.settings_dict['NAME']}_{suffix}"}

    def _clone_test_db(self, suffix: str, verbosity: int, keepdb: bool = False) -> None:
        source = self.connection.settings_dict["NAME"]
        target = self.get_test_db_clone_settings(suffix)["NAME"]
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)

    def test_db_signature(self) -> tuple[str, ...]:
        entry = self.connection.settings_dict
        place = (entry["HOST"], str(entry["PORT"]), self._test_schema) if self._on_warehouse else ()
        return (entry["ENGINE"], self._get_test_db_name(), *place)
