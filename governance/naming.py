"""What rows of the audit are about, by name: one statement for each kind of thing, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps

from governance.models import UsageConstraintAudit
from workbench.sheet_rights import visible_to

# The column that names a thing, and its page, by what the audit calls it; most belong to later apps.
KINDS = {
    "canonical label": ("labels.CanonicalLabel", "item_ref", "labels_canonicallabel_change"),
    "pair": ("training.QAPair", "item_ref", "training_qapair_change"),
    "sheet": ("sheets.Sheet", "name", "sheets_sheet_change"),
    "training sheet": ("training.TrainingSheet", "name", "training_trainingsheet_change"),
    "training file": ("training.TrainingFile", "name", "training_trainingfile_change"),
}

Subject = tuple[str, str]


def subject_of(row: UsageConstraintAudit) -> Subject:
    """Return what a row is about as its kind and key; the kind is empty where no page is known for it."""
    if row.canonical_label_id:
        return "canonical label", row.canonical_label_id
    if row.qa_pair_id:
        return "pair", row.qa_pair_id
    kind, _, key = row.subject.rpartition(" ")
    return (kind, key) if kind in KINDS else ("", row.subject)


def names_of(rows: Iterable[UsageConstraintAudit], user: Any) -> dict[Subject, str]:
    """Return the names of what the rows are about, as far as the user sees it and it is still there."""
    wanted: dict[str, set[str]] = {}
    for kind, key in map(subject_of, rows):
        if kind:
            wanted.setdefault(kind, set()).add(key)
    found: dict[Subject, str] = {}
    for kind, keys in wanted.items():
        model, column, _ = KINDS[kind]
        things = visible_to(user, apps.get_model(model)._default_manager.filter(pk__in=sorted(keys)))
        found.update({(kind, key): name for key, name in things.order_by().values_list("pk", column)})
    return found
