"""What was refused, and the names that are locked after too many failures, in the admin."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import FieldTextFilter
from unfold.decorators import display

from workbench.admin_base import ReadOnly, ReadOnlyAdmin
from workbench.admin_filters import DayRange
from workbench.models import Refusal

STATUSES = {"401 not signed in": "warning", "403 not permitted": "danger", "429 too often": "info"}


@admin.register(Refusal)
class RefusalAdmin(ReadOnlyAdmin):
    when_empty = "Requests that were refused come here: without a sign-in, without the right, or too often."
    list_display = ("minute", "what", "user", "address", "method", "path", "why", "count")
    list_filter = (
        "status",
        ("user", FieldTextFilter),
        ("address", FieldTextFilter),
        ("path", FieldTextFilter),
        ("minute", DayRange),
    )
    search_fields = ("user", "address", "path", "why")

    @display(description="status", label=STATUSES)
    def what(self, row: Refusal) -> str:
        return next((words for words in STATUSES if words.startswith(str(row.status))), str(row.status))


@admin.register(AccessAttempt)
class FailedSignInAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Deleting a row unlocks its name and address at once."""

    when_empty = "Names and addresses with failed sign-ins come here."
    list_display = ("username", "ip_address", "failures_since_start", "state", "attempt_time")
    search_fields = ("username", "ip_address")
    fields = ("username", "ip_address", "failures_since_start", "state", "attempt_time", "path_info", "user_agent")
    list_per_page = 50

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("axes.delete_accessattempt"))

    @display(description="state", label={"locked": "danger", "counted": "info"})
    def state(self, row: AccessAttempt) -> str:
        return "locked" if row.failures_since_start >= settings.AXES_FAILURE_LIMIT else "counted"
