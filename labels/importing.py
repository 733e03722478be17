"""Labels from JSONL: what each line would do, and doing it, by chunks of a few statements whatever their number.

A chunk is written by `record_labels`, whose steps may be repeated. Killed half way, the same file imported again finds
what was written unchanged, adds a version row that is missing, and goes on with the rest.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.utils import timezone

from labels.actions import SAID, record_label
from labels.checking import NEAR, check_content, limits, made_under
from labels.history import repair_all, uses_changed
from labels.import_lines import Line, read_lines
from labels.labeling.templates_of import templates_for
from labels.models import CanonicalLabel
from labels.opinions.due import waits_in_words
from labels.recording import record_labels
from labels.seen import StaleLabel, says_already
from sheets.models import Sheet
from sheets.reading import Item, items_of, iter_items
from templates_app.changes import as_stored
from templates_app.models import PromptTemplate
from workbench.near import near_misses
from workbench.problems import Conflict, Forbidden, Invalid, Problem

CHUNK = 200
FIRST_REFUSED = 200
MOST_BYTES = 64 * 1024 * 1024
USES_OF = ("allowed_uses", "prohibited_uses", "usage_reason", "data_classification")
OUTCOMES = ("new", "changed", "unchanged", "refused")


@dataclass(slots=True)
class Plan:
    """What one line does. `values` are the label's fields as it leaves them; `present` is the label before."""

    line: Line
    outcome: str
    values: Mapping[str, Any] = field(default_factory=dict)
    present: CanonicalLabel | None = None
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class Imported:
    """Lines by outcome, the first refused ones with number and reasons, and a digest of all that was planned."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[int, str]] = field(default_factory=list)
    digest: str = ""

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def preview_import(sheet: Sheet, lines: Iterable[bytes], *, reason: str = "", blind: Collection[str] = ()) -> Imported:
    """Return what importing would do, and write nothing; errors as for `import_labels`."""
    summary, stamp = Imported(), hashlib.sha256()
    for plans in _planned(sheet, _hashed(lines, stamp), reason, blind):
        _note(plans, summary, stamp)
    summary.digest = stamp.hexdigest()
    return summary


def import_labels(
    sheet: Sheet,
    lines: Iterable[bytes],
    *,
    actor: str,
    reason: str = "",
    note: str = "",
    blind: Collection[str] = (),
    may_change_uses: bool = True,
    may_loosen: bool = False,
) -> Imported:
    """Record the labels of a JSONL file, those of refused lines left out, and return what was done.

    A line is what `export_labels` writes; only item_ref, label_type and label_data are needed, and what a line does not
    say stays as it is. The actor becomes who labeled. `reason` is why uses change, where they do, for the audit; `note`
    goes to the versions. A label that somebody else writes meanwhile is refused, as is one whose key is among those that
    are `blind` for the actor (`labels.opinions.due`). Invalid for a sheet that does not resolve.
    """
    summary, stamp = Imported(), hashlib.sha256()
    words = {"actor": actor, "reason": reason, "change_note": note or "Imported"}
    for plans in _planned(sheet, _hashed(lines, stamp), reason, blind):
        _apply(sheet, plans, {**words, "may_change_uses": may_change_uses, "may_loosen": may_loosen})
        _note(plans, summary, stamp)
    summary.digest = stamp.hexdigest()
    return summary


def expect_same(previewed: str, now: Imported) -> None:
    """Raise Conflict where the plan is not the one that was looked at: the file is another, or labels or items changed."""
    if previewed != now.digest:
        raise Conflict("The file, labels or items changed since this preview: look at the new one, then import.")


def _hashed(lines: Iterable[bytes], stamp: Any) -> Iterator[bytes]:
    """Yield the lines, each hashed as it is: another answer of the same labels is another plan."""
    for line in lines:
        stamp.update(line)
        yield line


def _note(plans: list[Plan], summary: Imported, stamp: Any) -> None:
    for plan in plans:
        summary.counts[plan.outcome] += 1
        seen = plan.present.version if plan.present else 0
        stamp.update(f"{plan.line.number} {plan.outcome} {plan.line.key} {seen}\n".encode())
        if plan.outcome == "refused" and len(summary.refused) < FIRST_REFUSED:
            summary.refused.append((plan.line.number, " ".join(plan.reasons)))


def _planned(sheet: Sheet, lines: Iterable[bytes], reason: str, blind: Collection[str]) -> Iterator[list[Plan]]:
    reading, near, templates = read_lines(lines), _Near(sheet), _Templates()
    while chunk := list(islice(reading, CHUNK)):
        refs = {line.given["item_ref"] for line in chunk if not line.faults}
        items = {item.ref: item for item in items_of(sheet, dict.fromkeys(refs, 0))} if refs else {}
        labels = CanonicalLabel.objects.filter(sheet_id=sheet.pk, item_ref__in=list(refs))
        present = {(label.item_ref, label.label_type): label for label in labels} if refs else {}
        templates.read(chunk)
        hidden = {key for key, label in present.items() if label.pk in blind}
        yield [
            _waits(line) if line.key in hidden else _plan(line, items, present.get(line.key), templates, near, reason)
            for line in chunk
        ]


def _waits(line: Line) -> Plan:
    # Whatever the line says, so that nothing is learnt of the first answer by sending guesses.
    return Plan(line, "refused", reasons=(waits_in_words(line.given["item_ref"]),))


def _plan(
    line: Line,
    items: Mapping[str, Item],
    present: CanonicalLabel | None,
    templates: _Templates,
    near: _Near,
    reason: str,
) -> Plan:
    if line.faults:
        return Plan(line, "refused", reasons=line.faults)
    item = items.get(line.given["item_ref"])
    if item is None:
        return Plan(line, "refused", reasons=(near.unknown(line.given["item_ref"]),))
    try:
        values = _values(line.given, present, templates, item)
    except Problem as problem:
        reasons = [f"{name}: {' '.join(words)}" for name, words in problem.fields.items()]
        return Plan(line, "refused", reasons=tuple(reasons) or (problem.message,))
    limited = bool(present and uses_changed(present, _as(present, values)))
    content = {name: value for name, value in values.items() if name not in USES_OF}
    if present and not limited and says_already(present, content):
        return Plan(line, "unchanged", values, present)
    values["item_hash"] = item.hash
    if limited and not reason.strip():
        return Plan(line, "refused", reasons=("Uses, usage reason or classification change: say why with a reason.",))
    return Plan(line, "changed" if present else "new", values, present)


def _values(
    given: Mapping[str, Any],
    present: CanonicalLabel | None,
    templates: _Templates,
    item: Item,
) -> dict[str, Any]:
    """Return the fields of the label after the line; Problem as for `record_label`."""
    named = templates.named.get(str(given.get("template_id")))
    confidence = given.get("confidence") or (present.confidence if present else "high")
    notes = given.get("notes", present.notes if present else "")
    check_content(given["label_type"], given["label_data"], confidence, named)
    wanted = {**dict.fromkeys(USES_OF), "usage_reason": "", **{name: given[name] for name in USES_OF if name in given}}
    label_data = as_stored(given["label_data"], present.label_data if present else None)
    values = {"label_data": label_data, "confidence": confidence, "notes": notes, **limits(wanted, present)}
    template, faults = made_under(
        named, present, label_data, item, lambda: templates.published_for(given["label_type"])
    )
    if faults:
        raise Invalid.of_fields("The label was not saved.", {"label_data": faults})
    if template is not None:
        values["template_id"] = template.pk
        if present is None or present.template_id != template.pk:
            values["output_schema"] = template.output_schema
    return values


def _apply(sheet: Sheet, plans: list[Plan], said: dict[str, Any]) -> None:
    """Write a chunk with what is `said` for all of it; a plan that somebody else overtook becomes refused."""
    if unchanged := [plan.present for plan in plans if plan.outcome == "unchanged" and plan.present]:
        repair_all(unchanged)
    new, changed = [], []
    for plan in plans:
        if plan.outcome == "new":
            new.append((plan, _new(sheet, plan, said["actor"])))
        elif plan.outcome == "changed" and plan.present:
            after = _changed(plan.present, plan.values, said["actor"])
            if uses_changed(plan.present, after):
                _record_alone(sheet, plan, said)
            else:
                changed.append((plan, after))
    if not (new or changed):
        return
    before = [plan.present for plan, _ in changed if plan.present]
    fresh, renewed = [label for _, label in new], [label for _, label in changed]
    written = record_labels(fresh, renewed, before=before, change_note=said["change_note"])
    for plan, label in (*new, *changed):
        if label.pk not in written:
            plan.outcome, plan.reasons = "refused", ("Somebody else wrote this label meanwhile: import it again.",)


def _record_alone(sheet: Sheet, plan: Plan, said: dict[str, Any]) -> None:
    """Record a label whose uses change, with its row in the audit."""
    values = {name: value for name, value in plan.values.items() if name in SAID}
    item_ref, label_type = plan.line.key
    try:
        record_label(
            sheet=sheet,
            item_ref=item_ref,
            label_type=label_type,
            **values,
            template=PromptTemplate.objects.filter(pk=plan.values.get("template_id")).first(),
            **said,
            seen_version=plan.present.version if plan.present else 0,
        )
    except (StaleLabel, Invalid, Forbidden) as problem:
        plan.outcome, plan.reasons = "refused", (problem.message,)


def _new(sheet: Sheet, plan: Plan, actor: str) -> CanonicalLabel:
    now, (item_ref, label_type) = timezone.now(), plan.line.key
    who = {"labeled_by": actor, "labeled_at": now, "last_modified_by": actor, "last_modified_at": now}
    key = {"sheet_id": sheet.pk, "item_ref": item_ref, "label_type": label_type}
    return CanonicalLabel(**key, **plan.values, **who, created_at=now)


def _changed(present: CanonicalLabel, values: Mapping[str, Any], actor: str) -> CanonicalLabel:
    stamp = {"version": present.version + 1, "last_modified_by": actor, "last_modified_at": timezone.now()}
    return _as(present, {**values, **stamp})


def _as(label: CanonicalLabel, values: Mapping[str, Any]) -> CanonicalLabel:
    after = copy(label)
    for name, value in values.items():
        setattr(after, name, value)
    return after


class _Templates:
    """Those that lines name, by their keys, and for lines that name none the published ones of their label type."""

    def __init__(self) -> None:
        self.named: dict[str, PromptTemplate] = {}
        self.published: dict[str, list[PromptTemplate]] = {}

    def read(self, chunk: list[Line]) -> None:
        wanted = {str(line.given["template_id"]) for line in chunk if "template_id" in line.given}
        if wanted:
            self.named = {template.pk: template for template in PromptTemplate.objects.filter(pk__in=wanted)}

    def published_for(self, label_type: str) -> list[PromptTemplate]:
        if label_type not in self.published:
            self.published[label_type] = templates_for(label_type)
        return self.published[label_type]


class _Near:
    """The names of the sheet's first items, read when the first unknown one comes, to say which was meant."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.known: list[str] | None = None

    def unknown(self, item_ref: str) -> str:
        if self.known is None:
            self.known = [item.ref for item in iter_items(self.sheet, limit=NEAR)]
        return f"The sheet has no item {item_ref!r}.{near_misses(item_ref, self.known)}"
