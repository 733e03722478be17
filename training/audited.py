"""What the gate let out and what it held back, on the audit."""

from __future__ import annotations

from django.db.models import QuerySet

from governance import audit
from governance.models import UsageConstraintAudit
from training.models import Export, TrainingFile, TrainingSheet
from workbench.lakehouse.ids import uuid5_of


def export_left(export: Export) -> None:
    """Add that an export left; the same export again adds nothing."""
    whole = "" if export.is_complete else ", cut off by its reader"
    said = (
        f"{export.exported_pairs:,} of {export.total_pairs:,} pairs left for {export.use} as {export.format} "
        f"({export.channel}{whole}), SHA-256 {export.sha256}"
    )
    row = audit.entry(
        "export", _about(export.training_sheet_id), reason=said, actor=export.created_by,
        key=uuid5_of("audit_of_export", export.pk),
    )  # fmt: skip
    audit.append([row])


def export_refused(training_sheet: TrainingSheet, use: str, why: str, *, actor: str, channel: str) -> None:
    """Add that somebody wanted pairs for a use, and why none left."""
    said = f"Nothing left for {use} ({channel}): {why}"
    audit.append([audit.entry("refusal", _about(training_sheet.pk), reason=said, actor=actor)])


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


def _about(training_sheet_id: str) -> str:
    return f"training sheet {training_sheet_id}"
