"""What a form or an address says, read so that nothing which somebody makes up is an error of the server."""

from __future__ import annotations

LONGEST = 10


def whole(text: str) -> int | None:
    """Return the whole number that was given, or None for what is none, or too long to be a version or a size."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < LONGEST else None
