"""What all that is made from a sheet may be used for: the sheet's own rule, changed with a reason and audited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from governance import audit
from governance.changing import LIMITS, Outcome, UsesChange, survey
from sheets.models import Sheet
from workbench.problems import Conflict


def change_uses(sheet: Sheet, uses: Mapping[str, Any], reason: str, *, actor: str, preview: bool = False) -> Outcome:
    """Return what became of the sheet's rule, or with `preview` what would. Holds at once for all made from the sheet.

    `uses` and `reason` are as `UsesChange.of` takes them.
    """
    change, before = UsesChange.of(uses, reason), {name: getattr(sheet, name) for name in LIMITS}
    outcome = survey([(sheet.pk, before)], change, may_loosen=True)
    after = change.applied(before, may_loosen=True)
    if preview or after is None:
        return outcome
    old = {f"old_{name}": before[name] for name in LIMITS if name != "usage_reason"}
    new = {f"new_{name}": after[name] for name in LIMITS if name != "usage_reason"}
    # The audit comes first: what it says and what then was not done is better than the reverse.
    audit.append([audit.entry("uses", f"sheet {sheet.pk}", reason=change.reason, actor=actor, **old, **new)])
    values = {name: after[name] for name in LIMITS}
    Sheet.objects.filter(pk=sheet.pk).update(**values, updated_at=timezone.now())
    for name, value in values.items():
        setattr(sheet, name, value)
    return outcome


def change_uses_of(sheet: Sheet, uses: Mapping[str, Any], reason: str, *, actor: str) -> Sheet:
    """Return the sheet with another rule; Conflict where it is so already."""
    if not change_uses(sheet, uses, reason, actor=actor).changed:
        raise Conflict("Uses and classification are so already: nothing changes.")
    return sheet
