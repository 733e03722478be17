"""What the screens of review have in common: their training sheet, what they show of it, and the saved views."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.urls import reverse

from governance.sensitive.detectors import KINDS
from training.models import ReviewView, TrainingSheet
from training.review.chosen import Choice
from training.review.filters import PairFilters
from training.review.frames import training_sheet_of
from training.review.orders import ORDERS
from training.review.serializers import OrderSerializer
from training.review.transitions import STATUS_WORDS
from workbench.api.errors import flattened
from workbench.problems import in_words
from workbench.sheet_rights import may_work, sees

CHANGE = "training.change_qapair"


def expect_training_sheet(request: HttpRequest, key: str) -> TrainingSheet:
    """Return the training sheet with its sheet and template; Http404 where there is none that the reader sees."""
    found = training_sheet_of(key)
    if found is None or not sees(request.user, found):
        raise Http404(f"There is no training sheet {key}.")
    request.may_work = may_work(request.user, found)  # type: ignore[attr-defined]  # asked by `may_review`
    return found


def may_review(request: HttpRequest) -> bool:
    """Return whether the reader may decide about the pairs of the training sheet that was asked for."""
    return bool(request.may_work and request.user.has_perm(CHANGE))  # type: ignore[attr-defined]


def choice_of(request: HttpRequest, order: str = "risk") -> Choice:
    """Return the filters and the order of the address; what cannot be read is left out, and the reader told so."""
    asked = request.GET.copy()
    # Which page is no part of what is chosen, and here no pair that the queue would go on from.
    asked.pop("after", None)
    asked.setdefault("order", order)
    given = OrderSerializer(data=asked)
    if given.is_valid():
        return given.given_choice()
    messages.error(request, f"The filters of this address were left out. {in_words(flattened(given.errors))}")
    return Choice(PairFilters(), order)


def query_text(choice: Choice) -> str:
    """Return the choice as it follows the question mark of an address."""
    return urlencode(choice.query, doseq=True)


def choice_context(request: HttpRequest, training_sheet: TrainingSheet, choice: Choice) -> dict[str, Any]:
    """Return what the filter bar and the menu of views show."""
    actor = request.user.get_username()
    views = ReviewView.objects.seen_by(actor).fit_for(training_sheet.pk)
    return {
        "training_sheet": training_sheet,
        "choice": choice,
        "query": query_text(choice),
        "orders": [(name, order.words) for name, order in ORDERS.items()],
        "statuses": STATUS_WORDS.items(),
        "finding_kinds": KINDS.items(),
        "read_only": not may_review(request),
        "page_url": reverse("review", args=[training_sheet.pk]),
        "list_url": reverse("review-list", args=[training_sheet.pk]),
        "views_url": reverse("review-views", args=[training_sheet.pk]),
        "views": [
            {"view": view, "query": urlencode(view.query, doseq=True), "mine": view.owner == actor} for view in views
        ],
    }
