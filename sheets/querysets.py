"""Sheets, and what they read that a user may not see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sheets.names import name_of
from workbench.sheet_rights import OfSheetQuerySet, rights_of

if TYPE_CHECKING:
    from sheets.models import Sheet  # noqa: F401 - named in the brackets below


class SheetQuerySet(OfSheetQuerySet["Sheet"]):
    def sources_hidden_from(self, user: Any) -> frozenset[str]:
        """Return the tables `c.s.t` and volumes `/volumes/c/s/v` that only sheets read which the user may not see."""
        hidden = rights_of(user).hidden
        if not hidden:
            return frozenset()
        read: dict[bool, set[str]] = {True: set(), False: set()}
        for key, sources in self.sources():
            read[key in hidden].update(sources)
        return frozenset(read[True] - read[False])

    def sources(self) -> Iterator[tuple[str, set[str]]]:
        """Yield the key of each sheet with the tables and volumes that it reads, named as above."""
        for key, table, secondary in self.values_list("pk", "primary_table", "secondary_sources"):
            yield key, {name_of(table), *sources_in(secondary)}


def sources_in(secondary: Any) -> Iterator[str]:
    """Yield the tables and volumes that a sheet's secondary sources name, whatever was given as such."""
    for source in secondary if isinstance(secondary, list) else ():
        if isinstance(source, Mapping):
            yield name_of(str(source.get("table") or source.get("path") or ""))
