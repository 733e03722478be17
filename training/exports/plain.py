"""Writes the lines of many pairs at once, beside Python, which takes several times as long to write them one by one.

Stored messages are canonical JSON, so mostly a line has their very bytes in another order. One regular expression takes
the texts out of messages that are exactly of known roles, and a line is these texts between the constant parts of a
record. What the expression does not match is left to Python, which judges it; so it only matches what Python would
write in the same bytes:

- each message exactly a content and a role, by the chat rules;
- no character escaped by its number, nor any that need not be: with the other escapes all writers of JSON agree;
- texts that begin with something to be seen, so none is blank.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from training.exports.shapes import Shape
from training.ledger import Exclusion

# Longer conversations are rare.
SEQUENCES = (("system", "user", "assistant"), ("user", "assistant"))
# RE2, by Arrow: neither a control character, a space of Unicode, a quote nor an escape; then anything that is JSON.
_FIRST = r'[^"\\\x00-\x20\x7f-\x{a0}\x{1680}\x{2000}-\x{200f}\x{2028}-\x{202f}\x{205f}\x{3000}\x{feff}]'
_REST = r'(?:[^"\\\x00-\x1f]|\\["\\bfnrt])*'


def plain_lines(messages: pa.ChunkedArray, shape: Shape) -> pa.Array:
    """Return the line of each pair's messages with its newline, and null for those that Python has to look at."""
    texts = messages.combine_chunks()
    lines = pa.nulls(len(texts), pa.string())
    for roles in SEQUENCES:
        if lines.null_count:
            contents = pc.extract_regex(texts, _pattern(roles)).flatten()
            lines = pc.coalesce(lines, _joined(_parts(shape, roles), contents))
    return lines


@cache
def _pattern(roles: Sequence[str]) -> str:
    said = (rf'\{{"content":"(?P<c{at}>{_FIRST}{_REST})","role":"{role}"\}}' for at, role in enumerate(roles))
    return rf"^\[{','.join(said)}\]$"


@cache
def _parts(shape: Shape, roles: Sequence[str]) -> Sequence[str | int] | None:
    """Return what a record is made of, texts and which content comes between them, as its shape makes it."""
    record = shape([{"role": role, "content": f"content {at}"} for at, role in enumerate(roles)], "")
    if isinstance(record, Exclusion):
        return None
    line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE).decode()
    return [int(part) if at % 2 else part for at, part in enumerate(re.split(r"content (\d)", line))]


def _joined(parts: Sequence[str | int] | None, contents: Sequence[pa.Array]) -> pa.Array:
    """Return the parts with the contents between them, null where these are; all null where a shape refuses the roles."""
    if parts is None:
        return pa.nulls(len(contents[0]), pa.string())
    pieces = [contents[part] if isinstance(part, int) else part for part in parts]
    return pc.binary_join_element_wise(*pieces, "", null_handling="emit_null")
