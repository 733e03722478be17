"""The audit as a table that only grows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from django.db import NotSupportedError
from django.db.models import QuerySet

if TYPE_CHECKING:
    from governance.models import UsageConstraintAudit

ADD_ONLY = NotSupportedError(
    "The audit is neither edited nor deleted from, and rows are added by `governance.audit.append` alone, which chains "
    "them. To correct a row, append another that says so."
)


class AuditQuerySet(QuerySet["UsageConstraintAudit"]):
    """Reads as any other; every write but `add_chained` is refused."""

    def add_chained(self, rows: Iterable[UsageConstraintAudit]) -> None:
        """Insert rows that `governance.audit` has chained, as one commit; IntegrityError where a place is taken."""
        super().bulk_create(list(rows))

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ADD_ONLY

    create = bulk_create = bulk_update = update = delete = _refuse
    get_or_create = update_or_create = _raw_delete = _update = _refuse
