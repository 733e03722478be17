"""A conversation as the pages of training files list it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from templates_app.form_fields import words_of

# Names of files differ at their end.
BEGIN, END = 12, 17


def listed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row with a name that fits a table, and its persona, arc and topic in words."""
    scaffolding = {"persona": "persona_key", "arc": "emotional_arc_key", "topic": "training_topic_key"}
    words = {name: words_of(str(row[key] or ""), upper=False) or "—" for name, key in scaffolding.items()}
    return {**row, **words, "short_name": _both_ends(row["source_file"])}


def _both_ends(name: str) -> str:
    return name if len(name) <= BEGIN + END + 1 else f"{name[:BEGIN]}…{name[-END:]}"
