"""A page's script acts as whom the page was made for, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, JsonResponse

from workbench.api.errors import body
from workbench.refusals import because

HEADER = "X-Workbench-User"


class SameUserMiddleware:
    """Answers 401 where a script says whom its page was made for, percent-encoded, and another is signed in now.

    Browsers share one session among all tabs, so who signs in there takes over the tabs of who was before.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        wanted = unquote(request.headers.get(HEADER, ""))
        if not wanted or not request.user.is_authenticated or request.user.get_username() == wanted:
            return self.get_response(request)
        found = request.user.get_username()
        words = f"This page was made for {wanted}, and {found} is signed in now: sign in as {wanted}, or load the page again."
        because(request, words)
        return JsonResponse(body("another_user", words), status=401)
