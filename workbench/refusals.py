"""Every refusal is kept: who wanted what, from where, and why not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from math import ceil
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from workbench.addresses import address_of
from workbench.api.errors import body
from workbench.api.rates import AddressRate
from workbench.models import Refusal
from workbench.problems import Problem

log = logging.getLogger("workbench.refusals")

REFUSED = {401: "Not signed in.", 403: "Not permitted.", 429: "Too often."}
# Old rows are looked for once in so many new ones.
SWEEP = 500


def because(request: Any, why: str, user: str = "") -> None:
    """Say why this request will be refused, and by which name; a request that is not refused with it keeps nothing."""
    request.refused_because, request.refused_user = why, user


def told(request: Any, problem: Problem) -> None:
    """Have a refusal kept that a page tells in its own words, whatever status that page has."""
    if problem.status in REFUSED:
        because(request, problem.message)
        request.refused_status = problem.status


class RefusalMiddleware:
    """Keeps a row for each answer of 401, 403 and 429, and for what a page `told`; outermost of those that refuse."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        status = getattr(request, "refused_status", answer.status_code)
        if status == 401 and request.path.startswith("/api/") and (seconds := _too_often(request)):
            # One row a minute, however many addresses were asked for.
            refused(request, 429, REFUSED[429], is_flood=True)
            return _throttled(seconds)
        if status in REFUSED:
            refused(request, status, _why(request, answer))
        return answer

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Remember the words of a refusal that a page shows without them."""
        if isinstance(exception, PermissionDenied) and str(exception):
            because(request, str(exception))


def refused(request: Any, status: int, why: str, *, is_flood: bool = False) -> None:
    """Keep that a request was refused; what cannot be kept is at least in the log. Of a flood only its address is kept."""
    user = getattr(request, "user", None)
    name = getattr(request, "refused_user", "") or (user.get_username() if user else "")
    address, method, path = address_of(request), str(request.method)[:10], request.path[:200]
    if is_flood:
        name, method, path = "", "", ""
    log.warning("%s %s %s refused to %s from %s: %s", status, method, path, name or "nobody", address, why)
    now = timezone.now()
    key: dict[str, Any] = {
        "minute": now.replace(second=0, microsecond=0), "user": name[:254], "address": address,
        "method": method, "path": path, "status": status,
    }  # fmt: skip
    try:
        row, is_new = Refusal.objects.get_or_create(**key, defaults={"why": why[:500]})
        if not is_new:
            Refusal.objects.filter(pk=row.pk).update(count=F("count") + 1)
        elif row.pk % SWEEP == 0:
            Refusal.objects.filter(minute__lt=now - timedelta(days=settings.REFUSALS_DAYS)).delete()
    except DatabaseError:
        log.exception("The refusal could not be kept in the database")


def _too_often(request: Any) -> int:
    """Count a request that is not signed in, and return the seconds to wait where its address sent too many, else 0.

    The framework says 401 before it counts. Those who are signed in at the same address are neither counted nor refused.
    """
    rate = AddressRate()
    return 0 if rate.allow_request(request, None) else ceil(rate.wait()) or 1


def _throttled(seconds: int) -> HttpResponse:
    message = f"Too many requests: wait {seconds} seconds, then ask less often."
    return JsonResponse(body("throttled", message), status=429, headers={"Retry-After": str(seconds)})


def _why(request: Any, answer: Any) -> str:
    if said := getattr(request, "refused_because", ""):
        return str(said)
    data = getattr(answer, "data", None)
    if isinstance(data, dict) and isinstance(data.get("error"), dict):
        return str(data["error"]["message"])
    return REFUSED[answer.status_code]
