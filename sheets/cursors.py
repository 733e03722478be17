"""Cursors over items: the last item_ref seen and the place of the next one, opaque to the caller."""

from __future__ import annotations

import base64
import binascii
import json

from workbench.api.paging import bad_cursor


def encoded(item_ref: str, position: int) -> str:
    """Return the cursor of the page that starts behind `item_ref`, at `position`."""
    return base64.urlsafe_b64encode(json.dumps([item_ref, position]).encode()).decode().rstrip("=")


def decoded(cursor: str) -> tuple[str, int]:
    """Return item_ref and position; ValidationError for a text that `encoded` did not make."""
    try:
        match json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))):
            case [str() as item_ref, int() as position] if position >= 0:
                item_ref.encode()  # a lone surrogate is no text that the lakehouse could be asked for
                return item_ref, position
    except (binascii.Error, ValueError, RecursionError):
        pass
    raise bad_cursor(cursor)
