"""How far experts agree, field by field, over many items. No database inside; memory grows with the fields only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from labels.opinions.comparing import CATEGORY, Unit, are_same


def kappa(table: Mapping[tuple[str, str], int]) -> float | None:
    """Return Cohen's kappa of a table that counts how often one said this and the other that; None for an empty table.

    κ = (p₀ - pₑ) / (1 - pₑ), J. Cohen, "A Coefficient of Agreement for Nominal Scales", Educational and Psychological
    Measurement 20 (1960). Where both only ever said one and the same, chance explains all and the formula is 0/0: that
    is 1.0 here, because they never differed.
    """
    count = sum(table.values())
    if not count:
        return None
    ones: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for (one, other), times in table.items():
        ones[one] += times
        others[other] += times
    agreed = sum(times for (one, other), times in table.items() if one == other)
    by_chance = sum(times * others[said] for said, times in ones.items())
    if by_chance == count * count:
        return 1.0
    return (count * agreed - by_chance) / (count * count - by_chance)


@dataclass
class FieldAgreement:
    """One field: at how many places it was compared, at how many it was the same, and by its kind how close it was."""

    name: str
    kind: str
    places: int = 0
    same: int = 0
    closeness: float = 0.0
    table: Counter[tuple[str, str]] = field(default_factory=Counter)
    shapes: int = 0
    partners: int = 0
    overlap: float = 0.0

    def add(self, unit: Unit) -> None:
        """Count a place of this field."""
        self.places += 1
        self.same += unit.is_same
        self.closeness += unit.closeness
        if self.kind == CATEGORY:
            self.table[unit.categories] += 1
        if unit.match:
            self.shapes += unit.match.first + unit.match.second
            self.partners += len(unit.match.ious)
            self.overlap += sum(unit.match.ious)

    @property
    def percent(self) -> float:
        return 100 * self.same / self.places

    @property
    def similarity(self) -> float:
        """Mean closeness of the places, 1.0 where all are the same."""
        return self.closeness / self.places

    @property
    def kappa(self) -> float | None:
        return kappa(self.table)

    @property
    def mean_iou(self) -> float | None:
        """Mean overlap of the shapes that found a partner; None where none did."""
        return self.overlap / self.partners if self.partners else None

    @property
    def f1(self) -> float | None:
        """Share of the shapes that have a partner; None where nobody marked any."""
        return 2 * self.partners / self.shapes if self.shapes else None


@dataclass
class ExpertPair:
    """Two experts who answered the same items; places are those of all fields."""

    first: str
    second: str
    items: int = 0
    same_items: int = 0
    places: int = 0
    same: int = 0

    @property
    def percent(self) -> float:
        return 100 * self.same / self.places if self.places else 100.0


@dataclass
class Tally:
    """Agreement of all items that were added."""

    items: int = 0
    same_items: int = 0
    by_field: dict[str, FieldAgreement] = field(default_factory=dict)
    by_pair: dict[tuple[str, str], ExpertPair] = field(default_factory=dict)

    def add(self, first: str, second: str, units: list[Unit]) -> None:
        """Count the answers of two experts to one item, compared."""
        one, other = sorted((first, second))
        pair = self.by_pair.setdefault((one, other), ExpertPair(one, other))
        same = are_same(units)
        self.items += 1
        self.same_items += same
        pair.items += 1
        pair.same_items += same
        for unit in units:
            self.by_field.setdefault(unit.field, FieldAgreement(unit.field, unit.kind)).add(unit)
            pair.places += 1
            pair.same += unit.is_same

    @property
    def fields(self) -> list[FieldAgreement]:
        """The fields, the worst first."""
        return sorted(self.by_field.values(), key=lambda found: (found.percent, found.similarity, found.name))

    @property
    def pairs(self) -> list[ExpertPair]:
        """The pairs of experts, the worst first."""
        return sorted(self.by_pair.values(), key=lambda pair: (pair.percent, pair.first, pair.second))
