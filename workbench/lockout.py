"""What one sees whose name is locked after too many failures to sign in; django-axes counts them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from workbench.api.errors import body
from workbench.refusals import because


def locked_out(request: HttpRequest, _answer: Any = None, credentials: Any = None, **_: Any) -> HttpResponse:
    """Answer 429: JSON under /api/, a page elsewhere."""
    minutes = settings.LOCKOUT_MINUTES
    words = (
        f"Too many failures to sign in with this name from here. Wait {minutes} minutes, or ask a platform lead, who "
        "unlocks it in the admin under Failed sign-ins."
    )
    name = str((credentials or {}).get("username") or "")
    because(request, "Locked out after too many failures to sign in.", name)
    answer: HttpResponse
    if request.path.startswith("/api/"):
        answer = JsonResponse(body("locked_out", words), status=429)
    else:
        answer = render(request, "workbench/locked_out.html", {"words": words}, status=429)
    answer["Retry-After"] = str(60 * minutes)
    return answer
