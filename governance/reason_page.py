"""A page of the admin that asks why before something is done to chosen rows, and says what will happen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from workbench.problems import Problem
from workbench.refusals import told


def reason_page(
    admin: Any,
    request: HttpRequest,
    keys: Sequence[str],
    do: Callable[[str], str],
    *,
    title: str,
    button: str,
    action: str,
    lines: Sequence[str] = (),
) -> HttpResponse | None:
    """Return the form with `lines` on what will happen; None once `do` was called with the reason, and its words said."""
    reason, problem = request.POST.get("reason", "").strip(), None
    if "confirmed" in request.POST:
        try:
            said = do(reason)
        except Problem as found:
            problem = found
            told(request, problem)
        else:
            admin.message_user(request, said, messages.SUCCESS)
            return None
    context = {
        **admin.admin_site.each_context(request),
        "title": title, "keys": keys, "button": button, "action_name": action, "lines": lines,
        "reason": reason, "problem": problem, "back": request.get_full_path(),
    }  # fmt: skip
    return TemplateResponse(request, "governance/reason_page.html", context, status=400 if problem else 200)
