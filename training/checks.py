"""Mistakes of the configuration, found before anything runs."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from training.jobs.dispatch import DISPATCHERS, dispatcher
from workbench.near import listed


@register()
def check_jobs(**_: Any) -> list[CheckMessage]:
    """Return an error where WORKBENCH_JOBS names nothing that runs jobs."""
    try:
        dispatcher()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint=f"Set WORKBENCH_JOBS to {listed(DISPATCHERS)}.", id="training.E001")]
    return []
