"""Work that a client does not wait for: it begins once the answer was sent, in a thread that answers nobody.

The server closes an answer after its last byte, and only then reads the next request of its connection: done there, the
work would hold up whatever a browser asks next. So a few threads of the process do it; they have connections of their own
and are waited for when it ends. In tests (`AFTER_ANSWER_APART` is False) it is done before the test goes on.
Nothing may rely on it, because a process can be killed in between: what must not be lost is written down before the answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import cache, partial
from typing import Any, cast

from django.conf import settings
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

log = logging.getLogger(__name__)

Work = Callable[[], object]

# While some wait for a warehouse, others go on.
THREADS = 4

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
            cast(Any, response)._resource_closers.append(partial(_begin, work))
        return response


def _begin(work: Work) -> None:
    if settings.AFTER_ANSWER_APART:
        _threads().submit(_apart, work)
    else:
        _done(work)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="after-answer")


def _apart(work: Work) -> None:
    # As Django does at both ends of a request.
    close_old_connections()
    try:
        _done(work)
    finally:
        close_old_connections()


def _done(work: Work) -> None:
    try:
        work()
    except Exception:
        # Django would drop it without a word; the answer is sent, so there is nobody else to tell.
        log.exception("What was to be done after an answer failed.")
