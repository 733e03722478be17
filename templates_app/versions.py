"""Semantic versions as templates carry them: three whole numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable

_VERSION = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")

Version = tuple[int, int, int]


def parsed(text: str) -> Version | None:
    """Return the three numbers of `1.0.0`, or None for a text that is no such version."""
    found = _VERSION.fullmatch(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def order(text: str) -> Version:
    """Return what to sort versions by; a text that is no version comes before all that are."""
    return parsed(text) or (-1, 0, 0)


def following(versions: Iterable[str]) -> str:
    """Return the next minor version above the highest: a copy answers the same task with other words."""
    major, minor, _ = max(map(order, versions), default=(-1, 0, 0))
    return "1.0.0" if major < 0 else f"{major}.{minor + 1}.0"
