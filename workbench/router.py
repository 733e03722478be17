"""Sends each table to its home: concepts to Delta tables, Django's own tables to the default database."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import Model

LAKEHOUSE = "lakehouse"
CONCEPT_APPS = frozenset({"governance", "sheets", "templates_app", "labels", "training"})


class LakehouseRouter:
    """Concept apps live in `lakehouse`; users, sessions, admin log and queue in `default`. No key crosses.

    A model of a concept app that changes many times a second, or needs a transaction, says `lives_in = "default"`.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return _home(model._meta.app_label, model._meta.model_name)

    db_for_write = db_for_read

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        return self.db_for_read(type(one)) == self.db_for_read(type(other))

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool:
        return db == _home(app_label, model_name)


def _home(app_label: str, model_name: str | None) -> str:
    home = LAKEHOUSE if app_label in CONCEPT_APPS else "default"
    try:
        # Looked up by name: the model of a migration has the fields of the real one, but not its attributes.
        return getattr(apps.get_model(app_label, model_name or ""), "lives_in", home)
    except LookupError:
        return home
