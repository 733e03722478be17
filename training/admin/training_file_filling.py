"""The page that fills a training file, new or there already: suggestions by quality and balance, to be taken or left."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from training.actions.training_files import MOST, gather, gather_into_new
from training.admin.training_file_rows import listed
from training.files.choosing import Choice, balanced, fitting
from training.files.seeing import file_to_work_on, need_conversations
from training.models import TrainingFile
from workbench.admin_base import page_of
from workbench.problems import Invalid, NotFound, Problem


class ChoiceForm(forms.Form):
    """Which conversations come into question, and how many are shown."""

    min_quality = forms.FloatField(required=False, min_value=0, max_value=10, label="Quality from")
    max_quality = forms.FloatField(required=False, min_value=0, max_value=10, label="to")
    persona_key = forms.CharField(required=False, label="Persona")
    emotional_arc_key = forms.CharField(required=False, label="Arc")
    training_topic_key = forms.CharField(required=False, label="Topic")
    batch_id = forms.CharField(required=False, label="Batch")
    limit = forms.IntegerField(required=False, min_value=1, max_value=MOST, initial=20, label="How many")

    def choice(self) -> Choice:
        """Return the choice; Invalid for what is no number, or none that a score can be."""
        if not self.is_valid():
            faults = {str(self[name].label): [*map(str, found)] for name, found in self.errors.items()}
            raise Invalid.of_fields("Nothing is chosen.", faults)
        return Choice(**{name: value for name, value in self.cleaned_data.items() if name != "limit"})

    @property
    def most(self) -> int:
        return int(self.cleaned_data["limit"] or 20)


def fill_page(admin: Any, request: HttpRequest, object_id: str = "") -> HttpResponse:
    """Return the suggestions; on POST add those that were ticked, or all that fit, and go to the file's page."""
    row = _row(admin, request, object_id)
    form = ChoiceForm(request.POST if request.method == "POST" else request.GET)
    problem: Problem | None = None
    fits: list[dict[str, Any]] = []
    try:
        fits = fitting(row, form.choice(), user=request.user)
        if request.method == "POST":
            made = _filled(request, row, fits)
            messages.success(request, f"{made.name} has {made.conversation_count:,} conversations.")
            return redirect(page_of(admin.opts, made.pk))
    except Problem as refused:
        problem = refused
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Add to {row.name}" if row else "New training file",
        "row": row,
        "form": form,
        "fits": len(fits),
        "found": list(map(listed, balanced(row, fits, form.most))) if fits else [],
        "problem": problem,
        "given": {name: request.POST.get(name, "") for name in ("name", "description")},
        "back": page_of(admin.opts, row.pk) if row else "",
    }
    return TemplateResponse(
        request, "training/training_file_fill.html", context, status=problem.status if problem else 200
    )


def _row(admin: Any, request: HttpRequest, object_id: str) -> TrainingFile | None:
    if not request.user.has_perm(f"training.{'change' if object_id else 'add'}_trainingfile"):
        raise PermissionDenied
    try:
        return file_to_work_on(object_id, request.user) if object_id else None
    except NotFound as problem:
        raise Http404(problem.message) from problem


def _filled(request: HttpRequest, row: TrainingFile | None, fits: list[dict[str, Any]]) -> TrainingFile:
    actor, ids = request.user.get_username(), request.POST.getlist("conversation")
    if "all" in request.POST:
        ids = [each["id"] for each in balanced(row, fits, len(fits))]
    else:
        need_conversations(ids, request.user)
    if row:
        return gather(row.pk, ids, actor=actor)
    description = request.POST.get("description", "")
    return gather_into_new(request.POST.get("name", ""), ids, actor=actor, description=description)
