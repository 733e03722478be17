"""Which labels may leave for a use: the gate, asked for each, and what it held back."""

from __future__ import annotations

from collections import Counter
from typing import Any

from governance.uses import USES, gate
from sheets.item_limits import limits_of_items
from sheets.models import Sheet
from sheets.source_uses import limits_of
from workbench.near import listed, near_misses
from workbench.problems import Conflict, Invalid


class LettingOut:
    """The gate of one export of labels; without a use it is the whole record, and everything passes."""

    def __init__(self, sheet: Sheet, use: str) -> None:
        if use and use not in USES:
            words = f"Found {use!r}: use {listed(USES)}.{near_misses(use, USES)}"
            raise Invalid.of_fields("The use is not accepted.", {"use": [words]})
        self.use = use
        self.limits = limits_of(sheet) if use else ()
        self.items = limits_of_items(sheet) if use else {}
        self.held_back: Counter[str] = Counter()

    def permits(self, label: Any) -> bool:
        """Return whether the label may leave, and count it where it may not; it has the four fields of use and `item_ref`."""
        limits = [*self.limits, *self.items.get(label.item_ref, ())]
        why = gate(limits, label=label).why_not(self.use) if self.use else ""
        if why:
            self.held_back[why] += 1
        return not why

    def expect_some(self) -> None:
        """Raise Conflict, with every reason, where something was held back: for an export that is left with nothing."""
        if self.held_back:
            why = "; ".join(f"{count:,} labels: {words}" for words, count in self.held_back.most_common())
            raise Conflict(f"Nothing to export for {self.use}: {why}. Look at what limits their use.")
