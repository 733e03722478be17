"""The admin of training files: the list, the page of one with its distributions, and the page that fills it."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.timezone import localtime
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter, RangeNumericFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from training.admin.training_file_filling import fill_page
from training.admin.training_file_page import file_act, file_download, file_page
from training.files.quality import percentage
from training.models import TrainingFile
from workbench.admin_base import ReadOnlyAdmin
from workbench.admin_filters import DayRange

STATUSES = {"active": "success", "archived": "default", "processing": "info", "failed": "danger"}


@admin.register(TrainingFile)
class TrainingFileAdmin(ReadOnlyAdmin):
    when_empty = 'A training file is made of conversations: "New training file" begins one.'
    list_display = ("name", "state", "conversations", "pairs", "quality", "reviewed", "created_by", "made")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("avg_quality_score", RangeNumericFilter),
        ("created_by", FieldTextFilter),
        ("created_at", DayRange),
    )
    search_fields = ("name", "description", "created_by")
    actions_list = ("new",)

    def get_urls(self) -> list[URLPattern]:
        views = {"act": require_POST(partial(file_act, self)), "download": require_POST(partial(file_download, self))}
        own = [
            path(f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"training_trainingfile_{name}")
            for name, view in views.items()
        ]
        fill = self.admin_site.admin_view(partial(fill_page, self))
        return [*own, path("<path:object_id>/fill/", fill, name="training_trainingfile_fill"), *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return file_page(self, request, object_id)

    def has_new_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        return bool(request.user.has_perm("training.add_trainingfile"))

    @action(description="New training file", icon="add", variant=ActionVariant.PRIMARY, permissions=["new"])
    def new(self, request: HttpRequest) -> HttpResponseBase:
        return fill_page(self, request)

    @display(description="status", ordering="status", label=STATUSES)
    def state(self, row: TrainingFile) -> str:
        return row.status

    @display(description="pairs", ordering="total_training_pairs")
    def pairs(self, row: TrainingFile) -> str:
        return f"{row.total_training_pairs:,}"

    @display(description="quality", ordering="avg_quality_score")
    def quality(self, row: TrainingFile) -> str:
        return f"{row.avg_quality_score:g}"

    @display(description="reviewed")
    def reviewed(self, row: TrainingFile) -> str:
        return f"{percentage(row.human_reviewed_count, row.total_training_pairs):g} %"

    @display(description="created", ordering="created_at")
    def made(self, row: TrainingFile) -> str:
        return f"{localtime(row.created_at):%Y-%m-%d}"

    @display(description="conversations", ordering="conversation_count")
    def conversations(self, row: TrainingFile) -> str:
        return f"{row.conversation_count:,}"
