"""Many labels at once, as applying reviews needs it: a few statements whatever their number."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from governance.changing import BY_TAG, LIMITS
from labels.history import audit_all, ever_written, keep_all, repair_all, uses_changed
from labels.lately import tell_change
from labels.models import CanonicalLabel
from labels.resting import NOTHING, resting_on
from workbench.lakehouse.bulk import update_next

CHANGED = (
    "label_data", "confidence", "notes", "item_hash", "template_id", "output_schema",
    "version", "last_modified_by", "last_modified_at", *NOTHING,
)  # fmt: skip

LIMITED = (*LIMITS, BY_TAG, "uses_change_reason")


def record_labels(
    new: Sequence[CanonicalLabel],
    changed: Sequence[CanonicalLabel],
    *,
    before: Sequence[CanonicalLabel],
    change_note: str = "Reviewed",
    restored: Collection[str] = (),
) -> set[str]:
    """Write the labels with their versions and return the keys of those that were written, now or by an earlier call.

    `changed` have the version after the one in `before`; what changes in their uses is audited. One that another writer
    made or changed meanwhile is not written and not returned: look at it again. The same call again changes nothing and
    returns the same. Those of the keys `restored` say themselves on whose opinions they rest; the others rest on none once
    their answer changed.
    """
    standing = {label.pk: label for label in before}
    limited = [(standing[label.pk], label) for label in changed if uses_changed(standing[label.pk], label)]
    if changed:
        repair_all(before)
        for label in changed:
            if label.pk not in restored:
                vars(label).update(resting_on(standing[label.pk], label.label_data))
        update_next(changed, (*CHANGED, *LIMITED) if limited else CHANGED)
        for sheet_id in {label.sheet_id for label in changed}:
            tell_change(sheet_id)
    if new:
        CanonicalLabel.objects.bulk_create(new, ignore_conflicts=True)
    wanted = {label.pk: label for label in (*new, *changed)}
    stamps = CanonicalLabel.objects.filter(pk__in=wanted).values_list(
        "pk", "version", "last_modified_by", "last_modified_at"
    )
    written = {pk for pk, *stamp in stamps if tuple(stamp) == _stamp(wanted[pk])}
    audit_all([(old, label) for old, label in limited if label.pk in written])
    keep_all([wanted[pk] for pk in sorted(written)], change_note=change_note)
    overtaken = [label for pk, label in wanted.items() if pk not in written]
    return written | (ever_written(overtaken) if overtaken else set())


def _stamp(label: CanonicalLabel) -> tuple[object, ...]:
    return label.version, label.last_modified_by, label.last_modified_at
