"""The orders in which pairs are looked at, each with its key, so that a page follows from the last pair of the one before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from training.querysets import QAPairQuerySet
from training.review.risk import with_risk
from workbench.near import listed
from workbench.problems import Invalid

# Behind all that have a confidence.
UNSURE = 2.0


@dataclass(frozen=True)
class Order:
    """An order by the field `by`, within it as in the sheet; `read` makes its value of the text of a cursor."""

    words: str
    by: str
    read: Callable[[str], Any]
    prepare: Callable[[QAPairQuerySet], QAPairQuerySet]
    descending: bool = False

    def of(self, pairs: QAPairQuerySet, *, reverse: bool = False) -> QAPairQuerySet:
        """Return the pairs in this order, or in the reverse of it."""
        signs = ("" if self.descending == reverse else "-", "-" if reverse else "")
        return self.prepare(pairs).order_by(f"{signs[0]}{self.by}", f"{signs[1]}position")

    def beyond(self, pairs: QAPairQuerySet, cursor: str, *, reverse: bool = False) -> QAPairQuerySet:
        """Return those that follow the pair of `cursor`; Invalid for one that no page gave out."""
        value, _, position = cursor.rpartition("~")
        try:
            found, place = self.read(value), int(position)
        except ValueError as error:
            words = f"Found {cursor!r}, which no page gave out: leave it out to start."
            raise Invalid.of_fields("There is no such page.", {"after": [words]}) from error
        further = "gt" if self.descending == reverse else "lt"
        behind = Q(**{self.by: found, f"position__{'lt' if reverse else 'gt'}": place})
        return self.of(pairs, reverse=reverse).filter(Q(**{f"{self.by}__{further}": found}) | behind)

    def cursor(self, pair: Any) -> str:
        value = getattr(pair, self.by)
        return f"{value.isoformat() if isinstance(value, datetime) else value}~{pair.position}"


def _as_it_is(pairs: QAPairQuerySet) -> QAPairQuerySet:
    return pairs


def _sure(pairs: QAPairQuerySet) -> QAPairQuerySet:
    return pairs.annotate(sure=Coalesce(F("ai_confidence"), Value(UNSURE)))


def _moment(text: str) -> datetime:
    """Return the time in UTC, as the lakehouse takes it; ValueError also for one beyond the calendar there."""
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error


ORDERS = {
    "risk": Order("riskiest first", "risk", float, with_risk),
    "sequence": Order("as in the sheet", "position", int, _as_it_is),
    "confidence": Order("least sure first", "sure", float, _sure),
    "changed": Order("latest change first", "updated_at", _moment, _as_it_is, descending=True),
}

# Those that no decision changes.
UNMOVED = ("sequence", "confidence")


def order_named(name: str) -> Order:
    """Return the order; Invalid, with those that exist, for another name."""
    if name not in ORDERS:
        raise Invalid.of_fields("There is no such order.", {"order": [f"Found {name!r}: use {listed(ORDERS)}."]})
    return ORDERS[name]
