"""Another source for a sheet that labels, pairs or limits of items rely on: what that gives back, who may do it, and its audit."""

from __future__ import annotations

from collections.abc import Sequence

from governance import audit
from governance.changing import LOOSEN, given_back
from governance.uses import Decision, Limit, decide
from sheets.item_limits import limits_of_items, limits_of_others
from sheets.models import Sheet
from sheets.source_uses import uses_of
from workbench.problems import Forbidden

SOURCES = ("primary_table", "secondary_sources", "join_keys", "item_ref_column")


def repoint(before: Sheet, after: Sheet, *, actor: str, may_loosen: bool) -> None:
    """Tell the audit that a sheet with labels, pairs or limited items reads from elsewhere from now on.

    Forbidden, and audited, where tags of the old sources or limits of its items held back what the new ones do not, for
    one who may not loosen: what was made of the old rows would leave under the tags of others, and what the sheet limits
    itself would be free in the other sheets over the same items.
    """
    changed = [name for name in SOURCES if getattr(before, name) != getattr(after, name)]
    if not changed or not before.pointed_at_by():
        return
    was, now = uses_of(before).decision, uses_of(after).decision
    subject = f"sheet {before.pk}"
    if not may_loosen and (loosens := _loosens(before, after, was, now)):
        problem = Forbidden(
            f"The sheet {before.name!r} has labels, pairs or limited items, and to read from elsewhere {loosens}: a "
            f"platform lead may do that ({LOOSEN}). Make another sheet for the other source."
        )
        audit.refused(problem, actor=actor, subject=subject)
        raise problem
    words = "; ".join(f"{name} from {getattr(before, name)!r} to {getattr(after, name)!r}" for name in changed)
    # The audit comes first: what it says and what then was not done is better than the reverse.
    audit.append(
        [audit.entry("uses", subject, reason=f"Sources changed: {words}", actor=actor, **audit.sides(was, now))]
    )


def _loosens(before: Sheet, after: Sheet, was: Decision, now: Decision) -> str:
    if back := given_back(was, now):
        return back
    if _same_items(before, after):
        return ""
    held = limits_of_items(before)
    # Under another name no limit of an item is found again.
    is_named_alike = before.item_ref_name.casefold() == after.item_ref_name.casefold()
    here = limits_of_items(after) if is_named_alike else {}
    there = limits_of_others(before)
    freed = [ref for ref, limits in held.items() if any(_frees(limits, kept.get(ref, ())) for kept in (here, there))]
    return f"frees {len(freed):,} items that are withdrawn or held out" if freed else ""


def _same_items(one: Sheet, other: Sheet) -> bool:
    return (one.primary_table.casefold(), one.item_ref_name.casefold()) == (
        other.primary_table.casefold(),
        other.item_ref_name.casefold(),
    )


def _frees(limits: Sequence[Limit], kept: Sequence[Limit]) -> bool:
    return bool(decide(kept).allowed - decide(limits).allowed)
