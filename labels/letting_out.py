"""Which labels may leave for a use and a reader: the gate, asked for each, and what it held back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from governance.uses import USES, gate
from sheets.item_limits import limits_of_items
from sheets.models import Sheet
from sheets.source_uses import limits_of
from workbench.near import listed, near_misses
from workbench.problems import Conflict, Invalid

BLIND = "they wait for a second opinion, which may be yours: give it first"


class LettingOut:
    """The gate of one export of labels; without a use it is the whole record, and everything passes but the `blind` ones.

    Those are the keys of labels that the reader may yet give a second opinion on.
    """

    def __init__(self, sheet: Sheet, use: str, blind: Collection[str] = ()) -> None:
        if use and use not in USES:
            words = f"Found {use!r}: use {listed(USES)}.{near_misses(use, USES)}"
            raise Invalid.of_fields("The use is not accepted.", {"use": [words]})
        self.use, self.blind = use, blind
        self.limits = limits_of(sheet) if use else ()
        self.items = limits_of_items(sheet) if use else {}
        self.held_back: Counter[str] = Counter()

    def permits(self, label: Any) -> bool:
        """Return whether the label may leave, and count it where it may not; it has the four fields of use, `id` and `item_ref`."""
        if why := self._why_not(label):
            self.held_back[why] += 1
        return not why

    def _why_not(self, label: Any) -> str:
        if label.id in self.blind:
            return BLIND
        limits = [*self.limits, *self.items.get(label.item_ref, ())]
        return gate(limits, label=label).why_not(self.use) if self.use else ""

    def expect_some(self) -> None:
        """Raise Conflict, with every reason, where something was held back: for an export that is left with nothing."""
        if self.held_back:
            why = "; ".join(f"{count:,} labels: {words}" for words, count in self.held_back.most_common())
            use = f" for {self.use}" if self.use else ""
            raise Conflict(f"Nothing to export{use}: {why}. Look at what limits their use.")
