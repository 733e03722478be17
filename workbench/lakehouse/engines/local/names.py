"""Names of catalogs, schemas, tables: how they are compared, quoted and suggested."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from . import errors

_ALLOWED = re.compile(r"[^\s./\\\x00-\x1f\x7f`\"][^./\\\x00-\x1f\x7f`\"]*\Z")


@dataclass(frozen=True, slots=True)
class TableName:
    """A three-level name, lower case: Unity Catalog compares names without case."""

    catalog: str
    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.catalog}.{self.schema}.{self.table}"

    @property
    def parts(self) -> tuple[str, str, str]:
        return self.catalog, self.schema, self.table


def checked(name: str, kind: str) -> str:
    """The name in lower case; ProgrammingError where it could not be a directory of its own."""
    if not _ALLOWED.match(name) or len(name) > 200 or name.lower() in ("volumes", "_delta_log"):
        raise errors.ProgrammingError(
            f"Found the {kind} name {name!r}. Names hold up to 200 characters, without dots, slashes, quotes or "
            "control characters, and are not 'volumes'. Choose another name."
        )
    return name.lower()


def quoted(name: str) -> str:
    """The name as a DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as a DuckDB string literal."""
    return "'" + text.replace("'", "''") + "'"


def unknown(kind: str, found: str, known: Iterable[str]) -> errors.ProgrammingError:
    """The error for a name that is not there, with the nearest names that are."""
    names = sorted(known)
    near = get_close_matches(found.lower(), names, n=3, cutoff=0.6)
    hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(names[:20]) or 'none'}."
    return errors.ProgrammingError(f"[{kind.upper()}_NOT_FOUND] Found {kind} {found}, which does not exist; {hint}")
