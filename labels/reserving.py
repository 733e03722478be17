"""Holding items out for evaluation or testing, and releasing them: with a reason, and a row of the audit each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from governance import audit
from governance.held_out import KEPT_FROM
from governance.models import HeldOutItem
from governance.uses import USES
from sheets.alike import ELSEWHERE, Alike, alike_of
from sheets.models import Sheet
from sheets.reading import rows_of
from sheets.withdrawing import SUBJECT
from workbench.lakehouse.ids import uuid5_of
from workbench.near import listed, near_misses
from workbench.problems import Conflict, Invalid, NotFound

MOST = 5_000
# Takes the sheets over the items, and the items; gives the key of a sheet, the name of what was made from it, and how
# many of its rows may be trained on until these items are held out.
Leaving = Callable[[Alike, Sequence[str]], Iterable[tuple[str, str, int]]]
LEAVING: list[Leaving] = []
LEFT = [use for use in USES if use not in KEPT_FROM]


def add_leaving(leaving: Leaving) -> None:
    """Ask this one too, once however often it is added: later apps add theirs when they are ready."""
    if leaving not in LEAVING:
        LEAVING.append(leaving)


@dataclass
class Reserved:
    """What became of the items, or would; `leaving` are (training sheet, pairs) that may be trained on until now."""

    count: int
    changed: list[str]
    unchanged: int
    leaving: list[tuple[str, int]] = field(default_factory=list)


def reserve(
    sheet: Sheet, item_refs: Sequence[str], reason: str, *, actor: str, use: str = "evaluation", preview: bool = False
) -> Reserved:
    """Hold the items out of all that a model learns from, whatever their label types; those that are stay as they are.

    Invalid for a missing reason or another use, NotFound where one is no item of the sheet: then none is reserved.
    """
    if use not in HeldOutItem.Use.values:
        words = f"Found {use!r}: use {listed(HeldOutItem.Use.values)}.{near_misses(use, HeldOutItem.Use.values)}"
        raise Invalid.of_fields("Nothing was reserved.", {"use": [words]})
    refs = _checked(item_refs, reason, "reserved")
    present = rows_of(sheet, refs)
    if missing := [ref for ref in refs if ref not in present]:
        raise NotFound(f"The sheet {sheet.name!r} has no items {listed(missing[:5])}: nothing was reserved.")
    there = set(_of(sheet, refs).values_list("item_ref", flat=True))
    new = [ref for ref in refs if ref not in there]
    found = Reserved(len(refs), new, len(there), _leaving(sheet, new))
    if new and not preview:
        # The audit comes first: what it says and what then was not done is better than the reverse.
        _audit(sheet, new, f"Reserved for {use}", reason, actor, old=USES, new=LEFT)
        HeldOutItem.objects.bulk_create(
            [
                HeldOutItem(
                    id=uuid5_of("held_out", sheet.pk, ref),
                    sheet_id=sheet.pk, item_ref=ref, use=use, reason=reason.strip(), created_by=actor,
                )
                for ref in new
            ],
            ignore_conflicts=True,
        )  # fmt: skip
    return found


def release(sheet: Sheet, item_refs: Sequence[str], reason: str, *, actor: str) -> Reserved:
    """Take the items out of the list of those held out; a label or pair that reserves one still does.

    Invalid for a missing reason, Conflict where none of them is on the list.
    """
    refs = _checked(item_refs, reason, "released")
    there = sorted(_of(sheet, refs).values_list("item_ref", flat=True))
    if not there:
        raise Conflict("None of them was reserved by hand: nothing changes.")
    _audit(sheet, there, "Released from the held-out set", reason, actor, old=LEFT, new=USES)
    _of(sheet, there).delete()
    return Reserved(len(refs), there, len(refs) - len(there))


def _checked(item_refs: Sequence[str], reason: str, done: str) -> list[str]:
    refs = list(dict.fromkeys(item_refs))
    faults = {
        "item_refs": [] if 0 < len(refs) <= MOST else [f"Found {len(refs):,}: name 1 to {MOST:,} items."],
        "reason": [] if reason.strip() else ["Say why; it is kept in the audit."],
    }
    if found := {name: words for name, words in faults.items() if words}:
        raise Invalid.of_fields(f"Nothing was {done}.", found)
    return refs


def _of(sheet: Sheet, refs: Sequence[str]) -> Any:
    return HeldOutItem.objects.filter(sheet_id=sheet.pk, item_ref__in=list(refs))


def _leaving(sheet: Sheet, refs: Sequence[str]) -> list[tuple[str, int]]:
    """Return how many pairs may be trained on now and will not any more, by training sheet."""
    if not refs:
        return []
    alike = alike_of(sheet)
    counted = Counter[str]()
    for leaving in LEAVING:
        for sheet_id, name, n in leaving(alike, refs):
            counted[ELSEWHERE if sheet_id in alike.restricted else name] += n
    return sorted(counted.items())


def _audit(
    sheet: Sheet, refs: Sequence[str], what: str, reason: str, actor: str, *, old: Sequence[str], new: Sequence[str]
) -> None:
    limits: dict[str, Any] = {
        "old_allowed_uses": list(old), "old_prohibited_uses": [use for use in USES if use not in old],
        "new_allowed_uses": list(new), "new_prohibited_uses": [use for use in USES if use not in new],
    }  # fmt: skip
    said = f"{what}: {reason.strip()}"
    audit.append(
        [audit.entry("uses", SUBJECT.format(sheet.pk, ref), reason=said, actor=actor, **limits) for ref in refs]
    )
