"""The patterns of a schema, matched in a time that grows with the text alone: Python's own matcher can take for ever."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def pattern_faults(keyword: str, value: Any) -> list[str]:
    """Return what is wrong with a keyword of a schema that holds patterns: RE2 must know them, and names have none."""
    if keyword == "patternProperties":
        return ["output_schema: patternProperties is not allowed; name each field under properties"]
    if keyword != "pattern" or not isinstance(value, str):
        return []
    try:
        found(value, "")
    except pa.ArrowInvalid as error:
        words = str(error).removeprefix("Invalid regular expression: ")
        return [f"output_schema: the pattern {value!r} is not one of RE2, which has no look-around: {words}"]
    return []


def found(pattern: str, text: str) -> bool:
    """Return whether the pattern is somewhere in the text."""
    return bool(pc.match_substring_regex(pa.scalar(text), pattern).as_py())
