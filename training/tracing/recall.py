"""From one item to all that it reached: pairs, labels with every version, exports, training files and models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError

from governance.models import Withdrawal
from labels.models import CanonicalLabel, CanonicalLabelVersion
from sheets.alike import alike_of
from sheets.models import Sheet
from sheets.reading import get_item
from training.chunks import pair_id
from training.models import QAPair, TrainingSheet
from training.tracing.reached import (
    InExport,
    InFile,
    InModel,
    LabelsLeft,
    earlier_files_with,
    exports_unproven,
    exports_with,
    files_with,
    labels_left,
    models_with,
)
from workbench.problems import NotFound, Problem
from workbench.sheet_rights import rights_of


@dataclass(frozen=True)
class PairReached:
    id: str
    training_sheet_id: str
    training_sheet: str
    status: str
    version: int
    labeling_mode: str
    model: str
    canonical_label_id: str | None
    canonical_label_version: int | None
    created_at: datetime


@dataclass(frozen=True)
class DraftReached:
    """A pair of another item whose draft was copied from a label of this one."""

    id: str
    training_sheet_id: str
    training_sheet: str
    item_ref: str
    status: str
    version: int
    model: str
    created_at: datetime


@dataclass(frozen=True)
class LabelVersion:
    version: int
    modified_by: str
    modified_at: datetime
    change_note: str


@dataclass(frozen=True)
class LabelReached:
    id: str
    label_type: str
    version: int
    labeled_by: str
    labeled_at: datetime
    versions: Sequence[LabelVersion]


@dataclass(frozen=True)
class Elsewhere:
    """Another sheet over the same table with pairs or labels of an item of the same name: recall that one too."""

    sheet_id: str
    sheet: str


@dataclass(frozen=True)
class Recall:
    """What an item reached; `is_in_source` is None where the source cannot be read now."""

    sheet_id: str
    sheet: str
    primary_table: str
    item_ref: str
    is_in_source: bool | None
    withdrawal: Withdrawal | None
    pairs: Sequence[PairReached]
    labels: Sequence[LabelReached]
    drafts: Sequence[DraftReached]
    exports: Sequence[InExport]
    label_exports: Sequence[LabelsLeft]
    training_files: Sequence[InFile]
    earlier_training_files: Sequence[InFile]
    models: Sequence[InModel]
    elsewhere: Sequence[Elsewhere]

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawal is not None and not self.withdrawal.is_released


def recall(sheet: Sheet, item_ref: str, *, user: Any) -> Recall:
    """Return what the item reached; NotFound where it is neither in the source nor ever made anything of."""
    pairs = _pairs(sheet, item_ref)
    labels = _labels(sheet, item_ref)
    withdrawal = Withdrawal.objects.filter(sheet_id=sheet.pk, item_ref=item_ref).first()
    is_in_source = _is_in_source(sheet, item_ref)
    if is_in_source is False and not (pairs or labels or withdrawal):
        raise _never_was(sheet, item_ref)
    # The key of a pair follows from training sheet and item, so that what left is found of a pair that is gone too.
    training_sheets = list(TrainingSheet.objects.filter(sheet=sheet).order_by("pk").values_list("pk", flat=True))
    keys = sorted({each.id for each in pairs} | {pair_id(key, item_ref) for key in training_sheets})
    exports = [*exports_with(keys), *exports_unproven(training_sheets)]
    return Recall(
        sheet.pk, sheet.name, sheet.primary_table, item_ref, is_in_source, withdrawal, pairs, labels,
        _drafts(sheet, item_ref), exports, labels_left(sheet.pk, _since(labels)), files_with(keys), earlier_files_with(keys), models_with(keys),
        _elsewhere(sheet, item_ref, user),
    )  # fmt: skip


def _since(labels: Sequence[LabelReached]) -> dict[str, datetime]:
    """Return since when there is a label of each type."""
    return {
        each.label_type: min([each.labeled_at, *(version.modified_at for version in each.versions)]) for each in labels
    }


def expect_item(sheet: Sheet, item_ref: str) -> None:
    """Raise NotFound where the item is neither in the source nor ever made anything of."""
    made = (
        QAPair.objects.filter(training_sheet__sheet_id=sheet.pk, item_ref=item_ref),
        CanonicalLabel.objects.filter(sheet=sheet, item_ref=item_ref),
        Withdrawal.objects.filter(sheet_id=sheet.pk, item_ref=item_ref),
    )
    if not any(rows.exists() for rows in made) and _is_in_source(sheet, item_ref) is False:
        raise _never_was(sheet, item_ref)


def _never_was(sheet: Sheet, item_ref: str) -> NotFound:
    return NotFound(f"The sheet {sheet.name!r} has no item {item_ref!r}, and nothing was ever made of one.")


def _pairs(sheet: Sheet, item_ref: str) -> list[PairReached]:
    found = QAPair.objects.filter(training_sheet__sheet_id=sheet.pk, item_ref=item_ref).select_related("training_sheet")
    return [
        PairReached(
            pair.pk, pair.training_sheet_id, pair.training_sheet.name, pair.status, pair.version, pair.labeling_mode,
            pair.model, pair.canonical_label_id, pair.canonical_label_version, pair.created_at,
        )
        for pair in found.order_by("created_at", "id")
    ]  # fmt: skip


def _labels(sheet: Sheet, item_ref: str) -> list[LabelReached]:
    labels = list(CanonicalLabel.objects.filter(sheet=sheet, item_ref=item_ref).order_by("label_type"))
    versions: dict[str, list[LabelVersion]] = {label.pk: [] for label in labels}
    rows = CanonicalLabelVersion.objects.filter(canonical_label_id__in=list(versions)).order_by("version")
    columns = ("canonical_label_id", "version", "modified_by", "modified_at", "change_note")
    for key, *row in rows.values_list(*columns) if labels else ():
        versions[key].append(LabelVersion(*row))
    return [
        LabelReached(
            label.pk, label.label_type, label.version, label.labeled_by, label.labeled_at, versions[label.pk]
        )
        for label in labels
    ]  # fmt: skip


def _drafts(sheet: Sheet, item_ref: str) -> list[DraftReached]:
    found = QAPair.objects.filter(training_sheet__sheet_id=sheet.pk, based_on__overlap=[item_ref])
    return [
        DraftReached(
            pair.pk, pair.training_sheet_id, pair.training_sheet.name, pair.item_ref, pair.status, pair.version,
            pair.model, pair.created_at,
        )
        for pair in found.select_related("training_sheet").order_by("created_at", "id")
    ]  # fmt: skip


def _is_in_source(sheet: Sheet, item_ref: str) -> bool | None:
    try:
        get_item(sheet, item_ref)
    except NotFound:
        return False
    except (Problem, DatabaseError):
        return None
    return True


def _elsewhere(sheet: Sheet, item_ref: str, user: Any) -> list[Elsewhere]:
    hidden = rights_of(user).hidden
    others = Sheet.objects.filter(pk__in=alike_of(sheet).sheet_ids).exclude(pk__in=[sheet.pk, *hidden])
    names = dict(others.order_by("name").values_list("pk", "name"))
    if not names:
        return []
    pairs = QAPair.objects.filter(training_sheet__sheet_id__in=list(names), item_ref=item_ref).order_by()
    labels = CanonicalLabel.objects.filter(sheet_id__in=list(names), item_ref=item_ref).order_by()
    used = {*pairs.values_list("training_sheet__sheet_id", flat=True), *labels.values_list("sheet_id", flat=True)}
    return [Elsewhere(key, name) for key, name in names.items() if key in used]
