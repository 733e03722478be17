"""The label that stands for an item, as it was read or written lately: for those who must not wait for the lakehouse.

It is kept in files beside the default database, so that it is known to all processes of a machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.core.cache import caches

from labels.models import CanonicalLabel
from sheets.item_page import AHEAD_FOR

UNREAD: Any = object()


@dataclass(frozen=True, slots=True)
class Standing:
    """A label with who gave its answer. Where it waits for a second opinion, `known_to` are who may see it of those who may give one.

    One that was written just now `is_read` by nobody: it may wait where second opinions are asked, and then only its writer sees it of them.
    """

    key: str
    version: int
    by: str
    answer: Any
    known_to: frozenset[str] | None = None
    is_read: bool = True

    def may_be_seen(self, actor: str, *, gives_opinions: bool) -> bool:
        return not gives_opinions or self.known_to is None or actor in self.known_to


def standing_lately(sheet_id: str, label_type: str, item_ref: str) -> Standing | None:
    """Return the label as far as this machine knows, without reading it; None for no label, UNREAD where nobody looked."""
    found: Standing | None = caches["ahead"].get(_key(sheet_id, label_type, item_ref), UNREAD)
    return found


def remember_standing(sheet_id: str, label_type: str, item_ref: str, standing: Standing | None) -> None:
    caches["ahead"].set(_key(sheet_id, label_type, item_ref), standing, AHEAD_FOR)


def tell_written(label: CanonicalLabel) -> None:
    """Have the label known that was written just now."""
    by, asked = label.last_modified_by, caches["ahead"].get(_asked_key(label.sheet_id, label.label_type), True)
    known = frozenset([by]) if asked else None
    standing = Standing(label.pk, label.version, by, label.label_data, known, is_read=False)
    remember_standing(label.sheet_id, label.label_type, label.item_ref, standing)


def forget_standing(sheet_id: str, label_type: str, item_ref: str) -> None:
    """Have the label read anew: who may see it has changed."""
    caches["ahead"].delete(_key(sheet_id, label_type, item_ref))


def remember_asked(sheet_id: str, label_type: str, is_asked: bool) -> None:
    """Remember whether second opinions are asked for the task."""
    caches["ahead"].set(_asked_key(sheet_id, label_type), is_asked, AHEAD_FOR)


def is_asked_known(sheet_id: str, label_type: str) -> bool:
    return caches["ahead"].has_key(_asked_key(sheet_id, label_type))


def _asked_key(sheet_id: str, label_type: str) -> str:
    return f"asked-{sha256(chr(0).join((sheet_id, label_type)).encode()).hexdigest()}"


def _key(sheet_id: str, label_type: str, item_ref: str) -> str:
    return f"standing-{sha256(chr(0).join((sheet_id, label_type, item_ref)).encode()).hexdigest()}"
