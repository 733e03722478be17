"""`manage.py dbshell`: there is no shell program for Delta tables."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.client import BaseDatabaseClient


class DatabaseClient(BaseDatabaseClient):
    executable_name = "manage.py sql"

    @classmethod
    def settings_to_cmd_args_env(cls, settings_dict: dict[str, Any], parameters: list[str]) -> Any:
        raise ImproperlyConfigured('The lakehouse has no shell program: use `manage.py sql "SELECT …"`.')
