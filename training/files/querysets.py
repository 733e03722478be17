"""Training files, by the sheets that their conversations came from."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Self

from django.db.models import F

from workbench.sheet_rights import OfSheetQuerySet

if TYPE_CHECKING:
    from training.models import TrainingFile  # noqa: F401 - named in the brackets below


class TrainingFileQuerySet(OfSheetQuerySet["TrainingFile"]):
    """A file belongs to every sheet that a conversation in it was made from; imported ones were made from none."""

    def of_sheets(self, sheet_ids: Collection[str]) -> Self:
        """Return the files that have now a conversation made from one of the sheets."""
        from training.models import TrainingFileConversation  # the models of this module name this query set

        inside = TrainingFileConversation.objects.filter(
            build=F("training_file__build"), conversation__training_sheet__sheet_id__in=list(sheet_ids)
        )
        return self.filter(pk__in=inside.order_by().values("training_file_id"))

    def _without(self, sheet_ids: frozenset[str]) -> Self:
        if not sheet_ids:
            return self
        return self.exclude(pk__in=self.model._default_manager.of_sheets(sheet_ids).order_by().values("pk"))
