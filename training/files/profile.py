"""Who speaks in the conversations of training files, from the file that WORKBENCH_CONSULTANT_PROFILE names."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from training.files.checking import first_problem


def consultant() -> dict[str, Any]:
    """Return `{"vertical", "consultant_profile"}`; ImproperlyConfigured for a file that cannot be used."""
    return _read(Path(settings.CONSULTANT_PROFILE))


@lru_cache(maxsize=4)
def _read(file: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ImproperlyConfigured(f"WORKBENCH_CONSULTANT_PROFILE={str(file)!r} cannot be read: {error}.") from error
    if not isinstance(found, dict) or not isinstance(found.get("vertical"), str):
        raise ImproperlyConfigured(
            f"WORKBENCH_CONSULTANT_PROFILE={str(file)!r} is not accepted: use an object with `vertical`, a text, and "
            "`consultant_profile`."
        )
    if problem := first_problem("profile", found.get("consultant_profile")):
        raise ImproperlyConfigured(f"WORKBENCH_CONSULTANT_PROFILE={str(file)!r}: consultant_profile{problem}.")
    return found
