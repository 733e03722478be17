"""Where another's answer differs from one's own, in words: for the message on a page that works without scripts."""

from __future__ import annotations

from typing import Any

from templates_app.changes import WHOLE, Change, changes_between
from templates_app.form_fields import MISSING
from workbench.canonical import canonical_json
from workbench.concepts import short

MOST = 8


def theirs_in_words(theirs: Any, mine: Any) -> str:
    """Return "Theirs differs from yours: severity is “minor”, yours “major”.", with paths as `changes` writes them."""
    if mine is MISSING:
        return f"Theirs: {_value(theirs)}."
    changes = changes_between(mine, theirs)
    if not changes:
        return "Theirs is the same answer as yours."
    rest = len(changes) - MOST
    more = f"; and {rest} more" if rest > 0 else ""
    return f"Theirs differs from yours: {'; '.join(map(_said, changes[:MOST]))}{more}."


def _said(change: Change) -> str:
    name = "it" if change["field_path"] == WHOLE else change["field_path"]
    theirs, mine = _value(change["new_value"]), _value(change["old_value"])
    match change.get("op"):
        case "add":
            return f"{name} is {theirs}, which yours does not have"
        case "remove":
            return f"{name} is missing, yours {mine}"
    return f"{name} is {theirs}, yours {mine}"


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    return f"“{short(value)}”" if isinstance(value, str) else short(canonical_json(value))
