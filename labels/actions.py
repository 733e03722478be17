"""What can be done to a canonical label: record it, for the first time or again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from labels.checking import check_content, existing_item, limits, made_under
from labels.history import keep, repair
from labels.labeling.templates_of import templates_for
from labels.limiting import besides
from labels.models import CanonicalLabel
from labels.opinions.settling import expect_settled
from labels.resting import has_answer, resting_on
from labels.seen import expect_seen, says_already
from sheets.models import Sheet
from templates_app.changes import as_stored
from templates_app.models import PromptTemplate
from workbench.problems import Conflict, NotFound

ATTEMPTS = 5
SAID = (
    "label_data", "confidence", "notes", "allowed_uses", "prohibited_uses", "usage_reason", "data_classification",
)  # fmt: skip

Values = Mapping[str, Any]


def record_label(
    *,
    sheet: Sheet,
    item_ref: str,
    label_type: str,
    label_data: Any,
    actor: str,
    confidence: str = "high",
    notes: str = "",
    allowed_uses: Sequence[str] | None = None,
    prohibited_uses: Sequence[str] | None = None,
    usage_reason: str = "",
    data_classification: str | None = None,
    template: PromptTemplate | None = None,
    reason: str = "",
    change_note: str = "",
    may_change_uses: bool = True,
    may_loosen: bool = False,
    seen_version: int | None = None,
    decision: Values | None = None,
) -> CanonicalLabel:
    """Return the label of the item for this type of task, made or changed; recording the same again changes nothing.

    Uses, usage reason, classification and template that are not given stay as they are (at first: all five uses,
    `internal`). `label_data` must fit the template's output schema, else the one that the label was made under; an answer
    of neither is kept with the published template of its label type that it fits, where there is one.
    A change of uses, usage reason or classification needs a `reason`, which is audited; `change_note` goes to the
    version. `decision` says on whose opinions it rests, as `labels.resting` has it. `seen_version` is the one that the
    actor looked at, 0 for no label: another one is a StaleLabel, unless it says the same already. Without `may_loosen` what a tag prohibited when the label was made stays so. Raises Invalid
    naming every input at fault, Forbidden where uses may not be changed so, and Conflict for another answer while two
    wait to be decided between, or when others keep changing it.
    """
    check_content(label_type, label_data, confidence, template)
    given = {
        "allowed_uses": allowed_uses,
        "prohibited_uses": prohibited_uses,
        "usage_reason": usage_reason,
        "data_classification": data_classification,
    }
    item = existing_item(sheet, item_ref)
    content = {"confidence": confidence, "notes": notes, "item_hash": item.hash}
    key = {"sheet_id": sheet.pk, "item_ref": item_ref, "label_type": label_type}
    rights = {"may_change_uses": may_change_uses, "may_loosen": may_loosen}
    for _ in range(ATTEMPTS):
        present = CanonicalLabel.objects.filter(**key).first()
        label_data = as_stored(label_data, present.label_data if present else None)
        answer = {"label_data": label_data, **resting_on(present, label_data, decision)}
        made, _ = made_under(template, present, label_data, item, lambda: templates_for(label_type))
        under = {"template_id": made.pk, "output_schema": made.output_schema} if made else {}
        values = content | under | limits(given, present) | answer
        expect_seen(seen_version, present, values)
        if present and decision is None and not has_answer(present, label_data):
            expect_settled(present)
        written = (
            _change(present, values, actor, reason=reason, change_note=change_note, **rights)
            if present
            else _add(key, values, actor, change_note=change_note)
        )
        if written is not None:
            return written
    raise Conflict(f"Others keep changing the label of {item_ref!r} ({label_type}): look at it, then try again.")


def restore_version(
    label: CanonicalLabel,
    version: int,
    *,
    actor: str,
    reason: str = "",
    seen_version: int | None = None,
    may_change_uses: bool = True,
    may_loosen: bool = False,
) -> CanonicalLabel:
    """Return the label as it was in an earlier version, recorded as a new one; nothing of its past goes away.

    NotFound for a version that it never had; else errors as for `record_label`, as where the old answer does not fit the
    schema of the present one, or where uses change without a `reason`.
    """
    old = label.versions.filter(version=version).first()
    if old is None:
        raise NotFound(f"{label} has no version {version}: it has 1 to {label.version}.")
    return record_label(
        sheet=label.sheet,
        item_ref=label.item_ref,
        label_type=label.label_type,
        **{name: getattr(old, name) for name in SAID},
        actor=actor,
        reason=reason,
        change_note=f"Version {version} restored",
        seen_version=seen_version,
        may_change_uses=may_change_uses,
        may_loosen=may_loosen,
    )


def _add(key: Values, values: Values, actor: str, *, change_note: str) -> CanonicalLabel | None:
    """The new label, or None when another writer was first."""
    now = timezone.now()
    who = {"labeled_by": actor, "labeled_at": now, "last_modified_by": actor, "last_modified_at": now}
    label = CanonicalLabel(**key, **values, **who, created_at=now)
    try:
        label.save(force_insert=True)
    except IntegrityError:
        return None
    keep(None, label, change_note=change_note)
    return label


def _change(
    present: CanonicalLabel,
    values: Values,
    actor: str,
    *,
    reason: str,
    change_note: str,
    may_change_uses: bool,
    may_loosen: bool,
) -> CanonicalLabel | None:
    """The changed label, or None when another writer changed it since it was read."""
    changes = {
        **values,
        "version": present.version + 1,
        "uses_change_reason": "",
        "last_modified_by": actor,
        "last_modified_at": timezone.now(),
    }
    after = copy(present)
    for name, value in changes.items():
        setattr(after, name, value)
    if says_already(present, values):
        # Perhaps because whoever saved it was killed half way, and saves it again.
        repair(present)
        return present
    kept = besides(present, after, reason, may_change_uses=may_change_uses, may_loosen=may_loosen)
    changes |= kept
    vars(after).update(kept)
    repair(present)
    if not CanonicalLabel.objects.filter(pk=present.pk, version=present.version).update(**changes):
        return None
    keep(present, after, change_note=change_note)
    return after
