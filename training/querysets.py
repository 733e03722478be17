"""Questions about many training sheets, pairs and jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pyarrow as pa
from django.conf import settings
from django.db.models import Case, Count, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone

from governance.uses import decide
from labels.models import CanonicalLabel
from sheets import source_uses
from sheets.item_limits import limits_of_items
from workbench.lakehouse.bulk import append_arrow
from workbench.sheet_rights import OfSheetQuerySet, rights_of

if TYPE_CHECKING:
    from training.models import Finding, LiveJob, QAPair, ReviewPair, ReviewView, TrainingSheet  # noqa: F401 - named in the brackets below

STATUSES = ("unlabeled", "labeled", "rejected", "flagged")
# Approved when it was made, by the label that it was made from: who approves it afterwards reviews it.
PRE_APPROVED = Q(labeling_mode="canonical", status="labeled", reviewed_at__lte=F("created_at"))


class TrainingSheetQuerySet(OfSheetQuerySet["TrainingSheet"]):
    def with_counters(self) -> Self:
        """Add total_pairs and one counter a status, computed from the pairs, so that they are never wrong."""
        from training.models import QAPair  # the models of this module name this query set

        counts = QAPair.objects.filter(training_sheet_id=OuterRef("pk")).order_by().values("training_sheet_id")
        counters = {f"{status}_pairs": Count("pk", filter=Q(status=status)) for status in STATUSES}
        counters |= {
            "total_pairs": Count("pk"),
            "pre_approved_pairs": Count("pk", filter=PRE_APPROVED),
        }
        return self.annotate(
            **{name: Coalesce(Subquery(counts.annotate(n=count).values("n")), 0) for name, count in counters.items()}
        )


class QAPairQuerySet(OfSheetQuerySet["QAPair"]):
    pre_approved: ClassVar[Q] = PRE_APPROVED

    def of(self, training_sheet_id: str) -> Self:
        """Return the pairs of one training sheet in the order of their items; this order is the export's."""
        return self.filter(training_sheet_id=training_sheet_id).order_by("position", "id")

    def from_older_labels(self) -> Self:
        """Return the pairs whose canonical label was changed since they were made from it."""
        return self.filter(canonical_label_version__lt=F("canonical_label__version"))

    def with_label_versions(self) -> Self:
        """Have `is_from_older_label` read by one statement for all, which asks for the labels of these pairs only.

        A join would read every label there is for a page of fifty pairs.
        """
        return self.prefetch_related(Prefetch("canonical_label", CanonicalLabel.objects.only("version")))

    def with_finding(self, kind: str) -> Self:
        """Return the pairs in which sensitive data of this kind stands, as far as it was looked for."""
        from training.models import Finding  # the models of this module name this query set

        return self.filter(pk__in=Finding.objects.standing().filter(kind=kind).order_by().values("qa_pair_id"))

    def permitted(self, use: str, *, pair: bool = True, label: bool = True, sheet: bool = True) -> Self:
        """Return the pairs that the gate permits for `use` now, whatever their status; ValueError for no such use.

        What is False is not asked: that is what the others alone would permit.

        Pair and label are asked in the statement, the sheets with the tags of their sources before it, once each.
        `governance.uses.gate` is the same rule for one pair.
        """
        decide(()).permits(use)  # where there are no pairs too, a use that does not exist is an error
        own = self.filter(_permitting(use)) if pair else self
        if label:
            own = own.filter(Q(canonical_label__allowed_uses__isnull=True) | _permitting(use, "canonical_label__"))
        closed, items = _closed(self, use)
        for training_sheets, refs in items:
            own = own.exclude(training_sheet_id__in=training_sheets, item_ref__among=refs)
        return own.exclude(training_sheet_id__in=closed) if closed and sheet else own

    def append_arrow(self, pairs: pa.Table) -> int:
        """Write pairs given as Arrow columns in one commit, and return how many were new.

        For many thousands at once; columns as in `workbench.lakehouse.bulk.append_arrow`. A pair whose id exists is
        skipped, so the same call twice adds nothing.
        """
        return append_arrow(self.model, pairs, on_conflict="ignore")


def _permitting(use: str, path: str = "") -> Q:
    return Q(**{f"{path}allowed_uses__contains": [use]}) & ~Q(**{f"{path}prohibited_uses__contains": [use]})


def _closed(pairs: QAPairQuerySet, use: str) -> tuple[list[str], list[tuple[list[str], list[str]]]]:
    """Return the training sheets whose sheet or its sources' tags forbid `use` now, and what single items forbid it.

    The latter are, for each sheet that has such, its training sheets and the items.
    """
    from training.models import TrainingSheet  # the models of this module name this query set

    used = pairs.order_by().values("training_sheet_id").distinct()
    by_sheet: dict[str, list[TrainingSheet]] = {}
    for found in TrainingSheet.objects.filter(pk__in=used).select_related("sheet"):
        by_sheet.setdefault(found.sheet_id, []).append(found)
    closed: list[str] = []
    items: list[tuple[list[str], list[str]]] = []
    for group in by_sheet.values():
        keys = [found.pk for found in group]
        if not decide(source_uses.limits_of(group[0].sheet)).permits(use):
            closed += keys
        if refs := [ref for ref, limits in limits_of_items(group[0].sheet).items() if not decide(limits).permits(use)]:
            items.append((keys, refs))
    return closed, items


def lease_start() -> datetime:
    """Return the moment since which a worker must have been heard of to hold its lease still."""
    return timezone.now() - timedelta(seconds=settings.JOB_LEASE)


class LiveJobQuerySet(QuerySet["LiveJob"]):
    def leased(self) -> Self:
        """Return the jobs that a worker holds."""
        return self.exclude(token="").filter(heartbeat_at__gte=lease_start())

    def free(self) -> Self:
        """Return the jobs that nobody holds, or whose worker was not heard of for too long."""
        return self.filter(Q(token="") | Q(heartbeat_at__isnull=True) | Q(heartbeat_at__lt=lease_start()))


def _hidden_training_sheets(user: Any) -> list[str]:
    from training.models import TrainingSheet  # the models of this module name this query set

    hidden = rights_of(user).hidden
    return list(TrainingSheet.objects.filter(sheet__in=hidden).values_list("pk", flat=True)) if hidden else []


class ReviewPairQuerySet(QuerySet["ReviewPair"]):
    def visible_to(self, user: Any) -> Self:
        """Return the pairs of the sheets that the user sees; the lakehouse is asked only where some are hidden."""
        hidden = _hidden_training_sheets(user)
        return self.exclude(training_sheet_id__in=hidden) if hidden else self

    def free(self, actor: str) -> Self:
        """Return the pairs that nobody else has on the screen."""
        return self.filter(Q(holder__in=["", actor]) | Q(held_until__isnull=True) | Q(held_until__lt=timezone.now()))

    def ahead(self) -> Self:
        """Return the pairs whose newest state is not in the lakehouse yet."""
        return self.filter(waiting__gt=0)

    def shifts(self, training_sheet_ids: Iterable[str] | None = None) -> dict[str, dict[str, int]]:
        """Return what the journal adds to each counter, by training sheet, in one query; of all where none is named.

        The counters are those of `TrainingSheetQuerySet.with_counters`; what waits counts as applied.
        """
        from training.models import ReviewAction  # the models of this module name this query set

        first = ReviewAction.objects.filter(pair_id=OuterRef("pk"), applied_at=None).order_by("id")
        ahead = (
            self.ahead()
            if training_sheet_ids is None
            else self.ahead().filter(training_sheet_id__in=training_sheet_ids)
        )
        moves = ahead.annotate(
            was=Subquery(first.values(old=KT("before__status"))[:1]),
            was_reviewed_at=Subquery(first.values(at=KT("before__reviewed_at"))[:1]),
            was_made_so=_made_with(F("was_reviewed_at")),
            is_made_so=_made_with(KT("state__reviewed_at")),
        )
        found: dict[str, dict[str, int]] = {}
        names = ("training_sheet_id", "was", "was_made_so", "status", "is_made_so")
        for key, was, was_made_so, now, is_made_so, n in moves.order_by().values_list(*names).annotate(n=Count("pk")):
            counters = found.setdefault(
                key, dict.fromkeys([*(f"{status}_pairs" for status in STATUSES), "pre_approved_pairs"], 0)
            )
            for status, made_so, by in ((was, was_made_so, -n), (now, is_made_so, n)):
                if status is not None:
                    counters[f"{status}_pairs"] += by
                    counters["pre_approved_pairs"] += by * (status == "labeled" and made_so)
        return found


def _made_with(reviewed_at: Any) -> Case:
    """Return whether a pair beside the lakehouse is reviewed by the label that it was made from, as `PRE_APPROVED` says.

    The times are texts of one form and zone, whose order is that of the times.
    """
    made_so = Q(LessThanOrEqual(reviewed_at, KT("state__created_at")), state__labeling_mode="canonical")
    return Case(When(made_so, then=Value(True)), default=Value(False))


class ReviewViewQuerySet(QuerySet["ReviewView"]):
    def visible_to(self, user: Any) -> Self:
        """Return the views of the sheets that the user sees, and those for all."""
        hidden = _hidden_training_sheets(user)
        return self.exclude(training_sheet_id__in=hidden) if hidden else self

    def seen_by(self, reader: str) -> Self:
        """Return the reader's own and those that are shared."""
        return self.filter(Q(owner=reader) | Q(shared=True))

    def fit_for(self, training_sheet_id: str) -> Self:
        """Return those of the training sheet and those for all."""
        return self.filter(training_sheet_id__in=["", training_sheet_id])


class FindingQuerySet(OfSheetQuerySet["Finding"]):
    def standing(self) -> Self:
        """Return the findings that nobody dismissed."""
        return self.filter(dismissed_at=None)

    def count_by_pair(self, training_sheet_id: str, pair_ids: Sequence[str]) -> dict[str, int]:
        """Return how many stand in each of these pairs of a training sheet that has any, by one statement."""
        own = self.standing().filter(training_sheet_id=training_sheet_id, qa_pair_id__in=pair_ids).order_by()
        return dict(own.values_list("qa_pair_id").annotate(Count("pk")))
