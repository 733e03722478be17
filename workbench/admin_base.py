"""What the admin of every concept shares: quick lists, read-only audit, and writing through verbs only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from unfold.admin import ModelAdmin, TabularInline

from workbench.admin_fields import EDITED, shown
from workbench.problems import Problem
from workbench.refusals import told
from workbench.sheet_rights import may_work, need_work, visible_to, workable_by

# Buttons beside each other leave no room for the page's name: the rarer ones stand behind one that opens them.
OPENS = {
    "role": "button",
    "tabindex": "0",
    "aria-haspopup": "true",
    "x-bind:aria-expanded": "actionDropdownOpen",
    "x-on:keydown.enter": "actionDropdownOpen = !actionDropdownOpen",
    "x-on:keydown.escape": "actionDropdownOpen = false",
}


def more(*actions: str) -> dict[str, Any]:
    """Return the button that opens these actions of a row's page."""
    return {"title": "More", "icon": "more_horiz", "items": list(actions)}


class ConceptAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """A list of fifty rows a page, and a page for one row whose JSON is readable also to those who may only look."""

    show_full_result_count = False
    list_per_page = 50
    list_fullwidth = True
    list_filter_submit = True
    compressed_fields = True
    formfield_overrides = EDITED

    # What a list without rows says: what comes here, and from where.
    when_empty: ClassVar[str] = ""
    # Whether the admin writes such rows, so that its log can know them.
    has_history = True

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Return the list, named in the browser's tab by what it lists."""
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Return the page, with a way to the admin's log where that knows the row."""
        shown_history = self.has_history and object_id is not None and is_logged(self.model, unquote(object_id))
        context = {"show_history": shown_history, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def _get_actions_navigation(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Return unfold's buttons, with those that open further ones in reach of the keyboard."""
        buttons: list[Any] = super()._get_actions_navigation(*args, **kwargs)
        return [{**button, "attrs": OPENS} if "items" in button else button for button in buttons]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the sheets that the user sees."""
        return visible_to(request.user, super().get_queryset(request))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", workable_by(request.user, db_field.remote_field.model._default_manager.all()))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and (obj is None or may_work(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_delete_permission(request, obj)) and (obj is None or may_work(request.user, obj))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [(title, {**options, "fields": self._shown(options["fields"])}) for title, options in fieldsets]

    def get_actions(self, request: HttpRequest) -> Any:
        """Leave out deleting many at once: each row that may go has a verb that asks who uses it."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def _shown(self, names: Sequence[Any]) -> list[Any]:
        return [
            tuple(self._shown(name)) if isinstance(name, list | tuple) else shown(self.model, name) for name in names
        ]


class ReadOnly:
    """Nobody adds, changes or deletes these by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, ConceptAdmin):
    """Rows that only verbs write: pairs, versions, events, audit, exports."""

    # The admin's log knows only what the admin wrote.
    has_history = False


class ReadOnlyInline(ReadOnly, TabularInline):  # type: ignore[misc]  # unfold has no types
    extra = 0
    hide_title = True
    per_page = 20


class VerbForm(forms.ModelForm[Any]):
    """A form that shows what its verb refused, each message at its field."""

    problem: ClassVar[Problem | None] = None

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.problem is None:
            return
        if not self.problem.fields:
            self.add_error(None, self.problem.message)
        for name, faults in self.problem.fields.items():
            known = name in self.fields
            self.add_error(name if known else None, faults if known else [f"{name}: {fault}" for fault in faults])


class VerbAdmin(ConceptAdmin):
    """Writes through verbs: what a verb refuses comes back on the form, with all that was typed."""

    form = VerbForm
    warn_unsaved_form = True

    def create(self, data: Mapping[str, Any], *, actor: str) -> Model:
        """Return the new row, by its verb."""
        raise NotImplementedError

    def update(self, row: Model, data: Mapping[str, Any], *, actor: str) -> Model:
        """Return the row with the changed fields written, by its verb."""
        raise NotImplementedError

    def update_by(self, request: HttpRequest, row: Model, data: Mapping[str, Any]) -> Model:
        """Return the same, where the verb asks what the user may beside changing such rows."""
        return self.update(row, data, actor=request.user.get_username())

    def remove(self, row: Model, *, actor: str) -> None:
        """Delete the row, by its verb."""
        raise NotImplementedError

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.problem = getattr(request, "problem", None)
        return form

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Problem as problem:
            # Nothing was written, so the same request is answered again, now with the refusal on the form.
            request.problem = problem  # type: ignore[attr-defined]
            told(request, problem)
            return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = request.user.get_username()
        # The row as the form leaves it: it may belong to another sheet than before.
        need_work(request.user, obj)
        if not change:
            saved = self.create(form.cleaned_data, actor=actor)
        elif form.changed_data:
            stored = self.model._default_manager.get(pk=obj.pk)
            saved = self.update_by(request, stored, {name: form.cleaned_data[name] for name in form.changed_data})
        else:
            return
        vars(obj).update(vars(saved))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the row alone: nothing is deleted with it, and its verb refuses when something points at it."""
        return [str(row) for row in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            with transaction.atomic():  # takes back the log entry when the verb refuses
                answer: HttpResponse = super().delete_view(request, object_id, extra_context)
        except Problem as problem:
            return refused(self, request, problem, object_id)
        return answer

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.remove(obj, actor=request.user.get_username())


def is_logged(model: type[Model], key: str) -> bool:
    """Return whether the admin's log has something about the row."""
    kind = ContentType.objects.get_for_model(model, for_concrete_model=False)
    return LogEntry.objects.filter(content_type=kind, object_id=key).exists()


def refused(admin: Any, request: HttpRequest, problem: Problem, object_id: str) -> HttpResponse:
    """Say what was refused and go back to the row's page."""
    told(request, problem)
    admin.message_user(request, str(problem), messages.ERROR)
    return redirect(page_of(admin.opts, object_id))


def page_of(opts: Any, object_id: str) -> str:
    """Return the address of a row's page."""
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[object_id])


def link(text: Any, url_name: str, *args: Any, query: str = "") -> str:
    """Return a link to a page of the admin, named without `admin:`."""
    return format_html('<a href="{}{}" class="wb-link">{}</a>', reverse(f"admin:{url_name}", args=args), query, text)
