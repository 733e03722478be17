"""No address holds the character U+0000, which PostgreSQL keeps in no text and refuses in every question."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse

from workbench.api.errors import body

NUL = "\0"
WORDS = "The address holds the character U+0000 (%00), which nothing here is named by: leave it out."


class NulMiddleware:
    """Answers 400 to an address with U+0000 in its path or its query, before anything is asked by it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        fields = {name: [WORDS] for name, values in request.GET.lists() if NUL in "".join((name, *values))}
        if NUL not in request.path and not fields:
            return self.get_response(request)
        if request.path.startswith("/api/"):
            return JsonResponse(body("invalid", WORDS, fields), status=400)
        return HttpResponseBadRequest(WORDS, content_type="text/plain")
