"""Pages by key, so that the last page of a long list costs what the first one does."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from workbench.posted import whole

LARGEST_PAGE = 500


def page_size(request: Request, default: int = 50, largest: int = LARGEST_PAGE) -> int:
    """Return `?page_size=`, from 1 to `largest`; anything else raises ValidationError."""
    text = request.query_params.get("page_size", str(default))
    size = whole(text)
    if size is None or not 1 <= size <= largest:
        raise exceptions.ValidationError({"page_size": [f"Found {text!r}: use a whole number from 1 to {largest}."]})
    return size


def bad_cursor(cursor: str) -> exceptions.ValidationError:
    """Return the error for a cursor that no page gave out."""
    words = f"Found {cursor!r}, which no page gave out: follow `next` of a page, or leave the cursor out to start."
    return exceptions.ValidationError({"cursor": [words]})


class KeyCursorPagination(CursorPagination):
    """`{"next", "previous", "results"}`; newest first, or by the view's `ordering`, whose first name must be unique."""

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = LARGEST_PAGE

    def get_page_size(self, request: Request) -> int:
        return page_size(request, self.page_size or 50)

    def get_ordering(self, request: Request, queryset: Any, view: APIView) -> tuple[str, ...]:
        """Return the view's `ordering`, else the newest key first."""
        ordering = getattr(view, "ordering", None) or self.ordering
        return (ordering,) if isinstance(ordering, str) else tuple(ordering)

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        # The first for a cursor that is no cursor, the others for one made for another list.
        except (exceptions.NotFound, ValueError, TypeError) as error:
            if self.cursor_query_param not in request.query_params:
                raise
            raise bad_cursor(request.query_params[self.cursor_query_param]) from error
