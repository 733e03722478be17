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
    apart = apart_in_words(theirs, mine, "yours")
    return f"Theirs differs from yours: {apart}." if apart else "Theirs is the same answer as yours."


def apart_in_words(theirs: Any, mine: Any, whose: str) -> str:
    """Return "severity is “minor”, yours “major”", where `whose` is "yours"; empty where both are the same answer."""
    changes = changes_between(mine, theirs)
    rest = len(changes) - MOST
    more = f"; and {rest} more" if rest > 0 else ""
    return "; ".join(_said(change, whose) for change in changes[:MOST]) + more


def _said(change: Change, whose: str) -> str:
    name = "it" if change["field_path"] == WHOLE else change["field_path"]
    theirs, mine = _value(change["new_value"]), _value(change["old_value"])
    match change.get("op"):
        case "add":
            return f"{name} is {theirs}, which {whose} does not have"
        case "remove":
            return f"{name} is missing, {whose} {mine}"
    return f"{name} is {theirs}, {whose} {mine}"


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    return f"“{short(value)}”" if isinstance(value, str) else short(canonical_json(value))
