"""Tables and volumes that only sheets read which a user may not see: for them the catalog does not have these either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sheets.models import Sheet
from workbench.problems import Invalid, NotFound
from workbench.sheet_rights import rights_of


def need_source(user: Any, name: str) -> None:
    """Raise NotFound where the table `c.s.t`, or the volume `/Volumes/c/s/v`, is not there for the user."""
    if name.lower().rstrip("/") in _hidden_from(user):
        raise NotFound(f"There is no {name}, or you may not see it.")


def need_file(user: Any, path: str) -> None:
    """Raise NotFound where the file `/Volumes/c/s/v/…` lies in a volume that is not there for the user."""
    need_source(user, "/".join(f"/{path.lstrip('/')}".split("/")[:5]))


def need_sources(user: Any, data: Mapping[str, Any]) -> None:
    """Raise Invalid where a sheet would read what is not there for the user; `data` has the names of a sheet's fields."""
    hidden = _hidden_from(user)
    words = "There is no {}, or you may not see it: ask a platform lead for rights on the sheet that reads it."
    if (table := str(data.get("primary_table") or "")).lower() in hidden:
        raise Invalid.of_fields("The sheet was not saved.", {"primary_table": [words.format(table)]})
    for name in _secondary(data.get("secondary_sources")):
        if name in hidden:
            raise Invalid.of_fields("The sheet was not saved.", {"secondary_sources": [words.format(name)]})


def _hidden_from(user: Any) -> frozenset[str]:
    hidden = rights_of(user).hidden
    if not hidden:
        return frozenset()
    read: dict[bool, set[str]] = {True: set(), False: set()}
    for key, table, sources in Sheet.objects.values_list("pk", "primary_table", "secondary_sources"):
        read[key in hidden] |= {table.lower(), *_secondary(sources)}
    return frozenset(read[True] - read[False])


def _secondary(sources: Any) -> Iterator[str]:
    for source in sources if isinstance(sources, list) else ():
        if isinstance(source, Mapping):
            yield str(source.get("table") or source.get("path") or "").lower().rstrip("/")
