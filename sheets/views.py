"""The sheets of the API and their items."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.viewsets import ModelViewSet

from governance.changing import CHANGE_USES, LOOSEN
from governance.serializers import ChangeUsesSerializer
from sheets import actions, cursors
from sheets.hidden_sources import need_sources
from sheets.limiting import change_uses_of
from sheets.models import Sheet
from sheets.reading import get_item, iter_items
from sheets.restricting import grants_of, restrict_sheet
from sheets.serializers import (
    GrantsSerializer,
    ItemPageSerializer,
    ItemSerializer,
    ProgressSerializer,
    SheetSerializer,
    SourceUsesSerializer,
    ValidationSerializer,
)
from sheets.source_uses import uses_of
from workbench.api.paging import page_size
from workbench.api.permissions import may

CURSOR = OpenApiParameter("cursor", str, description="From `next` of a page.")
PAGE_SIZE = OpenApiParameter("page_size", int, description="1 to 500.", default=50)
ITEM_REF = OpenApiParameter("item_ref", OpenApiTypes.STR, OpenApiParameter.PATH)


class SheetFilter(filters.FilterSet):
    """By exact name or table, or by a word in name or description."""

    search = filters.CharFilter(method="by_word", help_text="Part of the name or the description.")

    class Meta:
        model = Sheet
        fields = ("name", "primary_table")

    def by_word(self, queryset: QuerySet[Sheet], _name: str, value: str) -> QuerySet[Sheet]:
        """Return the sheets with the word in name or description, whatever its case."""
        return queryset.filter(Q(name__icontains=value) | Q(description__icontains=value))


class SheetViewSet(ModelViewSet[Sheet]):
    """Sheets: named pointers to tables and volumes of the lakehouse."""

    queryset = Sheet.objects.all()
    serializer_class = SheetSerializer
    filterset_class = SheetFilter
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def perform_create(self, serializer: Any) -> None:
        need_sources(self.request.user, serializer.validated_data)
        serializer.instance = actions.create_sheet(serializer.validated_data, actor=self.request.user.get_username())

    def perform_update(self, serializer: Any) -> None:
        user = self.request.user
        need_sources(user, serializer.validated_data)
        serializer.instance = actions.update_sheet(
            serializer.instance,
            serializer.validated_data,
            actor=user.get_username(),
            may_loosen=user.has_perm(LOOSEN),
        )

    def perform_destroy(self, instance: Sheet) -> None:
        actions.delete_sheet(instance, actor=self.request.user.get_username())

    @extend_schema(parameters=[CURSOR, PAGE_SIZE], responses=ItemPageSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def items(self, request: Request, **_: Any) -> Response:
        """One page of items, in the order of their item_ref."""
        sheet, size = self.get_object(), page_size(request)
        cursor = request.query_params.get("cursor")
        after, position = cursors.decoded(cursor) if cursor else (None, 0)
        # One more than the page, to know whether another follows.
        found = list(iter_items(sheet, after=after, limit=size + 1, first_position=position))
        page, following = found[:size], None
        if len(found) > size:
            url = request.build_absolute_uri()
            following = replace_query_param(url, "cursor", cursors.encoded(page[-1].ref, position + size))
        return Response(ItemPageSerializer({"next": following, "results": page}).data)

    @extend_schema(operation_id="sheets_item_retrieve", parameters=[ITEM_REF], responses=ItemSerializer, filters=False)
    @action(detail=True, url_path=r"items/(?P<item_ref>[\s\S]+)")
    def item(self, _request: Request, item_ref: str, **_: Any) -> Response:
        """One item, with its row and files."""
        return Response(ItemSerializer(get_item(self.get_object(), item_ref)).data)

    @extend_schema(responses=ProgressSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def progress(self, _request: Request, **_: Any) -> Response:
        """How many items have a canonical label, by label type."""
        sheet = self.get_object()
        counts = sheet.labels.order_by("label_type").values("label_type").annotate(labeled=Count("id"))
        return Response(ProgressSerializer({"items": sheet.row_count, "labels": counts}).data)

    @extend_schema(responses=SourceUsesSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def uses(self, _request: Request, **_: Any) -> Response:
        """The tags of the sheet's sources at every level, or why they could not be read, and what follows for uses."""
        return Response(SourceUsesSerializer(uses_of(self.get_object())).data)

    @extend_schema(responses=GrantsSerializer, filters=False)
    @action(detail=True, pagination_class=None, permission_classes=[IsAuthenticated, may("workbench.view_sheetgrant")])
    def grants(self, _request: Request, **_: Any) -> Response:
        """Whom the sheet is restricted to; empty where everybody sees it."""
        return Response(GrantsSerializer({"grants": grants_of(self.get_object())}).data)

    @extend_schema(request=GrantsSerializer, responses=GrantsSerializer, filters=False)
    @grants.mapping.post
    def restrict(self, request: Request, **_: Any) -> Response:
        """Restrict the sheet to these users and groups, or open it to everybody by naming none."""
        if not request.user.has_perm("workbench.change_sheetgrant"):
            raise PermissionDenied
        sheet = self.get_object()
        given = GrantsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        grants = restrict_sheet(sheet, given.validated_data["grants"], actor=request.user.get_username())
        return Response(GrantsSerializer({"grants": grants}).data)

    @extend_schema(request=ChangeUsesSerializer, responses=SheetSerializer, filters=False)
    @uses.mapping.post
    def change_uses(self, request: Request, **_: Any) -> Response:
        """Change what all that is made from the sheet may be used for, with a reason; it holds at the next use."""
        given = ChangeUsesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        actor, reason = request.user.get_username(), given.validated_data["reason"]
        return Response(SheetSerializer(change_uses_of(self.get_object(), given.uses, reason, actor=actor)).data)

    def get_permissions(self) -> Any:
        """Ask for the right to change uses where that is done, beside the right to change sheets elsewhere."""
        return [IsAuthenticated(), may(CHANGE_USES)()] if self.action == "change_uses" else super().get_permissions()

    @extend_schema(request=None, responses=ValidationSerializer, filters=False)
    @action(detail=True, methods=["post"])
    def validate(self, request: Request, **_: Any) -> Response:
        """What is wrong with the sheet and its items, counted, with the first few; keeps the number of items."""
        fields, findings = actions.revalidate_sheet(self.get_object(), actor=request.user.get_username())
        data = {"fields_at_fault": fields, "findings": asdict(findings) if findings else None}
        return Response(ValidationSerializer(data).data)
