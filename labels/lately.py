"""When a label of a sheet got another version, for those who keep for a while what they read of labels."""

from __future__ import annotations

from uuid import uuid4

from django.core.cache import caches

# Seconds. Nothing that depends on it is kept for as long; all of it is read anew when this is over, so it is a day.
TOLD_FOR = 86_400


def last_change(sheet_id: str) -> str:
    """Return a token that changes whenever a label of the sheet changes on this machine."""
    told: str = caches["pages"].get(_key(sheet_id), "")
    return told


def tell_change(sheet_id: str) -> None:
    caches["pages"].set(_key(sheet_id), str(uuid4()), TOLD_FOR)


def _key(sheet_id: str) -> str:
    return f"labels-{sheet_id}"
