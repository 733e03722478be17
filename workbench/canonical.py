from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import orjson

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
_KEY_IS_NO_TEXT = "Dict key must be str"
# The escaped character, not a backslash before "u0000".
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# Only a number of so many digits can need more than 64 bits.
_LONG = re.compile(rb"\d{19}")
_TEXT_OR_NUMBER = re.compile(rb'"(?:[^"\\]+|\\.)*"|-?\d+(?P<rest>[.eE\d+-]*)')
_LEAST, _MOST = -(2**63), 2**64 - 1


def canonical_json(value: Any) -> str:
    """One text for one value: JSON with sorted keys, UTF-8, no spaces; a `str` at the top is a text answer and stays.

    Decimals are numbers with their exact digits, without trailing zeros. Datetimes are UTC with `Z`, and one without a
    zone is taken as UTC, as the lakehouse stores them. Bytes are base64, timedeltas seconds. Keys of a map that are no
    text are the text that they have as values.
    Raises ValueError for NaN and infinity (JSON has none) and for what has no JSON form.
    """
    return value if isinstance(value, str) else canonical_bytes(value).decode()


def canonical_bytes(value: Any) -> bytes:
    """`canonical_json` as UTF-8 bytes, with a top-level `str` quoted like any other. Same errors."""
    try:
        text = _dumped(value)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"The value cannot be written as JSON: {error.__cause__ or error}.") from error
    # orjson writes NaN as null, so only a text with a null can hide one.
    if b"null" in text and (path := _not_finite(value, "")):
        raise ValueError(f"{path} is NaN or infinite, which JSON cannot hold. Use null or a number.")
    return text


def _dumped(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=_plain, option=_OPTIONS)
    except orjson.JSONEncodeError as error:
        if str(error) != _KEY_IS_NO_TEXT:
            raise
    # Only now, as it takes ten times as long.
    return orjson.dumps(with_text_keys(value), default=_plain, option=_OPTIONS)


def with_text_keys(value: Any) -> Any:
    """Return the value with the keys of its maps as text; JSON has no other keys."""
    if isinstance(value, Mapping):
        return {_key(key): with_text_keys(item) for key, item in value.items()}
    return [with_text_keys(item) for item in value] if isinstance(value, list | tuple) else value


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    text = canonical_bytes(key).decode()
    return str(orjson.loads(text)) if text.startswith('"') else text


def read_json(text: bytes | str) -> Any:
    """Return the value of a JSON text, each number as it was written.

    ValueError for what is no JSON, and for a whole number beyond 64 bits: orjson would read another one, a float.
    """
    value, raw = orjson.loads(text), text.encode() if isinstance(text, str) else text
    if _LONG.search(raw):
        for found in _TEXT_OR_NUMBER.finditer(raw):
            if found["rest"] == b"" and not _is_64_bit(found[0]):
                raise ValueError(
                    f"found the whole number {found[0][:40].decode()}; allowed are {_LEAST} to {_MOST}: send it as text"
                )
    return value


def _is_64_bit(digits: bytes) -> bool:
    # By length first, because Python reads no number of thousands of digits.
    return len(digits) <= 20 and _LEAST <= int(digits) <= _MOST


def storing_faults(value: Any) -> list[str]:
    """Return why the JSON value that somebody gave cannot be kept; empty where it can."""
    try:
        text = canonical_bytes(value)
    except ValueError as error:
        return [str(error)]
    return ["Found the character U+0000, which PostgreSQL keeps in no text: leave it out."] if _NUL.search(text) else []


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return orjson.Fragment(_digits(value))
        case datetime():
            aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
            return aware.replace(tzinfo=None).isoformat() + "Z"
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
        case Mapping():
            return dict(value)
        case set() | frozenset():
            return sorted(value)
    raise TypeError(
        f"found {type(value).__name__}; allowed are text, numbers, booleans, null, times, lists and objects"
    )


def _digits(value: Decimal) -> bytes:
    if not value.is_finite():
        raise TypeError(f"found the decimal {value}; JSON has only finite numbers")
    if not value:
        return b"0"
    # Not normalize(): that rounds to the context's 28 digits, and DECIMAL holds 38.
    # Beyond 40 places plain digits would only be zeros; the exponent form is JSON as well.
    if not -40 < value.adjusted() < 40:
        return str(value).encode()
    plain = format(value, "f")
    return (plain.rstrip("0").rstrip(".") if "." in plain else plain).encode()


def _not_finite(value: Any, path: str) -> str:
    """The path of the first NaN or infinity, or ""."""
    if isinstance(value, float):
        return "" if math.isfinite(value) else (path or "The value")
    if isinstance(value, Mapping):
        return next((hit for key, item in value.items() if (hit := _not_finite(item, f"{path}.{key}".lstrip(".")))), "")
    if isinstance(value, list | tuple):
        return next((hit for at, item in enumerate(value) if (hit := _not_finite(item, f"{path}[{at}]"))), "")
    return ""
