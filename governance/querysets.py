"""The audit as a table that only grows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, NoReturn, Self

from django.db import NotSupportedError
from django.db.models import Q, QuerySet

from workbench.sheet_rights import OfSheetQuerySet, rights_of

if TYPE_CHECKING:
    from governance.models import UsageConstraintAudit, Withdrawal  # noqa: F401 - named in the brackets below

# Takes the keys of sheets that a user may not see, and the user; gives the rows about these, and about what is of them.
About = Callable[[Collection[str], Any], Q]
ABOUT: list[About] = []
ADD_ONLY = NotSupportedError(
    "The audit is neither edited nor deleted from, and rows are added by `governance.audit.append` alone, which chains "
    "them. To correct a row, append another that says so."
)


def add_about(about: About) -> None:
    """Ask this one too, once however often it is added: later apps add theirs when they are ready."""
    if about not in ABOUT:
        ABOUT.append(about)


class AuditQuerySet(QuerySet["UsageConstraintAudit"]):
    """Reads as any other; every write but `add_chained` is refused."""

    def visible_to(self, user: Any) -> Self:
        """Return the rows about sheets that the user sees, about what was made from them, and about what they read."""
        hidden = rights_of(user).hidden
        if not hidden:
            return self
        about = (each(hidden, user) for each in ABOUT)
        return self.exclude(reduce(or_, about, Q()))

    def gained_or_lost(self, use: str, *, gained: bool) -> Self:
        """Return the changes by which something may be used for `use` again, or no more."""
        old, new = _permitting("old", use), _permitting("new", use)
        return self.filter(~old & new if gained else old & ~new)

    def about_words(self, words: str) -> Self:
        """Return the rows with these words in reason, subject or actor, or with this pair or label."""
        named = Q(qa_pair_id=words) | Q(canonical_label_id=words)
        return self.filter(
            named | Q(reason__icontains=words) | Q(subject__icontains=words) | Q(modified_by__icontains=words)
        )

    def add_chained(self, rows: Iterable[UsageConstraintAudit]) -> None:
        """Insert rows that `governance.audit` has chained, as one commit; IntegrityError where a place is taken."""
        super().bulk_create(list(rows))

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ADD_ONLY

    create = bulk_create = bulk_update = update = delete = _refuse
    get_or_create = update_or_create = _raw_delete = _update = _refuse


def _permitting(when: str, use: str) -> Q:
    prohibited = Q(**{f"{when}_prohibited_uses__contains": [use]})
    return Q(**{f"{when}_allowed_uses__contains": [use]}) & ~prohibited


class WithdrawalQuerySet(OfSheetQuerySet["Withdrawal"]):
    def in_force(
        self, sheet_ids: Sequence[str], item_refs: Sequence[str] | None = None
    ) -> Iterable[tuple[str, str, str]]:
        """Return sheet, item and reason of each withdrawal that holds in these sheets, or of these items there."""
        only = {} if item_refs is None else {"item_ref__among": list(item_refs)}
        rows = self.filter(sheet_id__in=list(sheet_ids), is_released=False, **only)
        return rows.order_by("item_ref", "id").values_list("sheet_id", "item_ref", "reason")
