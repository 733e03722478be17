"""The adjudication screen: the item, both answers side by side, and for each field that differs the one that holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from labels.labeling.sight import expect_sheet
from labels.models import CanonicalLabel, LabelOpinion
from labels.opinions.actions import adjudicate, label_of, settle
from labels.opinions.deciding import CHOICES, FIRST, OWN, SECOND, Difference, differences, in_words, merged, value_of
from labels.opinions.rules import rule_of, sameness
from labels.opinions.sides import agreed, shown_differences
from labels.opinions.views import DECIDE
from sheets.item_page import source_of
from sheets.models import Sheet
from templates_app.form_fields import words_of
from templates_app.schemas import normalise_output_schema
from templates_app.theirs import theirs_in_words
from workbench.concepts import Confidence
from workbench.csp import strict
from workbench.posted import whole
from workbench.problems import Invalid, Problem
from workbench.sheet_rights import need_work

LOOK_ONLY = "You may look at both answers, but not decide: ask an owner for the right to change label opinions."
LOOKED_AT = 50
NEEDED = "Choose the first, the second, or another answer."


@dataclass(frozen=True)
class Chosen:
    """What was posted: the choice for each field by its name, and what was typed instead of both."""

    choices: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dispute:
    """An opinion beside the label, as it stands or as it was seen."""

    opinion: LabelOpinion
    label: CanonicalLabel
    answer: Any

    @property
    def output_schema(self) -> Mapping[str, Any]:
        return normalise_output_schema(self.label.output_schema or self.opinion.output_schema or {})

    @property
    def differences(self) -> list[Difference]:
        return differences(self.output_schema, self.answer, self.opinion.label_data, self._rule)

    @property
    def agreed(self) -> list[tuple[str, str]]:
        return agreed(self.output_schema, self.answer, self.opinion.label_data, self._rule)

    @property
    def _rule(self) -> Any:
        return sameness(rule_of(self.opinion.sheet, self.opinion.label_type))


@strict
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, sheet_id: str, label_type: str) -> HttpResponse:
    """Return the opinion of `?opinion=`, else the oldest that waits behind `?after=` and is not the reader's own."""
    sheet = expect_sheet(request.user, sheet_id)
    waiting = _waiting(sheet, label_type, request.user.get_username())
    if request.method == "POST":
        return _do(request, sheet, label_type)
    return _page(request, sheet, label_type, _asked(request, sheet) or _next(waiting, request.GET.get("after", "")))


def _waiting(sheet: Sheet, label_type: str, actor: str) -> QuerySet[LabelOpinion]:
    # One whose label was taken back waits for nothing.
    labeled = CanonicalLabel.objects.filter(sheet_id=sheet.pk, label_type=label_type).order_by().values("item_ref")
    waiting = LabelOpinion.objects.filter(
        sheet_id=sheet.pk, label_type=label_type, status=LabelOpinion.Status.WAITING, item_ref__in=labeled
    )
    return waiting.exclude(Q(author=actor) | Q(first_author=actor)).select_related("sheet")


def _asked(request: HttpRequest, sheet: Sheet) -> Dispute | None:
    key = request.GET.get("opinion", "")
    found = LabelOpinion.objects.select_related("sheet").filter(pk=key, sheet_id=sheet.pk).first() if key else None
    return _dispute(settle(found)) if found else None


def _next(waiting: QuerySet[LabelOpinion], after: str) -> Dispute | None:
    """Return the next one that waits; what only a killed process left open is closed on the way."""
    passed = LabelOpinion.objects.filter(pk=after).first() if after else None
    if passed:
        waiting = waiting.filter(Q(made_at__gt=passed.made_at) | Q(made_at=passed.made_at, pk__gt=passed.pk))
    for opinion in waiting.order_by("made_at", "id")[:LOOKED_AT]:
        if dispute := _dispute(settle(opinion)):
            return dispute
    return None


def _dispute(opinion: LabelOpinion) -> Dispute | None:
    label = label_of(opinion) if opinion.status == LabelOpinion.Status.WAITING else None
    return Dispute(opinion, label, label.label_data) if label else None


def _do(request: HttpRequest, sheet: Sheet, label_type: str) -> HttpResponse:
    key, posted = request.POST.get("opinion", ""), request.POST
    opinion = LabelOpinion.objects.select_related("sheet").filter(pk=key, sheet_id=sheet.pk).first()
    label = label_of(opinion) if opinion else None
    if opinion is None or label is None:
        raise Http404(f"There is no opinion {key}, or its label was taken back.")
    if posted.get("verb") == "skip":
        return redirect(f"{request.path}?{urlencode({'after': opinion.pk})}")
    need_work(request.user, sheet)
    if not request.user.has_perm(DECIDE):
        messages.error(request, LOOK_ONLY)
        return _page(request, sheet, label_type, _dispute(opinion), code=403)
    chosen = Chosen()
    try:
        seen = whole(posted.get("version", "")) or 0
        dispute = Dispute(opinion, label, _answer_at(label, seen))
        found = dispute.differences
        chosen = _chosen(found, posted)
        recorded = adjudicate(
            opinion,
            label_data=_decided(dispute, found, chosen),
            actor=request.user.get_username(),
            seen_version=seen,
            confidence=posted.get("confidence") or None,
            notes=posted.get("notes", "").replace("\r\n", "\n").strip(),
            taken=in_words(chosen.choices, opinion.first_author, opinion.author),
        )
    except Problem as problem:
        return _refused(request, opinion, problem, chosen)
    messages.success(request, f"Decided: {recorded.item_ref}, version {recorded.version}.")
    return redirect(f"{request.path}?{urlencode({'after': opinion.pk})}")


def _answer_at(label: CanonicalLabel, version: int) -> Any:
    """Return the answer that the adjudicator saw, which may not be the present one."""
    if version == label.version:
        return label.label_data
    seen = label.versions.filter(version=version).first()
    return seen.label_data if seen else label.label_data


def _chosen(found: list[Difference], posted: Mapping[str, str]) -> Chosen:
    choices = {each.name: posted.get(f"choice.{each.name}", "") for each in found}
    typed = {each.name: posted.get(f"other.{each.name}", "").replace("\r\n", "\n") for each in found}
    return Chosen({name: choice for name, choice in choices.items() if choice in CHOICES}, typed)


def _decided(dispute: Dispute, found: list[Difference], chosen: Chosen) -> Any:
    if missing := [each.name for each in found if each.name not in chosen.choices]:
        raise Invalid.of_fields("Nothing was decided.", {name: [NEEDED] for name in missing})
    own = {each.name: value_of(each, chosen.typed[each.name]) for each in found if chosen.choices[each.name] == OWN}
    return merged(dispute.answer, found, chosen.choices, own)


def _refused(request: HttpRequest, opinion: LabelOpinion, problem: Problem, chosen: Chosen) -> HttpResponse:
    """Show both answers again with what was chosen; beside a label that somebody decided meanwhile, both."""
    messages.error(request, problem.message)
    if problem.details:
        theirs, mine = problem.details["theirs"]["label_data"], problem.details["mine"]
        messages.warning(request, theirs_in_words(theirs, mine))
    dispute = _dispute(settle(opinion))
    return _page(request, opinion.sheet, opinion.label_type, dispute, chosen, problem=problem)


def _page(
    request: HttpRequest,
    sheet: Sheet,
    label_type: str,
    dispute: Dispute | None,
    chosen: Chosen | None = None,
    *,
    problem: Problem | None = None,
    code: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "sheet": sheet,
        "label_type": label_type,
        "task_words": words_of(label_type, upper=False),
        "dispute": dispute,
        "left": _waiting(sheet, label_type, request.user.get_username()).count(),
        "read_only": not request.user.has_perm(DECIDE),
        "look_only": LOOK_ONLY,
        "confidences": Confidence.choices,
        "faults": problem.fields if problem else {},
    }
    if dispute:
        source = source_of(sheet, dispute.opinion.item_ref)
        urls = {file.name: file.url for file in source.files if file.kind == "image"}
        given = chosen or Chosen()
        context["source"] = source
        context["whose"] = [(dispute.opinion.first_author, FIRST), (dispute.opinion.author, SECOND)]
        context["differences"] = shown_differences(dispute.differences, given.choices, given.typed, urls)
    return render(request, "labels/adjudicate.html", context, status=problem.status if problem else code)
