"""Mistakes of the configuration, found before anything runs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from governance.sensitive.presidio import EXTRA, lacking


@register()
def check_presidio(**_: Any) -> list[CheckMessage]:
    """Return an error where WORKBENCH_PRESIDIO names a model that cannot be loaded, or Presidio is not installed."""
    model: str = settings.PRESIDIO
    if not model or not (missing := lacking(model)):
        return []
    hint = f"Do `{EXTRA}` and `python -m spacy download en_core_web_lg`, and name that model; or unset the variable."
    return [Error(f"WORKBENCH_PRESIDIO={model!r}: {missing}.", hint=hint, id="governance.E001")]
