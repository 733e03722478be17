"""Pages of the API's list of a training sheet's pairs, kept as `kept` says; the next one is read while this one is looked at."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.views import APIView

from training.review.kept import decided_by, kept
from workbench.after_answer import after_answer
from workbench.api.paging import KeyCursorPagination
from workbench.sheet_rights import rights_of

# A longer page is asked for by a program that reads all of them, for which nothing need be kept.
MOST = 100


class PairPagination(KeyCursorPagination):
    """As `KeyCursorPagination`; within one training sheet short pages are kept."""

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> Any:
        # As the filter takes it.
        training_sheet_id = request.query_params.get("training_sheet", "").strip()
        if not training_sheet_id or self.get_page_size(request) > MOST:
            return super().paginate_queryset(queryset, request, view)
        self._turn_to(training_sheet_id, queryset, request, view)
        if link := self.get_next_link():
            ahead = partial(PairPagination()._turn_to, training_sheet_id, queryset, _following(request, link), view)
            after_answer(("page of pairs", training_sheet_id), ahead)
        return self.page

    def _turn_to(self, training_sheet_id: str, queryset: Any, request: Request, view: APIView | None) -> None:
        """Be at the page that the request asks for, as it is kept."""
        asked = sorted(request.query_params.lists())
        decided = decided_by(training_sheet_id, request.user.get_username())
        about = [asked, sorted(rights_of(request.user).hidden)]
        is_further = self.cursor_query_param in request.query_params

        def read() -> dict[str, Any]:
            super(PairPagination, self).paginate_queryset(queryset, request, view)
            return {name: value for name, value in vars(self).items() if name not in ("request", "base_url")}

        vars(self).update(kept(training_sheet_id, about, read, decided=decided, may_lag=is_further))
        self.request, self.base_url = request, request.build_absolute_uri()


def _following(request: Request, link: str) -> Request:
    """Return the request as it would be for the next page."""
    following, http = copy(request), copy(request._request)
    http.GET = QueryDict(urlsplit(link).query)
    following._request = http
    return following
