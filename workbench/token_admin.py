"""Tokens in the admin: everybody makes and revokes their own; a platform lead sees and revokes those of all."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.dataclasses import ActionDialog
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from workbench.admin_base import ReadOnly, VerbForm
from workbench.models import AccessToken
from workbench.problems import Problem
from workbench.tokens import make_token, revoke_token

STATES = {"active": "success", "expired": "warning", "revoked": "danger"}
SHOWN_ONCE = "Copy it now: it is kept nowhere, and not shown again. Send it as: Authorization: Token …"


class TokenForm(VerbForm):
    """What the new token is for, until when, and with which of the owner's roles."""

    expires_at = forms.SplitDateTimeField(
        required=False, widget=UnfoldAdminSplitDateTimeWidget, help_text="UTC. Empty: as long as usual here."
    )
    roles = forms.ModelMultipleChoiceField(
        Group.objects.none(),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Some of your roles, for a token that may do no more than they may. None: all that you may.",
    )

    class Meta:
        model = AccessToken
        fields = ("name", "expires_at", "roles")
        widgets = {"name": UnfoldAdminTextInputWidget}


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    when_empty = "Tokens let scripts use the API in your name."
    form = TokenForm
    list_display = ("name", "starts_with", "state", "may", "user", "created_at", "expires_at", "last_used_at")
    list_filter = ("user",)
    search_fields = ("name", "prefix", "user__username")
    list_select_related = ("user",)
    actions_detail = ("revoke",)
    list_per_page = 50
    fields: Any = ("name", "starts_with", "state", "may", "user", "created_at", "expires_at", "last_used_at")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_staff)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_staff)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessToken]:
        """Return one's own tokens, or those of all to who may view them."""
        tokens: QuerySet[AccessToken] = super().get_queryset(request).prefetch_related("roles")
        return (
            tokens
            if request.user.has_perm("workbench.view_accesstoken")
            else tokens.filter(user__username=request.user.get_username())
        )

    def get_list_filter(self, request: HttpRequest) -> Any:
        return self.list_filter if request.user.has_perm("workbench.view_accesstoken") else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else TokenForm.Meta.fields

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj is None:
            form.base_fields["roles"].queryset = request.user.groups.all()
        form.problem = getattr(request, "problem", None)
        return form

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Problem as problem:
            request.problem = problem  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given: Any = form.cleaned_data
        made, text = make_token(
            User.objects.get(
                username=request.user.get_username()
            ),  # the request's own is lazy, which the router cannot place
            name=given["name"],
            expires_at=given["expires_at"],
            roles=given["roles"] or None,
            actor=request.user.get_username(),
        )
        vars(obj).update(vars(made))
        request.made_token = text  # type: ignore[attr-defined]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Leave the roles as the verb wrote them."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Show the token, this once."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"New token: {obj.name}",
            "token": request.made_token,  # type: ignore[attr-defined]
            "expires_at": obj.expires_at,
            "words": SHOWN_ONCE,
        }
        return TemplateResponse(request, "workbench/new_token.html", context)

    def has_revoke_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        return bool(request.user.is_staff)

    @action(
        description="Revoke",
        icon="block",
        variant=ActionVariant.DANGER,
        url_path="revoke",
        permissions=["revoke"],
        dialog=ActionDialog(
            title="Revoke this token?",
            description="Whoever uses it is refused from now on. This cannot be taken back.",
            form_class=None,
            form_submit_text="Revoke",
        ),
    )
    def revoke(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        token = self.get_object(request, object_id)
        if token is None:
            return redirect("admin:workbench_accesstoken_changelist")
        if token.user_id != request.user.pk and not request.user.has_perm("workbench.delete_accesstoken"):
            raise PermissionDenied("You may revoke your own tokens only.")
        revoke_token(token, actor=request.user.get_username())
        self.message_user(request, f"Revoked {token}.", messages.SUCCESS)
        return redirect("admin:workbench_accesstoken_changelist")

    @display(description="starts with")
    def starts_with(self, token: AccessToken) -> str:
        return f"{token.prefix}…"

    @display(description="state", label=STATES)
    def state(self, token: AccessToken) -> str:
        return token.state

    @display(description="may do what")
    def may(self, token: AccessToken) -> str:
        return ", ".join(role.name for role in token.roles.all()) if token.scoped else "all that the owner may"
