"""Sends each table to its home: concepts to Delta tables, Django's own tables to the default database."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

LAKEHOUSE = "lakehouse"
CONCEPT_APPS = frozenset({"governance", "sheets", "templates_app", "labels", "training"})


class LakehouseRouter:
    """Concept apps live in `lakehouse`; users, sessions, admin log and queue in `default`. No key crosses."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return LAKEHOUSE if model._meta.app_label in CONCEPT_APPS else "default"

    db_for_write = db_for_read

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        return self.db_for_read(type(one)) == self.db_for_read(type(other))

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == LAKEHOUSE) == (app_label in CONCEPT_APPS)
