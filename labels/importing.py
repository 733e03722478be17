"""Labels from JSONL: what the lines would do, and doing it, by chunks of a few statements whatever their number.

A chunk is written by `record_labels`, whose steps may be repeated. Killed half way, the same file imported again finds
what was written unchanged, adds a version row that is missing, and goes on with the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from django.utils import timezone

from labels.history import repair_all
from labels.import_plans import Plan, Terms, after_line, planned
from labels.models import CanonicalLabel
from labels.recording import record_labels
from sheets.models import Sheet
from workbench.problems import Conflict

FIRST_REFUSED, FIRST_WRITTEN = 200, 50
MOST_BYTES = 64 * 1024 * 1024
OUTCOMES = ("new", "changed", "unchanged", "refused")


@dataclass(slots=True)
class Imported:
    """Lines by outcome, the first refused ones with number and reasons, and a digest of all that was planned.

    `written` are the first plans of labels that are new or changed, `marks` those of all plans, eight bytes each.
    """

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[int, str]] = field(default_factory=list)
    written: list[Plan] = field(default_factory=list)
    digest: str = ""
    marks: bytearray = field(default_factory=bytearray)

    def note(self, plans: list[Plan]) -> None:
        for plan in plans:
            self.counts[plan.outcome] += 1
            self.marks += plan.mark
            if plan.outcome == "refused" and len(self.refused) < FIRST_REFUSED:
                self.refused.append((plan.line.number, " ".join(plan.reasons)))
            if plan.outcome in ("new", "changed") and len(self.written) < FIRST_WRITTEN:
                self.written.append(plan)


def preview_import(sheet: Sheet, lines: Iterable[bytes], terms: Terms | None = None) -> Imported:
    """Return what importing would do, and write nothing; errors as for `import_labels`."""
    return _each_chunk(sheet, lines, terms, lambda _plans, _done: None)


def import_labels(
    sheet: Sheet,
    lines: Iterable[bytes],
    terms: Terms | None = None,
    *,
    actor: str,
    note: str = "",
    previewed: Imported | None = None,
) -> Imported:
    """Record the labels of a JSONL file, those of refused lines left out, and return what was done.

    A line is what `export_labels` writes; only item_ref, label_type and label_data are needed, and what a line does not
    say stays as it is. The actor becomes who labeled; `note` goes to the versions. A label that somebody else writes
    meanwhile is refused, as is one that is blind for the actor (`labels.opinions.due`), and one that is not as it was
    `previewed`. Invalid for a sheet that does not resolve.
    """

    def apply(plans: list[Plan], done: Imported) -> None:
        if previewed:
            at = len(done.marks)
            _refuse_others(plans, previewed.marks[at : at + 8 * len(plans)])
        _apply(sheet, plans, actor=actor, change_note=note or "Imported")

    return _each_chunk(sheet, lines, terms, apply)


def import_previewed(
    sheet: Sheet, read: Callable[[], Iterable[bytes]], terms: Terms, *, plan: str, actor: str, note: str = ""
) -> Imported:
    """Import what was previewed, and exactly that; `read` gives the lines, twice, and `plan` is the preview's digest.

    Conflict where the file, a label or an item is another by now; one that changes while this goes on is refused alone.
    """
    found = preview_import(sheet, read(), terms)
    if plan != found.digest:
        raise Conflict("The file, labels or items changed since this preview: look at the new one, then import.")
    return import_labels(sheet, read(), terms, actor=actor, note=note, previewed=found)


def _each_chunk(
    sheet: Sheet, lines: Iterable[bytes], terms: Terms | None, use: Callable[[list[Plan], Imported], None]
) -> Imported:
    done, stamp = Imported(), sha256()
    for plans in planned(sheet, _hashed(lines, stamp), terms or Terms()):
        use(plans, done)
        done.note(plans)
    stamp.update(done.marks)
    done.digest = stamp.hexdigest()
    return done


def _hashed(lines: Iterable[bytes], stamp: Any) -> Iterator[bytes]:
    """Yield the lines, each hashed as it is: another answer of the same labels is another plan."""
    for line in lines:
        stamp.update(line)
        yield line


def _refuse_others(plans: list[Plan], marks: bytearray) -> None:
    """Refuse those of the plans whose label or item is not the one that was looked at, as its mark tells."""
    for at, plan in enumerate(plans):
        if plan.outcome in ("new", "changed") and plan.mark != marks[8 * at : 8 * at + 8]:
            plan.refuse("The label or its item changed while this was imported: look at it, then import it again.")


def _apply(sheet: Sheet, plans: list[Plan], *, actor: str, change_note: str) -> None:
    """Write a chunk; a plan that somebody else overtook becomes refused."""
    if unchanged := [plan.present for plan in plans if plan.outcome == "unchanged" and plan.present]:
        repair_all(unchanged)
    new = [(plan, _new(sheet, plan, actor)) for plan in plans if plan.outcome == "new"]
    changed = [
        (plan, _changed(plan.present, plan.values, actor))
        for plan in plans
        if plan.present and plan.outcome == "changed"
    ]
    if not (new or changed):
        return
    before = [plan.present for plan, _ in changed if plan.present]
    fresh, renewed = [label for _, label in new], [label for _, label in changed]
    written = record_labels(fresh, renewed, before=before, change_note=change_note)
    for plan, label in (*new, *changed):
        if label.pk not in written:
            plan.refuse("Somebody else wrote this label meanwhile: import it again.")


def _new(sheet: Sheet, plan: Plan, actor: str) -> CanonicalLabel:
    now, (item_ref, label_type) = timezone.now(), plan.line.key
    who = {"labeled_by": actor, "labeled_at": now, "last_modified_by": actor, "last_modified_at": now}
    key = {"sheet_id": sheet.pk, "item_ref": item_ref, "label_type": label_type}
    return CanonicalLabel(**key, **plan.values, **who, created_at=now)


def _changed(present: CanonicalLabel, values: Mapping[str, Any], actor: str) -> CanonicalLabel:
    stamp = {"version": present.version + 1, "last_modified_by": actor, "last_modified_at": timezone.now()}
    return after_line(present, {"uses_change_reason": "", **values, **stamp})
