"""The page that tells somebody what they may not do, and which right they would need for it."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.views.defaults import permission_denied

from workbench.access import ADMIN_PAGES

# What the pages that every model has ask for.
STANDARD = {"changelist": "view", "change": "view", "history": "view", "add": "add", "delete": "delete"}


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the page of 403, which names the right of a page of the admin where that is what is missing."""
    match = request.resolver_match
    request.missing_right = _missing(request, (match and match.url_name) or "")  # type: ignore[attr-defined]
    return permission_denied(request, exception)


def _missing(request: HttpRequest, page: str) -> str:
    right = ADMIN_PAGES.get(page) or _of_a_model(page)
    # A row of the table may stand for anybody with access to the admin, in words.
    return right if " " not in right and not request.user.has_perm(right) else ""


def _of_a_model(page: str) -> str:
    for model in admin.site._registry:
        app, name = model._meta.app_label, model._meta.model_name
        if page.startswith(f"{app}_{name}_") and (verb := STANDARD.get(page.removeprefix(f"{app}_{name}_"))):
            return f"{app}.{verb}_{name}"
    return ""
