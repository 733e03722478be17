"""How far experts agree, field by field, over many items. No database inside; memory grows with the fields only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from labels.opinions.comparing import CATEGORY, Unit, are_same

# Two experts, by name.
Names = tuple[str, str]
# How often the first of them said this and the second that.
Table = Mapping[tuple[str, str], int]


def kappa(tables: Iterable[Table]) -> float | None:
    """Return Cohen's kappa of the tables, each of two experts and a field; None where nothing was counted.

    κ = (p₀ - pₑ) / (1 - pₑ), J. Cohen, "A Coefficient of Agreement for Nominal Scales", Educational and Psychological
    Measurement 20 (1960). Of several tables p₀ and pₑ are the means of theirs, weighted by their places: H. de Vries and
    others, "Using Pooled Kappa to Summarize Interrater Agreement across Many Items", Field Methods 20 (2008). The counts
    themselves are never added up, because chance is that of two persons. Where all only ever said one and the same,
    chance explains all and the formula is 0/0: that is 1.0 here, because they never differed.
    """
    places, agreed, by_chance = 0, 0, Fraction()
    for table in tables:
        count = sum(table.values())
        ones: Counter[str] = Counter()
        others: Counter[str] = Counter()
        for (one, other), times in table.items():
            ones[one] += times
            others[other] += times
        places += count
        agreed += sum(times for (one, other), times in table.items() if one == other)
        by_chance += Fraction(sum(times * others[said] for said, times in ones.items()), count or 1)
    if not places:
        return None
    return float((agreed - by_chance) / (places - by_chance)) if by_chance != places else 1.0


@dataclass
class FieldAgreement:
    """One field: at how many places it was compared, at how many it was the same, and by its kind how close it was."""

    name: str
    kind: str
    places: int = 0
    same: int = 0
    closeness: float = 0.0
    tables: dict[Names, Table] = field(default_factory=dict)
    shapes: int = 0
    partners: int = 0
    overlap: float = 0.0

    def add(self, unit: Unit) -> None:
        """Count a place of this field."""
        self.places += 1
        self.same += unit.is_same
        self.closeness += unit.closeness
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
        """Of the pair of experts who answered, pooled where several did; None for what is no category."""
        return kappa(self.tables.values())

    @property
    def mean_iou(self) -> float | None:
        """Mean overlap of the shapes that found a partner; None where none did."""
        return self.overlap / self.partners if self.partners else None

    @property
    def f1(self) -> float | None:
        """Share of the shapes that have a partner; None where nobody marked any."""
        return 2 * self.partners / self.shapes if self.shapes else None


@dataclass(frozen=True, slots=True)
class FieldKappa:
    """Cohen's kappa of two experts for one field that is a category."""

    name: str
    places: int
    kappa: float | None


@dataclass
class ExpertPair:
    """Two experts who answered the same items; places are those of all fields, `tables` of those that are categories."""

    first: str
    second: str
    items: int = 0
    same_items: int = 0
    places: int = 0
    same: int = 0
    tables: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)

    @property
    def percent(self) -> float:
        return 100 * self.same / self.places if self.places else 100.0

    @property
    def kappa(self) -> float | None:
        """Of both, pooled where several fields are categories; None where none is."""
        return kappa(self.tables.values())

    @property
    def kappas(self) -> list[FieldKappa]:
        """Of each field that is a category, by name."""
        return [FieldKappa(name, table.total(), kappa([table])) for name, table in sorted(self.tables.items())]


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
            found = self.by_field.setdefault(unit.field, FieldAgreement(unit.field, unit.kind))
            found.add(unit)
            pair.places += 1
            pair.same += unit.is_same
            if found.kind == CATEGORY:
                table = found.tables[one, other] = pair.tables.setdefault(unit.field, Counter())
                # By who says it, not by who answered first: that is another one from item to item.
                table[unit.categories if first == one else unit.categories[::-1]] += 1

    @property
    def fields(self) -> list[FieldAgreement]:
        """The fields, the worst first."""
        return sorted(self.by_field.values(), key=lambda found: (found.percent, found.similarity, found.name))

    @property
    def pairs(self) -> list[ExpertPair]:
        """The pairs of experts, the worst first."""
        return sorted(self.by_pair.values(), key=lambda pair: (pair.percent, pair.first, pair.second))
