"""Withdrawing an item: nothing made from it, before or after, is used for anything until it is released.

It is one row that the gate reads, so it holds for everything at once or not at all, and what pairs and labels allow
themselves is as it was when the item is released.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from governance import audit
from governance.models import Withdrawal
from governance.uses import USES
from sheets.alike import alike_of
from sheets.item_limits import withdrawn
from sheets.models import Sheet
from workbench.lakehouse.ids import uuid5_of
from workbench.problems import Conflict, Forbidden, Invalid

SUBJECT = "sheet {} item {}"


def withdraw_item(sheet: Sheet, item_ref: str, reason: str, *, actor: str) -> Withdrawal:
    """Return the item's withdrawal, which holds from now on; one that holds already stays as it is.

    Invalid without a reason. Killed anywhere, the same call again ends it.
    """
    return _set(sheet, item_ref, _said(reason), released=False, actor=actor)


def release_item(sheet: Sheet, item_ref: str, reason: str, *, actor: str, may_loosen: bool) -> Withdrawal:
    """Return the withdrawal, which holds no more. Invalid without a reason, Conflict where none holds.

    Forbidden, and audited, for one who may not loosen.
    """
    said = _said(reason)
    if not may_loosen:
        problem = Forbidden(f"The item {item_ref} is withdrawn: ask a platform lead, who may release it.")
        audit.refused(problem, actor=actor, subject=SUBJECT.format(sheet.pk, item_ref))
        raise problem
    if not Withdrawal.objects.filter(sheet_id=sheet.pk, item_ref=item_ref, is_released=False).exists():
        elsewhere = withdrawn(alike_of(sheet), [item_ref])
        hint = " Another sheet over the same table withdrew it: release it there." if elsewhere else ""
        raise Conflict(f"The item {item_ref} is not withdrawn here: nothing changes.{hint}")
    return _set(sheet, item_ref, said, released=True, actor=actor)


def _set(sheet: Sheet, item_ref: str, reason: str, *, released: bool, actor: str) -> Withdrawal:
    key = uuid5_of("withdrawal", sheet.pk, item_ref)
    before = Withdrawal.objects.filter(pk=key).first()
    if before is not None and before.is_released == released:
        return before
    now, changed = timezone.now(), {"is_released": released, "reason": reason}
    # The audit comes first, and a repeat after a kill finds its row there by what it goes on from.
    since = before.updated_at.isoformat() if before else ""
    audited = uuid5_of("audit_of_withdrawal", key, since, reason)
    audit.append([audit.entry("uses", SUBJECT.format(sheet.pk, item_ref), key=audited, actor=actor, **_told(changed))])
    stamp = {"updated_by": actor, "updated_at": now}
    if before is None:
        before = Withdrawal(id=key, sheet_id=sheet.pk, item_ref=item_ref, created_by=actor, **changed, **stamp)
        Withdrawal.objects.bulk_create([before], ignore_conflicts=True)
    else:
        Withdrawal.objects.filter(pk=key).update(**changed, **stamp)
    return Withdrawal.objects.get(pk=key)


def _told(changed: dict[str, Any]) -> dict[str, Any]:
    """Return what the audit says of it: from all uses to none, or back to what pairs and labels allow themselves."""
    every, none = list(USES), list[str]()
    old, new = (none, every) if changed["is_released"] else (every, none)
    word = "Released" if changed["is_released"] else "Withdrawn"
    return {
        "reason": f"{word}: {changed['reason']}",
        "old_allowed_uses": old, "new_allowed_uses": new, "old_prohibited_uses": new, "new_prohibited_uses": old,
    }  # fmt: skip


def _said(reason: str) -> str:
    if not reason.strip():
        raise Invalid.of_fields("Nothing was changed.", {"reason": ["Say why; it is kept in the audit."]})
    return reason.strip()
