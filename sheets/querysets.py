"""Sheets, and what they read that a user may not see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sheets.names import name_of
from workbench.models import SheetGrant
from workbench.sheet_rights import OfSheetQuerySet, rights_of

if TYPE_CHECKING:
    from sheets.models import Sheet  # noqa: F401 - named in the brackets below


class SheetQuerySet(OfSheetQuerySet["Sheet"]):
    def sources_hidden_from(self, user: Any) -> frozenset[str]:
        """Return the tables `c.s.t` and volumes `/volumes/c/s/v` that only sheets read which the user may not see."""
        return self._sources_of(rights_of(user).hidden)

    def openly(self, names: Iterable[str]) -> list[str]:
        """Return the tables `c.s.t` and volumes `/Volumes/c/s/v` that anybody may hear of: not those of restricted sheets alone."""
        restricted = SheetGrant.objects.order_by().values_list("sheet_id", flat=True).distinct()
        kept = self._sources_of(frozenset(restricted))
        return [name for name in names if name.lower() not in kept]

    def _sources_of(self, hidden: frozenset[str]) -> frozenset[str]:
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
