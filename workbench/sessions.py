"""Sessions end: some hours after signing in, and after a while without a request."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from workbench.refusals import because

STARTED, SEEN = "started_at", "seen_at"
# How exactly the latest request is kept: each time would be a write for each request.
EXACTLY = 60


class SessionEndMiddleware:
    """Signs out whoever signed in too long ago, or was away for too long; the request then is nobody's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            self._look(request)
        return self.get_response(request)

    def _look(self, request: HttpRequest) -> None:
        now, session = int(time.time()), request.session
        started, seen = session.setdefault(STARTED, now), session.setdefault(SEEN, now)
        if now - started > settings.SESSION_COOKIE_AGE:
            because(request, "The session ended: signed in too long ago.")
            logout(request)
        elif now - seen > settings.SESSION_IDLE:
            because(request, "The session ended: no request for too long.")
            logout(request)
        elif now - seen > EXACTLY:
            session[SEEN] = now
