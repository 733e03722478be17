"""Who has an item on the labeling screen: a short lease, so that two experts do not label the same item."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from django.db.models import Q
from django.utils import timezone

from labels.models import LabelHold
from sheets.models import Sheet
from workbench.problems import Conflict

LEASE = timedelta(minutes=5)
FORGOTTEN = timedelta(days=1)


def hold(sheet: Sheet, label_type: str, item_ref: str, *, actor: str) -> None:
    """Hold the item for the actor for five minutes more; Conflict, with who has it, where another does."""
    now = timezone.now()
    key = _key(sheet.pk, label_type, item_ref)
    until = {"holder": actor, "held_until": now + LEASE}
    row = LabelHold.objects.filter(pk=key)
    if row.filter(Q(holder=actor) | Q(held_until__lt=now)).update(**until):
        return
    made = LabelHold(key=key, sheet_id=sheet.pk, label_type=label_type, item_ref=item_ref, **until)
    LabelHold.objects.bulk_create([made], ignore_conflicts=True)
    held = row.first()
    if held is not None and held.holder != actor:
        left = max(1, round((held.held_until - now).total_seconds() / 60))
        raise Conflict(f"{held.holder} has {item_ref} on the screen, for {left} min more: take another item.")
    LabelHold.objects.filter(held_until__lt=now - FORGOTTEN).delete()


def let_go(sheet: Sheet, label_type: str, item_ref: str, *, actor: str) -> None:
    """Give the item back, if the actor has it."""
    LabelHold.objects.filter(pk=_key(sheet.pk, label_type, item_ref), holder=actor).delete()


def held_by_others(sheet: Sheet, label_type: str, *, actor: str) -> set[str]:
    """Return the item_refs that somebody else has on the screen now."""
    held = LabelHold.objects.filter(sheet_id=sheet.pk, label_type=label_type, held_until__gt=timezone.now())
    return set(held.exclude(holder=actor).values_list("item_ref", flat=True))


def _key(sheet_id: str, label_type: str, item_ref: str) -> str:
    return sha256("\0".join((sheet_id, label_type, item_ref)).encode()).hexdigest()
