"""The audit as a table that only grows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Self

from django.apps import apps
from django.db import NotSupportedError
from django.db.models import Q, QuerySet

from workbench.sheet_rights import OfSheetQuerySet, rights_of

if TYPE_CHECKING:
    from governance.models import UsageConstraintAudit, Withdrawal  # noqa: F401 - named in the brackets below

# What an audit row can be about, and the lookup that leads from there to a sheet.
OF_SHEETS = (
    ("training.QAPair", "training_sheet__sheet_id"),
    ("labels.CanonicalLabel", "sheet_id"),
    ("training.TrainingSheet", "sheet_id"),
)
ADD_ONLY = NotSupportedError(
    "The audit is neither edited nor deleted from, and rows are added by `governance.audit.append` alone, which chains "
    "them. To correct a row, append another that says so."
)


class AuditQuerySet(QuerySet["UsageConstraintAudit"]):
    """Reads as any other; every write but `add_chained` is refused."""

    def visible_to(self, user: Any) -> Self:
        """Return the rows about sheets that the user sees, about what was made from them, and about what they read."""
        hidden = rights_of(user).hidden
        if not hidden:
            return self
        pairs, labels, training_sheets = (
            apps.get_model(name)._default_manager.filter(**{f"{path}__in": hidden}).values_list("pk", flat=True)
            for name, path in OF_SHEETS
        )
        subjects = [f"sheet {key}" for key in hidden] + [f"training sheet {key}" for key in training_sheets]
        files = apps.get_model("training.TrainingFile")._default_manager.of_sheets(hidden).values_list("pk", flat=True)
        subjects += [f"training file {key}" for key in files]
        about = Q(qa_pair_id__in=pairs) | Q(canonical_label_id__in=labels) | Q(subject__in=subjects)
        for key in hidden:
            about |= Q(subject__startswith=f"sheet {key} item ")
        for source in apps.get_model("sheets.Sheet")._default_manager.sources_hidden_from(user):
            place = ".".join(source.removeprefix("/volumes/").split("/")) if source.startswith("/") else source
            about |= Q(subject__in=[f"table {place}", f"volume {place}"]) | Q(subject__startswith=f"column {place}.")
        return self.exclude(about)

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
