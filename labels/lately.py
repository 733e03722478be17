"""When a label of a sheet got another version, for those who keep for a while what they read of labels."""

from __future__ import annotations

from uuid import uuid4

from django.core.cache import caches

# Seconds; nothing that depends on it is kept for as long.
TOLD_FOR = 600


def last_change(sheet_id: str) -> str:
    """Return something else after each change of a label of the sheet, as far as this machine has seen it."""
    told: str = caches["pages"].get(_key(sheet_id), "")
    return told


def tell_change(sheet_id: str) -> None:
    caches["pages"].set(_key(sheet_id), str(uuid4()), TOLD_FOR)


def _key(sheet_id: str) -> str:
    return f"labels-{sheet_id}"
