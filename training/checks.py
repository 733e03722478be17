"""Mistakes of the configuration, found before anything runs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from training.files.profile import consultant
from training.files.storage import volume_name
from training.jobs.dispatch import DISPATCHERS, dispatcher
from workbench.near import listed
from workbench.problems import Invalid
from workbench.router import LAKEHOUSE


@register()
def check_jobs(**_: Any) -> list[CheckMessage]:
    """Return an error where WORKBENCH_JOBS names nothing that runs jobs, or what it names has not all it needs."""
    try:
        dispatcher()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint=f"Set WORKBENCH_JOBS to {listed(DISPATCHERS)}.", id="training.E001")]
    return _lacking() if settings.JOBS == "databricks" else []


@register()
def check_training_files(**_: Any) -> list[CheckMessage]:
    """Return an error where WORKBENCH_TRAINING_FILES names no volume, or the consultant's profile cannot be used."""
    found: list[CheckMessage] = []
    try:
        volume_name()
    except Invalid as problem:
        words = f"WORKBENCH_TRAINING_FILES is not accepted: {problem}"
        hint = "Set it to /Volumes/catalog/schema/volume, or leave it out for `training_files` beside the tables."
        found.append(Error(words, hint=hint, id="training.E005"))
    try:
        consultant()
    except ImproperlyConfigured as error:
        hint = "See docs/training-files.md, or leave it out for the profile of the package."
        found.append(Error(str(error), hint=hint, id="training.E006"))
    return found


def _lacking() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if connections["default"].vendor == "sqlite":
        words = "WORKBENCH_JOBS=databricks with SQLite: a run in the workspace could not reach users, queue and lease."
        hint = "Set WORKBENCH_DATABASE_URL to postgresql://… or lakebase://…, and the same in the saved job."
        found.append(Error(words, hint=hint, id="training.E002"))
    if connections[LAKEHOUSE].settings_dict["OPTIONS"].get("engine") != "databricks":
        words = "WORKBENCH_JOBS=databricks without a lakehouse in that workspace."
        hint = "Set WORKBENCH_LAKEHOUSE_URL=databricks://HOST/sql/1.0/warehouses/ID, and the same in the saved job."
        found.append(Error(words, hint=hint, id="training.E003"))
    if not settings.JOBS_ID:
        words = "WORKBENCH_JOBS=databricks names no job of the workspace."
        hint = "Make it from databricks_job.json, and set WORKBENCH_JOBS_ID to its id."
        found.append(Error(words, hint=hint, id="training.E004"))
    return found
