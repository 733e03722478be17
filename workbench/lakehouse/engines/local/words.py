"""The small pieces of commands: dotted names, quoted texts, lists of key = value."""

from __future__ import annotations

import re

from sqlglot import exp

from . import errors
from .translate import parse

_PART = re.compile(r"`([^`]+)`|([^\s.`]+)")


def parts(name: str | None) -> tuple[str, ...]:
    """The parts of a dotted name, without backticks."""
    return tuple(quoted or plain for quoted, plain in _PART.findall(name or ""))


def text(quoted: str | None) -> str | None:
    """The value of a quoted text; None for NULL and for nothing."""
    if quoted is None or quoted.upper() == "NULL":
        return None
    found = parse(f"SELECT {quoted}").tree.expressions[0].unnest()
    return str(found.name)


def pairs(listed: str) -> dict[str, str]:
    """`'a' = 'b', c = 1` as a dict; a key alone has the value ''. ProgrammingError for anything else."""
    found: dict[str, str] = {}
    for item in parse(f"SELECT {listed}").tree.expressions if listed.strip() else ():
        key, value = (item.this, item.expression) if isinstance(item, exp.EQ) else (item, None)
        if not isinstance(key, exp.Literal | exp.Column | exp.Dot):
            raise errors.ProgrammingError(f"Found {listed.strip()[:80]!r}; allowed: 'key' = 'value', …")
        found[_plain(key)] = "" if value is None else _plain(value)
    return found


def _plain(item: exp.Expr) -> str:
    if isinstance(item, exp.Column | exp.Dot):
        return item.sql("databricks").replace("`", "")
    return item.name if isinstance(item, exp.Literal) else item.sql("databricks").strip("'")
