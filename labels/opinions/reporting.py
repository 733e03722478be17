"""Agreement of a sheet's experts for a label type, read from their opinions and the versions these stand beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db.models import Count, Q

from labels.history import version_id
from labels.models import CanonicalLabel, CanonicalLabelVersion, LabelOpinion
from labels.opinions.comparing import Unit, are_same, compare
from labels.opinions.measures import Tally
from labels.opinions.rules import rule_of, sameness
from sheets.models import Sheet
from templates_app.schemas import normalise_output_schema

CHUNK = 200
LISTED = 200

# Sheet, label type and item
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Differing:
    """An item that two experts answered differently, with the names of the fields."""

    opinion: LabelOpinion
    fields: list[str]


@dataclass
class Agreement:
    """All of it; of the items that differ the latest `LISTED` are named. `waiting` are to be adjudicated."""

    tally: Tally = field(default_factory=Tally)
    differing: list[Differing] = field(default_factory=list)
    waiting: int = 0

    @property
    def percent(self) -> float | None:
        """The share of items that were answered the same, None before anybody gave a second opinion."""
        return 100 * self.tally.same_items / self.tally.items if self.tally.items else None


def agreement_of(sheet: Sheet, label_type: str) -> Agreement:
    """Return the agreement of both first answers, whatever was decided since; memory grows with the fields only."""
    found, rule = Agreement(), sameness(rule_of(sheet, label_type))
    waiting: set[Key] = set()
    opinions = LabelOpinion.objects.filter(sheet_id=sheet.pk, label_type=label_type).order_by("-made_at", "-id")
    for opinion, first in _with_first(opinions.iterator(chunk_size=CHUNK)):
        units = compare(normalise_output_schema(opinion.output_schema or {}), first, opinion.label_data, rule)
        found.tally.add(opinion.first_author, opinion.author, units)
        if opinion.status == LabelOpinion.Status.WAITING:
            waiting.add((sheet.pk, label_type, opinion.item_ref))
        if not are_same(units) and len(found.differing) < LISTED:
            found.differing.append(Differing(opinion, _names(units)))
    found.waiting = _labeled(waiting)[sheet.pk, label_type]
    return found


def opinions_of(sheet_ids: Iterable[str], *, actor: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Return the second opinions by sheet and label type, all and those that the actor may adjudicate, who gave neither answer.

    One statement where none wait.
    """
    waits = Q(status=LabelOpinion.Status.WAITING) & ~Q(author=actor) & ~Q(first_author=actor)
    opinions = LabelOpinion.objects.filter(sheet_id__in=list(sheet_ids)).order_by()
    counts = opinions.values_list("sheet_id", "label_type").annotate(all=Count("pk"), waits=Count("pk", filter=waits))
    found = list(counts)
    some_wait = any(waiting for *_, waiting in found)
    items = opinions.filter(waits).values_list("sheet_id", "label_type", "item_ref") if some_wait else ()
    waiting = _labeled(set(items))
    return {(sheet_id, label_type): (count, waiting[sheet_id, label_type]) for sheet_id, label_type, count, _ in found}


def _labeled(items: set[Key]) -> Counter[tuple[str, str]]:
    """Count the items whose opinion waits by sheet and label type; one whose label was taken back waits for nothing."""
    if not items:
        return Counter()
    labels = CanonicalLabel.objects.filter(
        sheet_id__in={sheet_id for sheet_id, _, _ in items}, item_ref__among=list({ref for _, _, ref in items})
    )
    labeled = items & set(labels.values_list("sheet_id", "label_type", "item_ref"))
    return Counter((sheet_id, label_type) for sheet_id, label_type, _ in labeled)


def _with_first(opinions: Iterator[LabelOpinion]) -> Iterator[tuple[LabelOpinion, Any]]:
    """Yield each opinion with the answer that it stands beside."""
    while chunk := list(islice(opinions, CHUNK)):
        keys = {version_id(each.canonical_label_id, each.label_version): each for each in chunk}
        rows = CanonicalLabelVersion.objects.filter(pk__in=list(keys))
        firsts: dict[str, Any] = dict(rows.values_list("pk", "label_data"))
        yield from ((each, firsts[key]) for key, each in keys.items() if key in firsts)


def _names(units: list[Unit]) -> list[str]:
    return list(dict.fromkeys(unit.field for unit in units if not unit.is_same))
