"""Test databases: a directory of its own for each test run and worker."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.db.backends.base.creation import BaseDatabaseCreation


class DatabaseCreation(BaseDatabaseCreation):
    def _get_test_db_name(self) -> str:
        name = self.connection.settings_dict["TEST"]["NAME"]
        return name or str(Path(tempfile.gettempdir()) / f"test_lakehouse_{self.connection.alias}")

    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        directory = Path(self._get_test_db_name())
        if directory.exists() and not keepdb:
            shutil.rmtree(directory)
        directory.mkdir(parents=True, exist_ok=True)
        return str(directory)

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        shutil.rmtree(test_database_name, ignore_errors=True)

    def get_test_db_clone_settings(self, suffix: str) -> dict[str, Any]:
        return {**self.connection.settings_dict, "NAME": f"{self.connection.settings_dict['NAME']}_{suffix}"}

    def _clone_test_db(self, suffix: str, verbosity: int, keepdb: bool = False) -> None:
        source = self.connection.settings_dict["NAME"]
        target = self.get_test_db_clone_settings(suffix)["NAME"]
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)

    def test_db_signature(self) -> tuple[str, ...]:
        return (self.connection.settings_dict["ENGINE"], self._get_test_db_name())
