"""What the gate let out and what it held back, on the audit."""

from __future__ import annotations

from governance import audit
from training.models import Export, TrainingSheet
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


def _about(training_sheet_id: str) -> str:
    return f"training sheet {training_sheet_id}"
