"""What rows of the audit are about, by name: one statement for each kind of thing, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from governance.models import UsageConstraintAudit
from workbench.sheet_rights import visible_to


@dataclass(frozen=True)
class Kind:
    """A kind of thing that rows are about: its model, and the column that names one."""

    model: type[Model]
    column: str

    @property
    def page(self) -> str:
        """The admin's page of one."""
        return f"{self.model._meta.app_label}_{self.model._meta.model_name}_change"


# By what the audit calls it.
KINDS: dict[str, Kind] = {}


def add_kind(name: str, model: type[Model], column: str) -> None:
    """Name things of this kind: later apps add theirs when they are ready."""
    KINDS[name] = Kind(model, column)


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
        of = KINDS[kind]
        things = visible_to(user, of.model._default_manager.filter(pk__in=sorted(keys)))
        found.update({(kind, key): name for key, name in things.order_by().values_list("pk", of.column)})
    return found
