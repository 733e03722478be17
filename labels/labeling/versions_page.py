"""The page of a label's versions: who changed what and when, and the way back to an old one."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from governance.changing import rights_of
from labels.actions import restore_version
from labels.history import repair
from labels.labeling.past import past_of
from labels.labeling.sight import LOOK_ONLY, may_label
from labels.models import CanonicalLabel
from labels.opinions.due import is_blind
from workbench.csp import strict
from workbench.posted import whole
from workbench.problems import Problem


@strict
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def versions(request: HttpRequest, label_id: str) -> HttpResponse:
    """Return the versions, newest first; a posted one is restored as a new version."""
    seen = CanonicalLabel.objects.visible_to(request.user)
    label = seen.select_related("sheet", "template").filter(pk=label_id).first()
    if label is None:
        raise Http404(f"There is no canonical label {label_id}.")
    if is_blind(label.sheet, label.label_type, label.item_ref, request.user):
        messages.info(request, "The label's versions are shown when your second opinion is given.")
        query = urlencode({"item": label.item_ref})
        return redirect(f"{reverse('label', args=[label.sheet_id, label.label_type])}?{query}")
    if request.method == "POST":
        if not may_label(request.user, label.sheet):
            messages.error(request, LOOK_ONLY)
            return _page(request, label, code=403)
        return _restore(request, label)
    repair(label)
    return _page(request, label)


def _page(request: HttpRequest, label: CanonicalLabel, code: int = 200) -> HttpResponse:
    past = past_of(label, below=whole(request.GET.get("below", "")))
    older, restores = past[-1].row.version if past else 1, may_label(request.user, label.sheet)
    context = {"label": label, "past": past, "may_label": restores, "older": older}
    return render(request, "labels/versions.html", context, status=code)


def _restore(request: HttpRequest, label: CanonicalLabel) -> HttpResponse:
    version = whole(request.POST.get("version", "")) or 0
    try:
        restored = restore_version(
            label,
            version,
            actor=request.user.get_username(),
            **rights_of(request.user),
            reason=request.POST.get("reason", ""),
            seen_version=whole(request.POST.get("seen", "")),
        )
    except Problem as problem:
        messages.error(request, problem.message)
        return _page(request, label, code=problem.status)
    if restored.version == label.version:
        messages.info(request, f"Version {version} says what the label says already: nothing changed.")
    else:
        messages.success(request, f"Version {version} is restored as version {restored.version}.")
    return redirect("label-versions", label_id=label.pk)
