"""A value found in a row, in the form a field of the output schema asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

NOTHING: Any = object()

_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y")
_YES_NO = {"true": True, "yes": True, "y": True, "1": True, "false": False, "no": False, "n": False, "0": False}
# Between words a mark is as good as a blank; behind or before all of them it may be what tells two options apart.
_JOINT = re.compile(r"(?<=[^\W\d_])[\s_./-]+(?=[^\W_])|(?<=\d)[\s_./-]+(?=[^\W\d_])")
_GROUPED = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?")
_NEXT_LABEL = re.compile(r"(?P<value>\s*\S.*?)\s(?P<label>[^\s:]+ [^\s:]+):(?=\s)")
_LINE_READ = 2_000  # characters: a longer line is prose, whose colons are no labels
_SEPARATORS = ("\n", ";", "|", ",")


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """A name without case, spaces and marks: "Patient Name" and patient_name are the same."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


@lru_cache(maxsize=4096)
def name_words(name: str) -> frozenset[str]:
    """The words of a name, without the plural s: "Procedure Codes" → {"procedure", "code"}."""
    spaced = "".join(letter if letter.isalnum() else " " for letter in name.casefold())
    return frozenset(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in spaced.split())


def fit(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value in the schema's type (dates ISO, amounts numbers, lists split, enums spelt as listed), or NOTHING."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return NOTHING
    if isinstance(value, str):
        value = value.strip()
    if options := schema.get("enum"):
        return _option(value, options)
    kinds = schema.get("type", "any")
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if (found := _FITTING[kind](value, schema)) is not NOTHING:
            return found
    return NOTHING


def labelled_values(text: str) -> Iterator[tuple[str, str, bool]]:
    """Each "Label: value" of a text, one to a line or between bars, semicolons and tabs, and whether its end is certain.

    Where a line has several ("Name: Ann Lee Due Date: May 1"), nothing tells where a label begins: it is taken as two words.
    """
    for mark in ("|", ";", "\t", "\r"):
        text = text.replace(mark, "\n")
    for line in text.split("\n"):
        label, _, rest = line[:_LINE_READ].partition(":")
        while rest:
            found = _NEXT_LABEL.match(rest)
            value = found["value"] if found else rest
            if 0 < len(label.strip()) <= 40 and 0 < len(value.strip()) <= 200:
                yield label.strip(), value.strip(), found is None
            label, rest = (found["label"], rest[found.end() :]) if found else ("", "")


def _option(value: Any, options: Sequence[Any]) -> Any:
    """The option that the value equals, as a number or as text; else the only one that is spelt like it."""
    number = _number(value, {})
    for option in options:
        same = option == number if _is_number(option) else option is not None and str(option) == str(value)
        if same:
            return option
    wanted = _joined(str(value))
    alike = [
        option for option in options if not (option is None or _is_number(option)) and _joined(str(option)) == wanted
    ]
    return alike[0] if len(alike) == 1 else NOTHING


def _is_number(option: Any) -> bool:
    return isinstance(option, int | float) and not isinstance(option, bool)


def _joined(text: str) -> str:
    """A text without case, and without what stands between its words: "Solder Bridge" and solder_bridge are the same."""
    return _JOINT.sub("", text.casefold().strip())


def _text(value: Any, schema: Mapping[str, Any]) -> Any:
    kind = schema.get("format")
    if kind in ("date", "date-time"):
        return _moment(value, kind)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return NOTHING if isinstance(value, Mapping | list | tuple | bytes) else str(value)


def _moment(value: Any, kind: str) -> Any:
    if isinstance(value, str):
        value = _read_moment(value)
    if isinstance(value, datetime):
        # Lakehouse times without a zone are UTC.
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return aware.date().isoformat() if kind == "date" else aware.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) and kind == "date" else NOTHING


def _read_moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _DATES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _number(value: Any, _: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        value = value.strip("$€£ ").removesuffix(" USD").removesuffix(" EUR").rstrip(" ,")
        # "12,50" is no 1250, and whose comma it is nobody knows.
        value = value.replace(",", "") if _GROUPED.fullmatch(value) else value
    if isinstance(value, bool | date) or not isinstance(value, str | int | float | Decimal):
        return NOTHING
    try:
        number = Decimal(value) if isinstance(value, int) else Decimal(str(value))
    except InvalidOperation:
        return NOTHING
    # Beyond what JSON numbers hold exactly for everyone a guess would be worse than nothing.
    if not number.is_finite() or abs(number) >= 2**53:
        return NOTHING
    return int(number) if number == number.to_integral_value() else float(number)


def _integer(value: Any, schema: Mapping[str, Any]) -> Any:
    number = _number(value, schema)
    return number if isinstance(number, int) else NOTHING


def _yes_no(value: Any, _: Mapping[str, Any]) -> Any:
    return value if isinstance(value, bool) else _YES_NO.get(str(value).casefold(), NOTHING)


def _list(value: Any, schema: Mapping[str, Any]) -> Any:
    items = schema.get("items", {})
    parts = _parts(value) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not isinstance(items, Mapping):
        return NOTHING
    fitted = [fit(part, items) for part in parts]
    return NOTHING if any(part is NOTHING for part in fitted) else fitted


def _parts(text: str) -> list[Any]:
    if text.startswith("["):
        try:
            return list(json.loads(text))
        except ValueError:
            text = text.strip("[]")
    mark = next((mark for mark in _SEPARATORS if mark in text), None)
    return [part.strip() for part in text.split(mark) if part.strip()] if mark else [text]


def _object(value: Any, schema: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return NOTHING
    if not isinstance(value, Mapping):
        return NOTHING
    fields = schema.get("properties", {})
    kept = {} if schema.get("additionalProperties") is False else dict(value)
    fitted = {
        name: fit(value[name], field) for name, field in fields.items() if name in value and isinstance(field, Mapping)
    }
    return {**kept, **{name: part for name, part in fitted.items() if part is not NOTHING}}


_FITTING: dict[str, Any] = {
    "string": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _yes_no,
    "array": _list,
    "object": _object,
    "null": lambda _value, _schema: NOTHING,
    "any": lambda value, _schema: value,
}
