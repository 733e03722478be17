"""What happened to a pair, or to an item and all made from it, in the order of time, from every table that knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from governance.changing import in_words
from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel, CanonicalLabelVersion
from labels.opinions.due import blind_labels
from sheets.models import Sheet
from sheets.withdrawing import SUBJECT
from training.models import QAPair, ReviewAction, ReviewEvent
from training.tracing.reached import exports_unproven, exports_with, files_with, models_with
from workbench.concepts import short

DONE = {
    "approve": "approved", "edit": "edited and approved", "reject": "rejected", "flag": "flagged",
    "reopen": "reopened", "undo": "undone",
}  # fmt: skip
# How the audit told of a reservation before its subject was the item.
RESERVED = re.compile(r"Item (.+?) (?:reserved for (?:evaluation|testing)|released from the held-out set): ", re.DOTALL)
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Happened:
    """One thing that happened; `about` is a pair, label, export, training file, model, sheet or item, and `key` its id.

    `kind` is generated, review, label, uses, export, file, trained or refusal. `changes` are those of fields, as
    `[{"field_path", "old_value", "new_value"}, …]`.
    """

    at: datetime | None
    kind: str
    words: str
    actor: str
    about: str
    key: str
    reason: str = ""
    changes: Sequence[dict[str, Any]] = field(default_factory=tuple)


def timeline_of_pair(pair: QAPair, *, user: Any) -> list[Happened]:
    """Return what happened to a pair, its label and its item, the oldest first.

    What a label became, by whom and why is left out for who may yet give the second opinion on it.
    """
    sheet, label_type = pair.training_sheet.sheet, pair.training_sheet.template.label_type
    labels = CanonicalLabel.objects.filter(sheet=sheet, item_ref=pair.item_ref, label_type=label_type)
    keys = {*labels.values_list("pk", flat=True), pair.canonical_label_id} - {None}
    return _ordered(_without_answers(_happened(sheet, pair.item_ref, [pair], sorted(keys)), [pair], sorted(keys), user))


def timeline_of_item(sheet: Sheet, item_ref: str, *, user: Any) -> list[Happened]:
    """Return what happened to an item and all that was made from it, the oldest first, as for a pair."""
    pairs = list(QAPair.objects.filter(training_sheet__sheet_id=sheet.pk, item_ref=item_ref).order_by("id"))
    labels = CanonicalLabel.objects.filter(sheet=sheet, item_ref=item_ref).order_by("id")
    keys = list(labels.values_list("pk", flat=True))
    return _ordered(_without_answers(_happened(sheet, item_ref, pairs, keys), pairs, keys, user))


def _without_answers(
    found: Iterable[Happened], pairs: Sequence[QAPair], labels: Sequence[str], user: Any
) -> Iterator[Happened]:
    blind = blind_labels(CanonicalLabel.objects.filter(pk__in=labels), user) if labels else set()
    hidden = blind | {pair.pk for pair in pairs if pair.canonical_label_id in blind}
    for each in found:
        yield replace(each, actor="", reason="", changes=()) if each.key in hidden else each


def _happened(sheet: Sheet, item_ref: str, pairs: Sequence[QAPair], labels: Sequence[str]) -> Iterator[Happened]:
    keys = [pair.pk for pair in pairs]
    for pair in pairs:
        by = f" by {pair.model}" if pair.model else f" ({pair.labeling_mode.replace('_', ' ')})"
        yield Happened(pair.created_at, "generated", f"generated{by}", "", "pair", pair.pk)
    yield from _reviewed(keys)
    yield from _labeled(labels)
    yield from _governed(sheet, item_ref, keys, labels)
    for export in (*exports_with(keys), *exports_unproven({pair.training_sheet_id for pair in pairs})):
        version = f", version {export.pair_version} of the pair" if export.pair_id else ""
        words = f"exported for {export.use} as {export.format}{version}"
        yield Happened(
            export.created_at, "export", words, export.created_by, "export", export.export_id, reason=export.note
        )
    for file in files_with(keys):
        words = f"put into the training file {file.name}"
        yield Happened(file.added_at, "file", words, file.added_by, "training file", file.training_file_id)
    for model in models_with(keys):
        words = f"{model.model_name} version {model.model_version} was trained on it"
        yield Happened(model.trained_at, "trained", words, model.trained_by, "model", model.model_id)


def _reviewed(keys: Sequence[str]) -> Iterator[Happened]:
    """Yield decisions of reviewers; changes of uses are told from the audit, unless they are not there yet."""
    if not keys:
        return
    for event in ReviewEvent.objects.filter(qa_pair_id__in=keys).exclude(action=ReviewEvent.Action.USES):
        words = f"{DONE[event.action]}: {event.old_status} → {event.new_status}"
        yield Happened(
            event.created_at, "review", words, event.actor, "pair", event.qa_pair_id, event.reason, event.changes
        )
    for action in ReviewAction.objects.filter(pair_id__in=keys, applied_at=None):
        words = f"{DONE.get(action.action, 'uses changed')}, waits for the lakehouse"
        yield Happened(
            action.created_at, "review", words, action.actor, "pair", action.pair_id, action.reason, action.changes
        )


def _labeled(labels: Sequence[str]) -> Iterator[Happened]:
    if not labels:
        return
    versions = CanonicalLabelVersion.objects.filter(canonical_label_id__in=labels).select_related("canonical_label")
    before: dict[str, Any] = {}
    for each in versions.order_by("canonical_label_id", "version"):
        old = before.get(each.canonical_label_id)
        changes = _fields_changed(old, each.label_data) if old is not None else ()
        before[each.canonical_label_id] = each.label_data
        words = f"{each.canonical_label.label_type}, version {each.version}"
        yield Happened(
            each.modified_at, "label", words, each.modified_by, "label", each.canonical_label_id, each.change_note,
            changes,
        )  # fmt: skip


def _fields_changed(old: Any, new: Any) -> list[dict[str, Any]]:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [] if old == new else [{"field_path": "$", "old_value": old, "new_value": new}]
    return [
        {"field_path": name, "old_value": old.get(name), "new_value": new.get(name)}
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]


def _governed(sheet: Sheet, item_ref: str, keys: Sequence[str], labels: Sequence[str]) -> Iterator[Happened]:
    """Yield the rows of the audit about the pairs, the labels, the item or its sheet."""
    about = Q(subject__in=[f"sheet {sheet.pk}", SUBJECT.format(sheet.pk, item_ref)])
    about |= Q(qa_pair_id__in=keys) if keys else Q()
    about |= Q(canonical_label_id__in=labels) if labels else Q()
    for row in UsageConstraintAudit.objects.filter(about).order_by("sequence"):
        if (earlier := RESERVED.match(row.reason)) and row.subject == f"sheet {sheet.pk}" and earlier[1] != item_ref:
            continue
        whose, key = _about(row, sheet, item_ref)
        kind = "refusal" if row.kind == UsageConstraintAudit.Kind.REFUSAL else "uses"
        yield Happened(row.modified_at, kind, changed_words(row), row.modified_by, whose, key, row.reason)


def _about(row: UsageConstraintAudit, sheet: Sheet, item_ref: str) -> tuple[str, str]:
    if row.qa_pair_id:
        return "pair", row.qa_pair_id
    if row.canonical_label_id:
        return "label", row.canonical_label_id
    return ("sheet", sheet.pk) if row.subject == f"sheet {sheet.pk}" else ("item", item_ref)


def changed_words(row: UsageConstraintAudit) -> str:
    """Return what a row of the audit changed: "training prohibited, classification internal → restricted"."""
    names = ("allowed_uses", "prohibited_uses", "data_classification")
    before, after = ({name: getattr(row, f"{when}_{name}") for name in names} for when in ("old", "new"))
    return ", ".join(in_words(before, after)) or short(row.get_kind_display())


def _ordered(found: Iterable[Happened]) -> list[Happened]:
    return sorted(found, key=lambda each: each.at or NEVER)
