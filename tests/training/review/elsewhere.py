"""What tests of review let other processes do; loading it loads the project and opens no table."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import django
from django.apps import apps

if not apps.ready:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workbench.settings")
    django.setup()

from django.db import connections

from training.review import applying
from workbench.router import LAKEHOUSE

KILLED = 9


def use(lakehouse: str, database: str) -> None:
    """Point this process at a lakehouse and a default database."""
    for alias, name in ((LAKEHOUSE, lakehouse), ("default", database)):
        connections.settings[alias]["NAME"] = name
        connections[alias].settings_dict["NAME"] = name


def apply_until(lakehouse: str, database: str, training_sheet_id: str, statement: int) -> None:
    """Apply what waits; the process is gone before its so-manyth statement that writes anything."""
    use(lakehouse, database)
    applying.LEASE = timedelta(seconds=0.2)
    left = [statement]

    def kill(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "review_sheets" not in sql and not sql.startswith("SELECT"):
            left[0] -= 1
            if not left[0]:
                os._exit(KILLED)
        return execute(sql, params, many, context)

    with connections["default"].execute_wrapper(kill), connections[LAKEHOUSE].execute_wrapper(kill):
        applying.apply_waiting(training_sheet_id, patience=10)
