"""The studio: a draft is written beside its live preview, then published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse

from templates_app import actions, versions
from templates_app.actions import FIELDS, ChangedMeanwhileError
from templates_app.admin.studio_form import JSON_FIELDS, StudioForm, studio_form
from templates_app.comparing import compare
from templates_app.fields import TYPES
from templates_app.models import PromptTemplate
from templates_app.studio import Study, likely_sheet, study
from workbench.problems import NotFound, Problem


def studio_page(admin: Any, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
    """Return the editor with its preview, or go to the page of what a verb made; what was typed is never lost."""
    template = _template(object_id)
    if template is None and object_id and request.method != "POST":
        raise Http404
    if not (admin.has_view_permission(request) if object_id else admin.has_add_permission(request)):
        raise PermissionDenied
    may_write = admin.has_publish_permission(request) if object_id else True
    # What is typed for a draft that another published meanwhile must still be taken from the request.
    editable = may_write and (template is None or template.is_draft or bool(WRITING & request.POST.keys()))
    form = studio_form(admin, request, template, editable=editable, sheet=_sheet(request, template))
    seen = form.data.get("seen", "") if form.is_bound else template.updated_at.isoformat() if template else ""
    context: dict[str, Any] = {"editable": editable, "seen": seen}
    if verb := next((verb for name, verb in VERBS.items() if name in request.POST), None):
        try:
            done = verb(admin, request, form, template)
        except ChangedMeanwhileError as problem:
            # Saving again is then a choice: the one who saves has seen what the other wrote.
            context |= {"problem": str(problem), "theirs": compare(problem.present, form.draft())}
            context |= {"seen": problem.present.updated_at.isoformat(), "may_copy": True}
        except Problem as problem:
            form.refuse(problem)
            present = _template(object_id)
            context["may_copy"] = bool(object_id) and (present is None or not present.is_draft)
            context["problem"] = problem.message
        else:
            if done:
                return redirect("admin:templates_app_prompttemplate_studio", object_id=done.pk)
    context |= _shown(admin, request, form, template)
    return TemplateResponse(request, "templates_app/studio.html", context)


def studio_preview(admin: Any, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
    """Return `{"html", "marks", "faults"}` of what is typed: the preview as a piece of the page; saves nothing."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    form = studio_form(admin, request, _template(object_id))
    found = _study(form)
    marks = {
        name: [{"line": mark.line, "words": mark.words, "variable": mark.variable} for mark in marks]
        for name, marks in found.marks_by_field().items()
    }
    html = render_to_string("templates_app/studio_preview.html", {"study": found, "form": form}, request)
    return JsonResponse({"html": html, "marks": marks, "faults": found.faults})


def _template(object_id: str | None) -> PromptTemplate | None:
    return PromptTemplate.objects.filter(pk=object_id).first() if object_id else None


def _sheet(request: HttpRequest, template: PromptTemplate | None) -> Any:
    return request.GET.get("sheet") or likely_sheet(template)


def _study(form: StudioForm) -> Study:
    draft = form.draft()
    # Only a bound form has a chosen sheet; before, the one that is offered first is shown.
    sheet = form.cleaned_data.get("sheet") if form.is_bound else _offered(form)
    texts = {name: form.data.get(name, "") for name in JSON_FIELDS} if form.is_bound else {}
    faults = form.faults() if form.is_bound else {}
    return study(draft, sheet, form.data.get("row", ""), texts=texts, faults=faults)


def _offered(form: StudioForm) -> Any:
    sheets: Any = form.fields["sheet"]
    return sheets.queryset.filter(pk=form.initial.get("sheet")).first()


def _shown(admin: Any, request: HttpRequest, form: StudioForm, template: PromptTemplate | None) -> dict[str, Any]:
    address = [template.pk] if template else []
    others = PromptTemplate.objects.filter(name=template.name).exclude(pk=template.pk) if template else []
    return {
        **admin.admin_site.each_context(request),
        "title": "Template studio",
        "subtitle": str(template or "New template"),
        "form": form,
        "template": template,
        "study": _study(form),
        "preview_url": reverse("admin:templates_app_prompttemplate_studio_preview", args=address),
        "may_duplicate": template is not None and admin.has_add_permission(request),
        "may_archive": template is not None
        and template.status != PromptTemplate.Status.ARCHIVED
        and admin.has_publish_permission(request),
        "may_try": admin.has_publish_permission(request) or admin.has_add_permission(request),
        "others": sorted(others, key=lambda each: versions.order(each.version), reverse=True),
        "types": TYPES,
    }


def _save(admin: Any, request: HttpRequest, form: StudioForm, template: PromptTemplate | None) -> PromptTemplate | None:
    """Return the saved draft; None where the form does not read."""
    saved = _written(admin, request, form, template)
    if saved:
        admin.message_user(request, f"Saved the draft {saved}.", messages.SUCCESS)
    return saved


def _written(
    admin: Any, request: HttpRequest, form: StudioForm, template: PromptTemplate | None
) -> PromptTemplate | None:
    _need(admin.has_publish_permission(request) if template else admin.has_add_permission(request))
    if not form.is_valid():
        return None
    actor, given = request.user.get_username(), form.cleaned_data
    if template is None and form.seen_at:
        raise NotFound("The draft has been deleted meanwhile: save what is typed here as a new draft, or leave it.")
    if template is None:
        made = actions.create_template({name: given[name] for name in FIELDS}, actor=actor)
        admin.log_addition(request, made, "Written in the studio.")
        return made
    changed = {name: given[name] for name in form.changed_data if name in FIELDS}
    saved = actions.update_template(template, changed, actor=actor, seen=form.seen_at) if changed else template
    if changed:
        admin.log_change(request, saved, f"Changed {', '.join(sorted(changed))} in the studio.")
    return saved


def _save_copy(
    admin: Any, request: HttpRequest, form: StudioForm, template: PromptTemplate | None
) -> PromptTemplate | None:
    """Keep what was typed as a draft of the next version, whatever became of the one it was typed for."""
    _need(admin.has_add_permission(request))
    draft = form.draft()
    if form.faults():
        return None
    taken = PromptTemplate.objects.filter(name=draft.name).values_list("version", flat=True)
    data = {name: getattr(draft, name) for name in FIELDS} | {"version": versions.following(taken)}
    made = actions.create_template(data, actor=request.user.get_username())
    admin.message_user(request, f"Saved as the draft {made}.", messages.SUCCESS)
    return made


def _publish(
    admin: Any, request: HttpRequest, form: StudioForm, template: PromptTemplate | None
) -> PromptTemplate | None:
    """Save, then publish what was saved; where publishing refuses, the draft stays and its page shows the faults."""
    saved = _written(admin, request, form, template)
    if saved is None:
        return None
    try:
        done = actions.publish(saved, actor=request.user.get_username())
    except Problem as problem:
        admin.message_user(request, f"Saved the draft, but {problem.message}", messages.ERROR)
        return saved
    admin.log_change(request, done, f"Published {done}.")
    admin.message_user(request, f"Published {done}.", messages.SUCCESS)
    return done


def _duplicate(
    admin: Any, request: HttpRequest, form: StudioForm, template: PromptTemplate | None
) -> PromptTemplate | None:
    _need(template is not None and admin.has_add_permission(request))
    settled = _settled(admin, request, form, template)
    if settled is None:
        return None
    made = actions.duplicate(settled, actor=request.user.get_username())
    admin.message_user(request, f"Made the draft {made}.", messages.SUCCESS)
    return made


def _archive(
    admin: Any, request: HttpRequest, form: StudioForm, template: PromptTemplate | None
) -> PromptTemplate | None:
    _need(template is not None and admin.has_publish_permission(request))
    settled = _settled(admin, request, form, template)
    if settled is None:
        return None
    done = actions.archive(settled, actor=request.user.get_username())
    admin.message_user(request, f"Archived {done}.", messages.SUCCESS)
    return done


def _settled(
    admin: Any, request: HttpRequest, form: StudioForm, template: PromptTemplate | None
) -> PromptTemplate | None:
    """Return the template with what was typed for it saved, where it is a draft that the one who asks may write."""
    may_write = template is not None and template.is_draft and admin.has_publish_permission(request)
    return _written(admin, request, form, template) if may_write else template


def _need(allowed: bool) -> None:
    if not allowed:
        raise PermissionDenied


Verb = Callable[[Any, HttpRequest, StudioForm, PromptTemplate | None], PromptTemplate | None]
WRITING = frozenset({"save", "save_copy", "publish"})
VERBS: dict[str, Verb] = {
    "save": _save,
    "save_copy": _save_copy,
    "publish": _publish,
    "duplicate": _duplicate,
    "archive": _archive,
}
