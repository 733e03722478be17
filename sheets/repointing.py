"""Another source for a sheet of which something was made already: what that gives back, who may do it, and its audit."""

from __future__ import annotations

from governance import audit
from governance.changing import LOOSEN, given_back
from governance.uses import Decision, decide
from sheets.item_limits import limits_of_items
from sheets.models import Sheet
from sheets.source_uses import uses_of
from workbench.problems import Forbidden

SOURCES = ("primary_table", "secondary_sources", "join_keys", "item_ref_column")


def repoint(before: Sheet, after: Sheet, *, actor: str, may_loosen: bool) -> None:
    """Tell the audit that a sheet with labels or pairs reads from elsewhere from now on.

    Forbidden, and audited, where tags of the old sources or limits of its items held back what the new ones do not, for
    one who may not loosen: what was made of the old rows would leave under the tags of others.
    """
    changed = [name for name in SOURCES if getattr(before, name) != getattr(after, name)]
    if not changed or not before.pointed_at_by():
        return
    was, now = uses_of(before).decision, uses_of(after).decision
    subject = f"sheet {before.pk}"
    if not may_loosen and (loosens := _loosens(before, after, was, now)):
        problem = Forbidden(
            f"The sheet {before.name!r} has labels or pairs, and to read from elsewhere {loosens}: a platform lead may do "
            f"that ({LOOSEN}). Make another sheet for the other source."
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
    # Under another name no limit of an item is found again.
    is_named_alike = before.item_ref_name.casefold() == after.item_ref_name.casefold()
    kept = limits_of_items(after) if is_named_alike else {}
    freed = [
        ref
        for ref, limits in limits_of_items(before).items()
        if decide(kept.get(ref, ())).allowed - decide(limits).allowed
    ]
    return f"frees {len(freed):,} items that are withdrawn or held out" if freed else ""
