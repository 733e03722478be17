"""What the gate let out and what it held back, on the audit."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from governance import audit
from governance.models import UsageConstraintAudit
from training.models import Export, TrainingFile
from workbench.lakehouse.ids import uuid5_of


def export_begins(training_sheet_ids: Iterable[str], use: str, form: str, *, actor: str, channel: str) -> None:
    """Add that an export of training sheets begins whose end is not sure; each sheet has a row."""
    said = f"An export for {use} as {form} begins ({channel})"
    audit.append([audit.entry("export", _about(key), reason=said, actor=actor) for key in training_sheet_ids])


def export_left(*exports: Export) -> None:
    """Add that these exports left; the same ones again add nothing."""
    audit.append([_left(export) for export in exports])


def kept_left(export: Export, *, actor: str) -> None:
    """Add that a kept export was downloaded; each download is a row."""
    said = (
        f"Kept export {export.pk}, {export.exported_pairs:,} pairs for {export.use} as {export.format}, was downloaded "
        f"(link), SHA-256 {export.sha256}"
    )
    audit.append([audit.entry("export", _about(export.training_sheet_id), reason=said, actor=actor)])


def export_refused(training_sheet_ids: Iterable[str], use: str, why: str, *, actor: str, channel: str) -> None:
    """Add that somebody wanted pairs of training sheets for a use, and why none left; each sheet has a row."""
    said = f"Nothing left for {use} ({channel}): {why}"
    audit.append([audit.entry("refusal", _about(key), reason=said, actor=actor) for key in training_sheet_ids])


def file_left(row: TrainingFile, shape: str, *, actor: str, channel: str) -> None:
    """Add that a training file was downloaded; each download is a row."""
    digest = getattr(row, f"{shape}_sha256")
    said = f"Training file {row.name!r}, version {row.version}, left as {shape} ({channel}), SHA-256 {digest}"
    audit.append([audit.entry("export", subject_of_file(row.pk), reason=said, actor=actor)])


def file_refused(row: TrainingFile, shape: str, why: str, *, actor: str, channel: str) -> None:
    """Add that somebody wanted a training file, and why it did not leave."""
    said = f"Training file {row.name!r}, version {row.version}, did not leave as {shape} ({channel}): {why}"
    audit.append([audit.entry("refusal", subject_of_file(row.pk), reason=said, actor=actor)])


def downloads_of(row: TrainingFile) -> QuerySet[UsageConstraintAudit]:
    """Return the audit's rows of the downloads of a training file, the newest first."""
    return UsageConstraintAudit.objects.filter(kind="export", subject=subject_of_file(row.pk)).order_by("-sequence")


def subject_of_file(training_file_id: str) -> str:
    return f"training file {training_file_id}"


def _left(export: Export) -> UsageConstraintAudit:
    whole = "" if export.is_complete else ", cut off by its reader"
    said = (
        f"{export.exported_pairs:,} of {export.total_pairs:,} pairs left for {export.use} as {export.format} "
        f"({export.channel}{whole}), SHA-256 {export.sha256}"
    )
    return audit.entry(
        "export", _about(export.training_sheet_id), reason=said, actor=export.created_by,
        key=uuid5_of("audit_of_export", export.pk),
    )  # fmt: skip


def _about(training_sheet_id: str) -> str:
    return f"training sheet {training_sheet_id}"
