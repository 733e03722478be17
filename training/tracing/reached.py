"""How far pairs came: the exports, training files and models that have them, each found by the pairs' keys."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.models import UsageConstraintAudit
from labels.exporting import may_have
from training.exports.manifest import lines_of
from training.models import (
    Export,
    ExportPart,
    ModelTrainingLineage,
    TrainingFile,
    TrainingFileConversation,
    TrainingFileVersion,
)

UNPROVEN = "made without a manifest, so it may have the item"
UNPROVEN_LABELS = "labels leave without a manifest, so it may have the item"
BROKEN_OFF = "broken off before it was recorded, so it may have left in part"
CUT_OFF = "cut off by its reader, so the pair may not have left"


@dataclass(frozen=True)
class InExport:
    """A pair in an export, from which versions; `note` says what is not sure about it."""

    export_id: str
    pair_id: str
    pair_version: int | None
    label_id: str | None
    label_version: int | None
    line_sha256: str
    use: str = ""
    format: str = ""
    created_at: datetime | None = None
    created_by: str = ""
    sha256: str = ""
    manifest_sha256: str = ""
    note: str = ""


@dataclass(frozen=True)
class LabelsLeft:
    """An export of labels, by its row of the audit."""

    audit_id: str
    sequence: int | None
    words: str
    left_at: datetime
    left_by: str
    note: str


@dataclass(frozen=True)
class InFile:
    """A pair in a training file, as a conversation: as the file is, or as it was until `replaced_at`.

    Of an earlier version `added_by` and `added_at` tell of that version as a whole.
    """

    training_file_id: str
    name: str
    version: int
    conversation_id: str
    pair_id: str
    added_by: str
    added_at: datetime
    json_sha256: str
    jsonl_sha256: str
    replaced_at: datetime | None = None


@dataclass(frozen=True)
class InModel:
    """Pairs that a model was trained on."""

    model_id: str
    model_name: str
    model_version: str
    training_sheet_id: str
    trained_at: datetime
    pair_ids: list[str]
    mlflow_run_id: str
    trained_by: str


def exports_with(pair_ids: Collection[str]) -> list[InExport]:
    """Return the exports that have one of the pairs, by their manifests, the oldest first; two statements."""
    lines = list(_lines_with(pair_ids))
    exports = Export.objects.in_bulk({export_id for export_id, _ in lines}) if lines else {}
    return [_in_export(export_id, line, exports.get(export_id)) for export_id, line in lines]


def exports_unproven(training_sheet_ids: Collection[str]) -> list[InExport]:
    """Return the exports of these training sheets that have no manifest, as ground truth has none, the oldest first."""
    rows = Export.objects.filter(training_sheet_id__in=list(training_sheet_ids), manifest_sha256="")
    return [InExport(each.pk, "", None, None, None, "", note=UNPROVEN, **_said(each)) for each in rows.order_by("id")]


def labels_left(sheet_id: str, since: Mapping[str, datetime]) -> list[LabelsLeft]:
    """Return the exports of labels of a sheet that may have some of these types, each made `since` then, the oldest first."""
    if not since:
        return []
    rows = UsageConstraintAudit.objects.filter(
        kind=UsageConstraintAudit.Kind.EXPORT, subject=f"sheet {sheet_id}", modified_at__gte=min(since.values())
    )
    return [
        LabelsLeft(row.pk, row.sequence, row.reason, row.modified_at, row.modified_by, UNPROVEN_LABELS)
        for row in rows.order_by("sequence")
        if any(may_have(row.reason, label_type) and row.modified_at >= at for label_type, at in since.items())
    ]


def files_with(pair_ids: Collection[str]) -> list[InFile]:
    """Return the training files that have one of the pairs as a conversation, also archived ones."""
    if not pair_ids:
        return []
    members = TrainingFileConversation.objects.filter(conversation__qa_pair_id__in=list(pair_ids))
    rows = members.select_related("training_file", "conversation").order_by("added_at", "id")
    return [
        InFile(
            each.training_file_id, each.training_file.name, each.training_file.version, each.conversation_id,
            each.conversation.qa_pair_id, each.added_by, each.added_at, each.training_file.json_sha256,
            each.training_file.jsonl_sha256,
        )
        for each in rows
        if each.build == each.training_file.build
    ]  # fmt: skip


def earlier_files_with(pair_ids: Collection[str]) -> list[InFile]:
    """Return the versions with one of the pairs of training files that were changed or deleted since, the oldest first."""
    if not pair_ids:
        return []
    wanted = set(pair_ids)
    rows = list(TrainingFileVersion.objects.filter(pair_ids__overlap=list(wanted)).order_by("replaced_at", "id"))
    # A change that failed after it was written down left its file as it was.
    files = TrainingFile.objects.filter(pk__in={each.training_file_id for each in rows})
    standing = set(files.values_list("build", flat=True))
    return [
        InFile(
            each.training_file_id, each.name, each.version, conversation_id, pair_id, each.updated_by, each.updated_at,
            each.json_sha256, each.jsonl_sha256, each.replaced_at,
        )
        for each in rows
        if each.build not in standing
        for conversation_id, pair_id in zip(each.conversation_ids, each.pair_ids, strict=True)
        if pair_id in wanted
    ]  # fmt: skip


def models_with(pair_ids: Collection[str]) -> list[InModel]:
    """Return the models that were trained on one of the pairs, the oldest first."""
    if not pair_ids:
        return []
    wanted = set(pair_ids)
    rows = ModelTrainingLineage.objects.filter(qa_pair_ids__overlap=list(wanted)).order_by("trained_at", "id")
    return [
        InModel(
            each.model_id, each.model_name, each.model_version, each.training_sheet_id, each.trained_at,
            sorted(wanted.intersection(each.qa_pair_ids)), each.mlflow_run_id, each.created_by,
        )
        for each in rows
    ]  # fmt: skip


def _lines_with(pair_ids: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    if not pair_ids:
        return
    wanted = set(pair_ids)
    parts = ExportPart.objects.filter(pair_ids__overlap=list(wanted)).order_by("export_id", "number")
    for export_id, text in parts.values_list("export_id", "text").iterator(chunk_size=10):
        yield from ((export_id, line) for line in lines_of(text) if line["pair_id"] in wanted)


def _in_export(export_id: str, line: dict[str, Any], export: Export | None) -> InExport:
    proven = {name: line[name] for name in ("pair_id", "pair_version", "label_id", "label_version")}
    if export is None:
        return InExport(export_id, line_sha256=line["sha256"], note=BROKEN_OFF, **proven)
    note = "" if export.is_complete else CUT_OFF
    return InExport(export_id, line_sha256=line["sha256"], note=note, **proven, **_said(export))


def _said(export: Export) -> dict[str, Any]:
    named = ("use", "format", "created_at", "created_by", "sha256", "manifest_sha256")
    return {name: getattr(export, name) for name in named}
