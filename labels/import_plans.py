"""What each line of an import would do, by chunks of a few statements; nothing is written here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import Any

from governance.changing import LIMITS
from labels.checking import NEAR, check_content, limits, made_under
from labels.history import uses_changed
from labels.import_lines import Line, read_lines
from labels.labeling.templates_of import templates_for
from labels.limiting import besides
from labels.models import CanonicalLabel
from labels.opinions.due import waits_in_words
from labels.opinions.settling import expect_settled, waiting_among
from labels.resting import has_answer
from labels.seen import says_already
from sheets.models import Sheet
from sheets.reading import Item, items_of, iter_items
from templates_app.changes import as_stored
from templates_app.models import PromptTemplate
from workbench.near import near_misses
from workbench.problems import Invalid, Problem, one_line

CHUNK = 200


@dataclass(frozen=True)
class Terms:
    """What holds for every line: why uses change, what is hidden from the actor, and what the actor may do to uses."""

    reason: str = ""
    blind: Collection[str] = ()
    may_change_uses: bool = True
    may_loosen: bool = False


@dataclass(slots=True)
class Plan:
    """What one line does. `values` are the label's fields as it leaves them; `present` is the label before."""

    line: Line
    outcome: str
    values: Mapping[str, Any] = field(default_factory=dict)
    present: CanonicalLabel | None = None
    reasons: tuple[str, ...] = ()

    @property
    def mark(self) -> bytes:
        """Eight bytes that are others where the line does something else, or to another label or item."""
        version, item = self.present.version if self.present else 0, self.values.get("item_hash", "")
        return sha256(f"{self.line.number} {self.outcome} {self.line.key} {version} {item}".encode()).digest()[:8]

    def refuse(self, *reasons: str) -> None:
        self.outcome, self.reasons = "refused", reasons


def planned(sheet: Sheet, lines: Iterable[bytes], terms: Terms) -> Iterator[list[Plan]]:
    """Yield the plans of the lines by chunks, each made when the one before was done with."""
    reading, near, templates = read_lines(lines), _Near(sheet), _Templates()
    while chunk := list(islice(reading, CHUNK)):
        refs = {line.given["item_ref"] for line in chunk if not line.faults}
        items = {item.ref: item for item in items_of(sheet, dict.fromkeys(refs, 0))} if refs else {}
        labels = CanonicalLabel.objects.filter(sheet_id=sheet.pk, item_ref__in=list(refs))
        present = {(label.item_ref, label.label_type): label for label in labels} if refs else {}
        templates.read(chunk)
        hidden = {key for key, label in present.items() if label.pk in terms.blind}
        disputed = waiting_among(sheet, refs) if present else set()
        yield [
            _waits(line)
            if line.key in hidden
            else _plan(line, items, present.get(line.key), templates, near, terms, is_disputed=line.key in disputed)
            for line in chunk
        ]


def after_line(label: CanonicalLabel, values: Mapping[str, Any]) -> CanonicalLabel:
    """Return the label with other values; the given one stays as it is."""
    after = copy(label)
    for name, value in values.items():
        setattr(after, name, value)
    return after


def _waits(line: Line) -> Plan:
    # Whatever the line says, so that nothing is learnt of the first answer by sending guesses.
    return Plan(line, "refused", reasons=(waits_in_words(line.given["item_ref"]),))


def _plan(
    line: Line,
    items: Mapping[str, Item],
    present: CanonicalLabel | None,
    templates: _Templates,
    near: _Near,
    terms: Terms,
    *,
    is_disputed: bool,
) -> Plan:
    if line.faults:
        return Plan(line, "refused", reasons=line.faults)
    item = items.get(line.given["item_ref"])
    if item is None:
        return Plan(line, "refused", reasons=(near.unknown(line.given["item_ref"]),))
    try:
        values = _values(line.given, present, templates, item)
        if present and _is_unchanged(present, values):
            return Plan(line, "unchanged", values, present)
        if present and is_disputed and not has_answer(present, values["label_data"]):
            expect_settled(present)
        if present:
            values |= _besides(present, values, terms)
    except Problem as problem:
        reasons = [f"{name}: {one_line(words)}" for name, words in problem.fields.items()]
        return Plan(line, "refused", reasons=tuple(reasons) or (problem.message,))
    return Plan(line, "changed" if present else "new", {**values, "item_hash": item.hash}, present)


def _is_unchanged(present: CanonicalLabel, values: Mapping[str, Any]) -> bool:
    content = {name: value for name, value in values.items() if name not in LIMITS}
    return not uses_changed(present, after_line(present, values)) and says_already(present, content)


def _besides(present: CanonicalLabel, values: Mapping[str, Any], terms: Terms) -> dict[str, Any]:
    rights = {"may_change_uses": terms.may_change_uses, "may_loosen": terms.may_loosen}
    return besides(present, after_line(present, values), terms.reason, **rights)


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
    wanted = {**dict.fromkeys(LIMITS), "usage_reason": "", **{name: given[name] for name in LIMITS if name in given}}
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
