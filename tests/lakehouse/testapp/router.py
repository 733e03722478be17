"""Sends the throwaway apps to the lakehouse; it stands before the project's own router."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from workbench.router import LAKEHOUSE

THROWAWAY = ("testapp", "growing")


class TestappRouter:
    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return LAKEHOUSE if model._meta.app_label in THROWAWAY else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return db == LAKEHOUSE if app_label in THROWAWAY else None
