"""What one answer looks like: whether it says anything, broke off, or says the same as another. No database inside."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import orjson

# What stands for a text that is no JSON: null is a value.
NO_JSON = object()
LONG_TEXT = 200
# Besides digits, behind which nothing need stand: full stops and other punctuation, closing brackets and quotes, symbols.
ENDINGS = {"Po", "Pe", "Pf", "So", "Sk", "Nd"}
MORE_ENDINGS = set('>|"')
# Commas of Latin, Arabic, Chinese and as wide as a Chinese character.
PAUSES = set(",\u060c\u3001\uff0c")
# Scripts without a full stop.
UNSTOPPED = ("THAI", "LAO")
# A last line up to this long may be a name under a letter, or the end of a list.
SHORT_LINE = 60


def parsed(answer: str) -> Any:
    """Return the value of an answer that is JSON, else NO_JSON."""
    try:
        return orjson.loads(answer)
    except orjson.JSONDecodeError:
        return NO_JSON


def comparable(answer: str, value: Any) -> bytes:
    """Return the same bytes for answers that say the same: keys and spaces of JSON may be in any order and number."""
    if isinstance(value, dict | list):
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:  # nested more deeply than can be written
            pass
    return answer.encode()


def short_text(value: Any, most: int) -> str | None:
    """Return a value of an answer as text, as JSON where it is none, or None where that is longer than `most`."""
    if isinstance(value, str):
        return value if len(value) <= most else None
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:  # nested more deeply than can be written
        return None
    return text if len(text) <= most else None


def says_the_same(one: str, other: str) -> bool:
    """Return whether two answers are the same text or the same JSON."""
    return one == other or comparable(one, parsed(one)) == comparable(other, parsed(other))


def is_empty(answer: str, value: Any) -> bool:
    """Return whether an answer has nothing to be seen: no visible character, or JSON with no more than empty leaves."""
    # Answers may be nested more deeply than Python calls itself.
    left = [answer if value is NO_JSON else value]
    while left:
        each = left.pop()
        if isinstance(each, dict | list):
            left += each.values() if isinstance(each, dict) else each
        elif not (each is None or (isinstance(each, str) and _is_invisible(each))):
            return False
    return True


def broke_off(answer: str, value: Any) -> bool:
    """Return whether an answer looks as if it stopped half way."""
    text = answer.rstrip()
    if text.endswith(("…", "...")) or text.count("```") % 2:
        return True
    if value is not NO_JSON or not text:
        return False
    if text[0] in "{[" and _opened(text) > 0:
        return True
    return len(text) > LONG_TEXT and not _is_ended(text)


def _opened(text: str) -> int:
    """Return how many more brackets are opened than closed."""
    return sum(text.count(each) for each in "{[") - sum(text.count(each) for each in "}]")


def _is_ended(text: str) -> bool:
    last = text[-1]
    if last in MORE_ENDINGS or (unicodedata.category(last) in ENDINGS and last not in PAUSES):
        return True
    if unicodedata.name(last, "").startswith(UNSTOPPED):
        return True
    lines: Sequence[str] = text.splitlines()
    return "://" in lines[-1].rsplit(" ", 1)[-1] or (len(lines) > 1 and len(lines[-1]) <= SHORT_LINE)


def _is_invisible(text: str) -> bool:
    """Return whether a text has only spaces, controls and what formats others, as a byte order mark."""
    return all(each.isspace() or unicodedata.category(each) in ("Cc", "Cf", "Mn") for each in text)
