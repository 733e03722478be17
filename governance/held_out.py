"""What is held out for evaluation or testing, and what it is kept from: one rule as a function and as a filter."""

from __future__ import annotations

from django.db.models import Q

from governance.uses import Governed, Limit

HELD_FOR = ("evaluation", "testing")
KEPT_FROM = ("training", "validation", "few_shot")


def reserves(row: Governed) -> bool:
    """Return whether a label's or pair's own rule leaves evaluation or testing, and nothing that a model learns from."""
    effective = set(row.allowed_uses) - set(row.prohibited_uses)
    return bool(effective.intersection(HELD_FOR)) and effective.isdisjoint(KEPT_FROM)


def reserving() -> Q:
    """Return the same rule as a filter on labels or pairs."""
    held, kept = Q(), Q()
    for use in HELD_FOR:
        held |= _effective(use)
    for use in KEPT_FROM:
        kept &= ~_effective(use)
    return held & kept


def held_out_limit(by: str) -> Limit:
    """Return what an item's reservation means for everything made from it; `by` says who or what reserved it."""
    return Limit("test set", f"held out, reserved by {by}", allowed=frozenset(HELD_FOR))


def _effective(use: str) -> Q:
    return Q(allowed_uses__contains=[use]) & ~Q(prohibited_uses__contains=[use])
