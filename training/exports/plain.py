"""Writes the lines of many pairs at once, beside Python, which takes several times as long to write them one by one.

Stored messages are canonical JSON, so mostly a line has their very bytes with other ones around the contents. One regular
expression finds the messages of which that is so, and what stands around their contents is replaced; all others are left
to Python, which judges them. The expression only matches what Python would write in the same bytes:

- each message exactly a content and a role, by the chat rules;
- no character escaped by its number, nor any that need not be: with the other escapes all writers of JSON agree;
- texts that begin with something to be seen, so none is blank.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import cache

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from training.exports.shapes import Shape
from training.ledger import Exclusion
from workbench.canonical import canonical_json

# Longer conversations are rare.
SEQUENCES = (("system", "user", "assistant"), ("user", "assistant"))
# RE2, by Arrow: neither a control character, a space of Unicode, a quote nor an escape; then anything that is JSON.
_FIRST = r'[^"\\\x00-\x20\x7f-\x{a0}\x{1680}\x{2000}-\x{200f}\x{2028}-\x{202f}\x{205f}\x{3000}\x{feff}]'
_REST = r'(?:[^"\\\x00-\x1f]|\\["\\bfnrt])*'


def plain_lines(messages: pa.ChunkedArray, shape: Shape) -> tuple[pa.Array, pa.Array]:
    """Return the line of each pair's messages, with its newline, and the messages of those that have none here."""
    texts = messages.combine_chunks()
    lines, left = pa.nulls(len(texts), pa.string()), texts.is_valid()
    for roles in SEQUENCES:
        if pc.any(left).as_py():
            lines = pc.replace_with_mask(lines, left, _written(texts.filter(left), roles, shape))
            left = pc.and_(texts.is_valid(), lines.is_null())
    return lines, pc.if_else(left, texts, None) if pc.any(left).as_py() else pa.nulls(len(texts), pa.string())


def _written(texts: pa.Array, roles: Sequence[str], shape: Shape) -> pa.Array:
    """Return the lines of messages that are of these roles, and null for others."""
    parts = _parts(shape, roles)
    if parts is None:
        return pa.nulls(len(texts), pa.string())
    found = pc.if_else(pc.match_substring_regex(texts, _pattern(roles)), texts, None)
    (head, *between, tail), (first, *middle, last) = _around(roles), parts
    # In messages that match, what stands between the contents is nowhere in them: each quote there is escaped.
    for around, part in zip(between, middle, strict=True):
        found = pc.replace_substring(found, around, part, max_replacements=1)
    # The ends are where they are: looking for them takes longer than all the rest.
    found = pc.binary_replace_slice(found.view(pa.binary()), 0, len(head), first.encode())
    return pc.binary_replace_slice(found, -len(tail), sys.maxsize, last.encode()).view(pa.string())


@cache
def _around(roles: Sequence[str]) -> Sequence[str]:
    """Return what stands before, between and after the contents of stored messages."""
    return re.split(r"content \d", canonical_json(_said(roles)))


def _said(roles: Sequence[str]) -> list[dict[str, str]]:
    return [{"role": role, "content": f"content {at}"} for at, role in enumerate(roles)]


@cache
def _pattern(roles: Sequence[str]) -> str:
    content = _FIRST + _REST
    return f"^{content.join(re.escape(around) for around in _around(roles))}$"


@cache
def _parts(shape: Shape, roles: Sequence[str]) -> Sequence[str] | None:
    """Return what stands around the contents in a line, as a shape writes it.

    None where the shape refuses messages of these roles, or has their contents in another order.
    """
    record = shape(_said(roles), "")
    if isinstance(record, Exclusion):
        return None
    parts = re.split(r"content (\d)", orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE).decode())
    return parts[::2] if parts[1::2] == [str(at) for at in range(len(roles))] else None
