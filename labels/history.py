"""The past of a label: its versions, and the audit of what it may be used for.

Delta commits one table at a time, so a change is three commits: the label, the audit of its uses, the version. The
version comes last and thereby says that the rest is there. A writer killed in between leaves a label whose version row
is missing; the label still holds all that the row needs, and the next writer adds it before it overwrites anything.
Written first, a version could show a change that never happened, or the loser of two writers instead of the winner.
Ids follow from label and version, so that nothing is added twice, whoever adds it; the reason that the audit keeps is
written with the label, so that whoever adds the audit row knows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from governance import audit
from governance.changing import in_order
from governance.models import UsageConstraintAudit
from labels.lately import tell_change
from labels.models import CanonicalLabel, CanonicalLabelVersion
from labels.resting import has_answer
from labels.standing import tell_written

COPIED = (
    "version", "label_data", "confidence", "notes",
    "allowed_uses", "prohibited_uses", "usage_reason", "data_classification", "decided_by", "opinion_id",
)  # fmt: skip
SAID_TOO = ("confidence", "notes")
LOST = "Not recorded: the change was interrupted before its reason was written."

Limited = CanonicalLabel | CanonicalLabelVersion


def keep(before: CanonicalLabel | None, after: CanonicalLabel, *, change_note: str) -> None:
    """Add the audit row, where uses changed, and the version row of the change that `after` came from."""
    if before is not None:
        audit_all([(before, after)])
    # Another writer may have repaired this change meanwhile, without knowing its note: this one wins.
    CanonicalLabelVersion.objects.bulk_create(
        [_version(after, change_note)], update_conflicts=True, unique_fields=["id"], update_fields=["change_note"]
    )
    tell_written(after)
    if before is not None:
        tell_change(after.sheet_id)


def audit_all(changes: Sequence[tuple[Limited, CanonicalLabel]]) -> None:
    """Write one audit row for each (before, after) pair whose uses differ, in one commit."""
    if changed := [(before, after) for before, after in changes if uses_changed(before, after)]:
        audit.append([_audit(before, after) for before, after in changed])


def keep_all(labels: Sequence[CanonicalLabel], *, change_note: str) -> None:
    """Add the version rows of labels that were written together; what their uses changed is audited before."""
    CanonicalLabelVersion.objects.bulk_create([_version(label, change_note) for label in labels], ignore_conflicts=True)


def ever_written(labels: Sequence[CanonicalLabel]) -> set[str]:
    """Return the keys of those labels that once stood as given, whatever others made of them since.

    Whoever changes a label adds the version before it where a killed writer left that out, so no version is missing.
    """
    wanted = {version_id(label.pk, label.version): label for label in labels}
    kept = CanonicalLabelVersion.objects.filter(pk__in=wanted).values_list("pk", "modified_by", "modified_at")
    return {
        wanted[key].pk
        for key, by, at in kept
        if (by, at) == (wanted[key].last_modified_by, wanted[key].last_modified_at)
    }


def repair_all(labels: Sequence[CanonicalLabel]) -> None:
    """Repair those of the labels whose latest change was interrupted; one statement when none was."""
    ids = {version_id(label.pk, label.version): label for label in labels}
    kept = set(CanonicalLabelVersion.objects.filter(pk__in=ids).values_list("pk", flat=True))
    for key, label in ids.items():
        if key not in kept:
            repair(label)


def repair(label: CanonicalLabel) -> None:
    """Add what a killed writer left out of the label's latest change; nothing when nothing is missing."""
    versions = CanonicalLabelVersion.objects
    if versions.filter(pk=version_id(label.pk, label.version)).exists():
        return
    before = versions.filter(pk=version_id(label.pk, label.version - 1)).first()
    if before is not None:
        audit_all([(before, label)])
    versions.bulk_create([_version(label, "")], ignore_conflicts=True)


def answered_by(label: CanonicalLabel) -> str:
    """Return who gave the label's answer: not who later changed its notes or uses."""
    by = label.last_modified_by
    rows = label.versions.filter(version__lte=label.version).order_by("-version")
    for row in rows.only("label_data", "modified_by").iterator():
        if not has_answer(label, row.label_data):
            break
        by = row.modified_by
    return by


def changes_uses_alone(before: Limited, after: Limited) -> bool:
    """Return whether the change is one of uses, which is made without looking at the answer."""
    stays = has_answer(after, before.label_data)
    return (
        stays
        and uses_changed(before, after)
        and all(getattr(before, name) == getattr(after, name) for name in SAID_TOO)
    )


def uses_changed(before: Limited, after: Limited) -> bool:
    """Return whether uses, classification or the reason for them differ."""
    return _limits(before) != _limits(after)


def _limits(label: Limited) -> tuple[Any, ...]:
    uses = in_order(label.allowed_uses), in_order(label.prohibited_uses)
    return *uses, label.usage_reason, label.data_classification


def version_id(label_id: str, version: int) -> str:
    """Return the key of the row of a label's version."""
    return str(uuid5(UUID(label_id), str(version)))


def _version(label: CanonicalLabel, change_note: str) -> CanonicalLabelVersion:
    return CanonicalLabelVersion(
        id=version_id(label.pk, label.version),
        canonical_label_id=label.pk,
        modified_by=label.last_modified_by,
        modified_at=label.last_modified_at,
        change_note=change_note,
        **{name: getattr(label, name) for name in COPIED},
    )


def _audit(before: Limited, after: CanonicalLabel) -> UsageConstraintAudit:
    return UsageConstraintAudit(
        id=str(uuid5(UUID(after.pk), f"uses {after.version}")),
        canonical_label_id=after.pk,
        old_allowed_uses=before.allowed_uses,
        new_allowed_uses=after.allowed_uses,
        old_prohibited_uses=before.prohibited_uses,
        new_prohibited_uses=after.prohibited_uses,
        old_data_classification=before.data_classification,
        new_data_classification=after.data_classification,
        reason=after.uses_change_reason or after.usage_reason or LOST,
        modified_by=after.last_modified_by,
        modified_at=after.last_modified_at,
    )
