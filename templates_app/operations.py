"""What templates may do with values: filters, tests, operators and methods, each charged before it runs."""

from __future__ import annotations

import functools
import html
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from typing import Any

from jinja2 import Environment, pass_environment
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.filters import make_attrgetter
from jinja2.tests import TESTS as JINJA_TESTS
from jinja2.utils import _PassArg  # the decorator's own mark, without which a wrapped filter loses its environment

from templates_app.metering import MAX_BITS, check_format, check_width, meter
from templates_app.problems import TemplateLimitError
from workbench.canonical import canonical_json

# Pure, of linear cost, of use in a prompt. Left out: `attr` (a way around the sandbox), `random` (a prompt is the same
# every time), `striptags` `urlize` `wordwrap` `pprint` (quadratic on hostile text), `safe` `xmlattr` (HTML).
FILTERS = (
    "abs", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "filesizeformat", "first", "float",
    "format", "groupby", "indent", "int", "items", "join", "last", "length", "list", "lower", "map", "max", "min",
    "reject", "rejectattr", "replace", "reverse", "round", "select", "selectattr", "slice", "sort", "string", "sum",
    "title", "trim", "truncate", "unique", "upper", "urlencode", "wordcount",
)  # fmt: skip

_TEXT = (
    "capitalize", "casefold", "center", "count", "endswith", "find", "index", "isalnum", "isalpha", "isascii",
    "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper", "join", "ljust", "lower",
    "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition",
    "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill",
)  # fmt: skip
_TIMES = (
    "year", "month", "day", "hour", "minute", "second", "microsecond", "weekday", "isoweekday", "isoformat",
    "strftime", "date", "time", "days", "seconds", "total_seconds",
)  # fmt: skip
_PADS = frozenset({"center", "ljust", "rjust", "zfill"})
TEXT_METHODS = frozenset(_TEXT)
TIME_ATTRIBUTES = frozenset(_TIMES)
MAPPING_METHODS = frozenset({"get", "items", "keys", "values"})
LIST_METHODS = frozenset({"count", "index"})


def filters() -> dict[str, Any]:
    """Filter name → function, metered."""
    plain: dict[str, Any] = {name: JINJA_FILTERS[name] for name in FILTERS}
    own: dict[str, Any] = {"join": _join, "tojson": _to_json, "e": _escape, "escape": _escape}
    return {name: _metered(name, function) for name, function in (plain | own).items()}


def tests() -> dict[str, Any]:
    """Test name → function, metered."""
    return {name: _metered_test(function) for name, function in JINJA_TESTS.items()}


def binary(operator: str, left: Any, right: Any) -> None:
    """Charges `left operator right` before it runs."""
    meter().value(left)
    meter().value(right)
    if operator == "%" and isinstance(left, str):
        check_format(left, right)
    elif operator == "*":
        _repeat(left, right)
        _repeat(right, left)
    elif operator == "**" and isinstance(left, int) and isinstance(right, int):
        _bits(left.bit_length() * max(right, 0))
    elif operator == "+" and isinstance(left, str) and isinstance(right, str):
        meter().text(len(left) + len(right))


def method(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Charges a call before it runs; a method of text that can make more of it is looked at by name."""
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if not isinstance(owner, str):
        return
    meter().value(owner)
    if name in _PADS:
        check_width(args[0] if args else 0)
    elif name == "replace":
        _replacing(owner, *args[:2])
    elif name == "join":
        _joining(args[0] if args else (), owner)
    elif kwargs:
        meter().value(dict(kwargs))


def concat(parts: Iterable[Any]) -> str:
    """`a ~ b`: the parts as one text."""
    texts = []
    for part in parts:
        meter().value(part)
        text = str(part)
        meter().text(len(text))
        texts.append(text)
    return "".join(texts)


def _metered(name: str, function: Any) -> Callable[..., Any]:
    passed = _PassArg.from_obj(function) is not None

    @functools.wraps(function)  # keeps the mark that says what is passed first
    def charged(*args: Any, **kwargs: Any) -> Any:
        given = args[1:] if passed else args
        for value in (*given, *kwargs.values()):
            meter().value(value)
        if check := _CHECKS.get(name):
            check(*given, **kwargs)
        return _charged_result(function(*args, **kwargs))

    return charged


def _metered_test(function: Any) -> Callable[..., Any]:
    @functools.wraps(function)
    def charged(*args: Any, **kwargs: Any) -> Any:
        meter().spend(1)
        return function(*args, **kwargs)

    return charged


def _charged_result(result: Any) -> Any:
    if isinstance(result, Iterator):
        return meter().through(result)
    meter().value(result)
    return result


def _repeat(value: Any, times: Any) -> None:
    if not isinstance(times, int):
        return
    if isinstance(value, int):
        _bits(value.bit_length() + times.bit_length())
    elif isinstance(value, str | bytes):
        meter().text(len(value) * max(times, 0))
    elif isinstance(value, Sized):
        before = meter().left
        meter().value(value)
        meter().spend((before - meter().left) * max(times, 0))


def _bits(bits: int) -> None:
    if bits > MAX_BITS:
        raise TemplateLimitError(f"The template makes a number of {bits:,} bits; allowed are {MAX_BITS:,}.")


def _replacing(text: Any, old: Any = "", new: Any = "", *_: Any) -> None:
    turns = str(text).count(str(old)) if old else len(str(text)) + 1
    meter().text(len(str(text)) + turns * len(str(new)))


def _joining(items: Any, separator: str) -> None:
    if isinstance(items, Sized) and isinstance(items, Iterable):
        meter().text(sum(len(item) + len(separator) for item in items if isinstance(item, str)))
    else:
        raise TemplateLimitError("The method join takes a list here. Use the filter: items | join(', ').")


def _number_start(_: Any, attribute: Any = None, start: Any = 0) -> None:
    if not isinstance(start, int | float):
        raise TemplateLimitError("The filter sum adds numbers; its start is a number.")


def _widths(_: Any, *args: Any, **kwargs: Any) -> None:
    for value in (*args, *kwargs.values()):
        check_width(value)


def _indenting(text: Any, width: Any = 4, *_: Any, **__: Any) -> None:
    check_width(width if isinstance(width, int) else len(str(width)))
    lines = str(text).count("\n") + 1
    meter().text(len(str(text)) + lines * (width if isinstance(width, int) else len(str(width))))


def _formatting(text: Any, *args: Any, **kwargs: Any) -> None:
    check_format(str(text), kwargs or args)


_CHECKS: dict[str, Callable[..., None]] = {
    "batch": _widths,
    "center": _widths,
    "format": _formatting,
    "indent": _indenting,
    "replace": _replacing,
    "round": _widths,
    "slice": _widths,
    "sum": _number_start,
    "tojson": _widths,
}


@pass_environment
def _join(environment: Environment, items: Iterable[Any], separator: Any = "", attribute: Any = None) -> str:
    if attribute is not None:
        items = map(make_attrgetter(environment, attribute), items)
    texts = []
    for item in items:
        meter().value(item)
        texts.append(str(item))
        meter().text(len(texts[-1]) + len(str(separator)))
    return str(separator).join(texts)


def _to_json(value: Any, indent: int | None = None) -> str:
    """JSON as training answers are written; Jinja's own escapes < and > for HTML, which spoils a prompt."""
    text = canonical_json([value])[1:-1]
    if indent is None:
        return text
    return json.dumps(json.loads(text), ensure_ascii=False, indent=indent, sort_keys=True)


def _escape(value: Any) -> str:
    return html.escape(str(value))
