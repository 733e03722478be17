"""The admin of prompt templates: a draft is edited, then published; a published version only shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter
from unfold.dataclasses import ActionDialog
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from templates_app import actions
from templates_app.admin.compare_page import compare_page
from templates_app.admin.studio_page import studio_page, studio_preview
from templates_app.admin.template_form import TemplateForm
from templates_app.models import PromptTemplate
from workbench.admin_base import VerbAdmin, link, page_of
from workbench.admin_filters import DayRange
from workbench.problems import Problem

COLOURS = {"draft": "warning", "published": "success", "archived": "default"}
# Which buttons a template of each status has.
BUTTONS = {
    "draft": {"open_studio", "publish", "duplicate", "archive"},
    "published": {"open_studio", "duplicate", "archive"},
    "archived": {"open_studio", "duplicate"},
}


def dialog(title: str, description: str, button: str) -> ActionDialog:
    """Return the question that is asked before a verb."""
    return ActionDialog(title=title, description=description, form_class=None, form_submit_text=button)


@admin.register(PromptTemplate)
class PromptTemplateAdmin(VerbAdmin):
    when_empty = "A prompt template turns each item of a sheet into a question."
    form = TemplateForm
    list_display = ("name", "version", "state", "studio", "label_type", "base_model", "created_by", "updated_at")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("label_type", FieldTextFilter),
        ("created_by", FieldTextFilter),
        ("created_at", DayRange),
    )
    search_fields = ("name", "description", "label_type", "user_prompt_template")
    actions_list = ("write",)
    actions_detail = ("open_studio", "publish", "duplicate", "archive")
    readonly_fields = ("state", "created_by", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("name", "version"), "label_type", "description")}),
        ("Prompts", {"fields": ("system_prompt", "user_prompt_template")}),
        ("Shape of question and answer", {"fields": ("input_schema", "output_schema", "examples")}),
        ("Model", {"fields": ("base_model", ("temperature", "max_tokens"))}),
        ("For reviewers", {"fields": ("guidelines",)}),
        ("Source", {"fields": (("source_catalog", "source_schema"), ("source_table", "source_volume"))}),
        ("Kept by the workbench", {"fields": (("state", "created_by"), ("created_at", "updated_at"))}),
    )

    def create(self, data: Mapping[str, Any], *, actor: str) -> PromptTemplate:
        return actions.create_template(data, actor=actor)

    def update(self, row: Any, data: Mapping[str, Any], *, actor: str) -> PromptTemplate:
        return actions.update_template(row, data, actor=actor)

    def remove(self, row: Any, *, actor: str) -> None:
        actions.delete_template(row, actor=actor)

    def get_urls(self) -> list[URLPattern]:
        """Return the admin's own addresses behind those of the studio and of comparing."""
        pages = (
            ("studio/", studio_page, "studio"),
            ("studio/preview/", studio_preview, "studio_preview"),
            ("<str:object_id>/studio/", studio_page, "studio"),
            ("<str:object_id>/studio/preview/", studio_preview, "studio_preview"),
            ("compare/", compare_page, "compare"),
        )
        own = [
            path(route, self.admin_site.admin_view(partial(view, self)), name=f"templates_app_prompttemplate_{name}")
            for route, view, name in pages
        ]
        return [*own, *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj else fieldsets[:-1]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.is_draft)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.is_draft)

    def has_publish_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        return bool(super().has_change_permission(request))

    def has_duplicate_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        return bool(super().has_add_permission(request))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Return the buttons that make sense for the template's status."""
        status = self.model.objects.filter(pk=object_id).values_list("status", flat=True).first()
        wanted = {f"templates_app_prompttemplate_{name}" for name in BUTTONS.get(status, ())}
        return [each for each in super().get_actions_detail(request, object_id) if each.action_name in wanted]

    @display(description="status", ordering="status", label=COLOURS)
    def state(self, template: PromptTemplate) -> str:
        return template.status

    @display(description="studio")
    def studio(self, template: PromptTemplate) -> str:
        return link("Edit" if template.is_draft else "Look", "templates_app_prompttemplate_studio", template.pk)

    @action(
        description="Write in the studio", icon="edit_note", variant=ActionVariant.PRIMARY, permissions=["duplicate"]
    )
    def write(self, _request: HttpRequest) -> HttpResponse:
        return redirect("admin:templates_app_prompttemplate_studio")

    @action(description="Studio", icon="edit_note", url_path="open-studio", permissions=["view"])
    def open_studio(self, _request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("admin:templates_app_prompttemplate_studio", object_id=object_id)

    @action(
        description="Publish",
        icon="publish",
        variant=ActionVariant.PRIMARY,
        permissions=["publish"],
        dialog=dialog(
            "Publish this template?",
            "It is checked first. A published version never changes; to change it, duplicate it.",
            "Publish",
        ),
    )
    def publish(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        return self._do(request, object_id, actions.publish, "Published {}.")

    @action(
        description="Duplicate",
        icon="content_copy",
        permissions=["duplicate"],
        dialog=dialog("Duplicate this template?", "The copy is a draft with the next version number.", "Duplicate"),
    )
    def duplicate(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        return self._do(request, object_id, actions.duplicate, "Made the draft {}.")

    @action(
        description="Archive",
        icon="archive",
        permissions=["publish"],
        dialog=dialog(
            "Archive this template?",
            "It stays readable, and no training sheet can be generated with it any more.",
            "Archive",
        ),
    )
    def archive(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        return self._do(request, object_id, actions.archive, "Archived {}.")

    def _do(
        self, request: HttpRequest, object_id: str, verb: Callable[..., PromptTemplate], words: str
    ) -> HttpResponse:
        """Run the verb and go to the page of what it returned; the dialog follows the header, not a redirect."""
        target = object_id
        template = self.get_object(request, object_id)
        if template is not None:
            try:
                done = verb(template, actor=request.user.get_username())
            except Problem as problem:
                self.message_user(request, str(problem), messages.ERROR)
            else:
                self.log_change(request, done, words.format(done))
                self.message_user(request, words.format(done), messages.SUCCESS)
                target = done.pk
        return HttpResponse(headers={"HX-Redirect": page_of(self.opts, target)})
