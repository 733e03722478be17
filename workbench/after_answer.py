"""Work that a client does not wait for: it is done once the answer was sent, in the thread that sent it.

The server closes an answer after its last byte, and so does Django's test client: there it is done before the test goes on.
Nothing may rely on it, because a process can be killed in between: what must not be lost is written down before the answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from functools import partial
from typing import Any, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase

log = logging.getLogger(__name__)

Work = Callable[[], object]

_put_off: ContextVar[dict[Hashable, Work] | None] = ContextVar("put_off", default=None)


def after_answer(key: Hashable, work: Work) -> None:
    """Do the work after the answer to the present request, once for each key; at once where there is no request."""
    put_off = _put_off.get()
    if put_off is None:
        work()
    else:
        put_off.setdefault(key, work)


class AfterAnswerMiddleware:
    """Collects the work of a request and hangs it on the end of its answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        put_off: dict[Hashable, Work] = {}
        token = _put_off.set(put_off)
        try:
            response = self.get_response(request)
        finally:
            _put_off.reset(token)
        for work in put_off.values():
            cast(Any, response)._resource_closers.append(partial(_done, work))
        return response


def _done(work: Work) -> None:
    try:
        work()
    except Exception:
        # Django would drop it without a word; the answer is sent, so there is nobody else to tell.
        log.exception("What was to be done after an answer failed.")
