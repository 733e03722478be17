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

from labels.history import answered_by
from labels.labeling.sight import expect_sheet
from labels.models import CanonicalLabel, CanonicalLabelVersion, LabelOpinion
from labels.opinions.actions import adjudicate
from labels.opinions.comparing import Rule
from labels.opinions.deciding import CHOICES, FIRST, OWN, SECOND, Difference, differences, merged, value_of
from labels.opinions.settling import first_of, label_of, rule_for, schema_of, settle
from labels.opinions.sides import agreed, shown_differences
from labels.opinions.views import DECIDE
from sheets.item_page import source_of
from sheets.models import Sheet
from templates_app.form_fields import words_of
from templates_app.plain_schema import Schema
from templates_app.theirs import apart_in_words, theirs_in_words
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
    """An opinion beside the first one, which is a version of the label; the label may have a third answer by now."""

    opinion: LabelOpinion
    first: CanonicalLabelVersion
    label: CanonicalLabel

    @property
    def differences(self) -> list[Difference]:
        return differences(*self._both)

    @property
    def agreed(self) -> list[tuple[str, str]]:
        return agreed(*self._both)

    @property
    def third(self) -> str:
        """Who gave the label another answer since, and where it differs from the first; empty where nobody did."""
        apart = apart_in_words(self.label.label_data, self.first.label_data, f"{self.opinion.first_author}'s")
        since = f"Since then {answered_by(self.label)} gave the label another answer"
        return f"{since}: {apart}. Decide between both first ones." if apart else ""

    @property
    def _both(self) -> tuple[Schema, Any, Any, Rule]:
        opinion = self.opinion
        return schema_of(opinion), self.first.label_data, opinion.label_data, rule_for(opinion)


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
    if opinion.status != LabelOpinion.Status.WAITING:
        return None
    label, first = label_of(opinion), first_of(opinion)
    return Dispute(opinion, first, label) if first and label else None


def _do(request: HttpRequest, sheet: Sheet, label_type: str) -> HttpResponse:
    key, posted = request.POST.get("opinion", ""), request.POST
    opinion = LabelOpinion.objects.select_related("sheet").filter(pk=key, sheet_id=sheet.pk).first()
    label, first = (label_of(opinion), first_of(opinion)) if opinion else (None, None)
    if opinion is None or label is None or first is None:
        raise Http404(f"There is no opinion {key}, or its label was taken back.")
    if posted.get("verb") == "skip":
        return redirect(f"{request.path}?{urlencode({'after': opinion.pk})}")
    need_work(request.user, sheet)
    if not request.user.has_perm(DECIDE):
        messages.error(request, LOOK_ONLY)
        return _page(request, sheet, label_type, _dispute(opinion), code=403)
    chosen = Chosen()
    try:
        found = Dispute(opinion, first, label).differences
        chosen = _chosen(found, posted)
        recorded = adjudicate(
            opinion,
            label_data=_decided(first.label_data, found, chosen),
            actor=request.user.get_username(),
            seen_version=whole(posted.get("version", "")) or 0,
            confidence=posted.get("confidence") or None,
            notes=posted.get("notes", "").replace("\r\n", "\n").strip(),
        )
    except Problem as problem:
        return _refused(request, opinion, problem, chosen)
    messages.success(request, f"Decided: {recorded.item_ref}, version {recorded.version}.")
    return redirect(f"{request.path}?{urlencode({'after': opinion.pk})}")


def _chosen(found: list[Difference], posted: Mapping[str, str]) -> Chosen:
    choices = {each.name: posted.get(f"choice.{each.name}", "") for each in found}
    typed = {each.name: posted.get(f"other.{each.name}", "").replace("\r\n", "\n") for each in found}
    return Chosen({name: choice for name, choice in choices.items() if choice in CHOICES}, typed)


def _decided(first: Any, found: list[Difference], chosen: Chosen) -> Any:
    if missing := [each.name for each in found if each.name not in chosen.choices]:
        raise Invalid.of_fields("Nothing was decided.", {name: [NEEDED] for name in missing})
    own = {each.name: value_of(each, chosen.typed[each.name]) for each in found if chosen.choices[each.name] == OWN}
    return merged(first, found, chosen.choices, own)


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
