"""The canonical labels of the API."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from labels.actions import record_label, restore_version
from labels.exporting import label_blocks
from labels.importing import MOST_BYTES, expect_same, import_labels, preview_import
from labels.labeling.holds import held_by_others, hold, let_go
from labels.labeling.walking import walk
from labels.models import CanonicalLabel
from labels.serializers import (
    AheadSerializer,
    CanonicalLabelSerializer,
    CanonicalLabelVersionSerializer,
    HeldSerializer,
    ImportedSerializer,
    ImportSerializer,
    LabelExportSerializer,
    RecordLabelSerializer,
    RestoreSerializer,
    TaskItemSerializer,
    WalkSerializer,
)
from workbench.api.lines import JSONLinesParser, spooled


class CanonicalLabelViewSet(ReadOnlyModelViewSet[CanonicalLabel]):
    """Expert ground truth: one label for an item and type of task."""

    queryset = CanonicalLabel.objects.all()
    serializer_class = CanonicalLabelSerializer
    filterset_fields = ["sheet", "item_ref", "label_type", "confidence", "labeled_by", "data_classification"]
    ordering = "-id"

    @extend_schema(
        request=RecordLabelSerializer,
        responses={
            201: CanonicalLabelSerializer,
            200: OpenApiResponse(CanonicalLabelSerializer, description="There was one"),
        },
    )
    def create(self, request: Request) -> Response:
        """Record a label on its key of sheet, item and label type: a new one, or a new version of the present one."""
        given = RecordLabelSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted, began = dict(given.validated_data), timezone.now()
        sheet, template = wanted.pop("sheet_id"), wanted.pop("template_id")
        actor, seen = request.user.get_username(), wanted.pop("version")
        label = record_label(sheet=sheet, template=template, actor=actor, seen_version=seen, **wanted)
        is_new = label.version == 1 and label.created_at >= began
        return Response(CanonicalLabelSerializer(label).data, status=201 if is_new else 200)

    @extend_schema(responses=CanonicalLabelVersionSerializer(many=True), filters=False)
    @action(detail=True, ordering="-version")
    def versions(self, _request: Request, **_: Any) -> Response:
        """Return the label as it was after each change, the latest first."""
        versions: Any = self.get_object().versions.all()
        page: Any = self.paginate_queryset(versions)
        return self.get_paginated_response(CanonicalLabelVersionSerializer(page, many=True).data)

    @extend_schema(request=RestoreSerializer, responses=CanonicalLabelSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, **_: Any) -> Response:
        """Record an earlier version of the label again, as a new version."""
        given = RestoreSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        label = restore_version(self.get_object(), actor=request.user.get_username(), **given.validated_data)
        return Response(CanonicalLabelSerializer(label).data)

    @extend_schema(parameters=[AheadSerializer], responses=WalkSerializer, filters=False)
    @action(detail=False, pagination_class=None)
    def ahead(self, request: Request) -> Response:
        """Return the next items of a sheet to label; what others have on the screen is left out."""
        given = AheadSerializer(data=request.query_params)
        given.is_valid(raise_exception=True)
        wanted = dict(given.validated_data)
        sheet, label_type = wanted.pop("sheet"), wanted.pop("label_type")
        held = held_by_others(sheet, label_type, actor=request.user.get_username())
        return Response(WalkSerializer(walk(sheet, label_type, **wanted, without=held)).data)

    @extend_schema(request=TaskItemSerializer, responses=HeldSerializer)
    @action(detail=False, methods=["post"])
    def hold(self, request: Request) -> Response:
        """Keep an item from other labelers for five minutes more; 409 where another has it. Returns its label's version."""
        given = TaskItemSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        sheet, label_type, item_ref = given.task
        hold(sheet, label_type, item_ref, actor=request.user.get_username())
        key = {"sheet_id": sheet.pk, "label_type": label_type, "item_ref": item_ref}
        version = CanonicalLabel.objects.filter(**key).values_list("version", flat=True).first()
        return Response({"version": version or 0})

    @extend_schema(request=TaskItemSerializer, responses={204: None})
    @action(detail=False, methods=["post"], url_path="let-go")
    def let_go(self, request: Request) -> Response:
        """Give an item back that the user has on the screen."""
        given = TaskItemSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        let_go(*given.task, actor=request.user.get_username())
        return Response(status=204)

    @extend_schema(
        parameters=[LabelExportSerializer],
        responses={(200, "application/jsonl"): OpenApiTypes.STR, 404: OpenApiResponse(description="No labels")},
        filters=False,
    )
    @action(detail=False, pagination_class=None)
    def export(self, request: Request) -> StreamingHttpResponse:
        """Stream the labels of a sheet, one a line."""
        given = LabelExportSerializer(data=request.query_params)
        given.is_valid(raise_exception=True)
        sheet = given.validated_data["sheet"]
        blocks = label_blocks(sheet, given.validated_data["label_type"])
        response = StreamingHttpResponse(blocks, content_type="application/jsonl")
        response["Content-Disposition"] = f"attachment; filename=canonical_labels_{sheet.pk}.jsonl"
        response["X-Content-Type-Options"] = "nosniff"
        return response

    @extend_schema(
        operation_id="canonical_labels_import",
        parameters=[ImportSerializer],
        request={"application/jsonl": OpenApiTypes.BINARY},
        responses=ImportedSerializer,
        filters=False,
    )
    @action(detail=False, methods=["post"], url_path="import", pagination_class=None, parser_classes=[JSONLinesParser])
    def import_(self, request: Request) -> Response:
        """Record the labels of a JSONL body, or with `preview=true` say what would be done; refused lines are left out.

        With the `plan` of a preview nothing is written where labels or items changed since (409).
        """
        given = ImportSerializer(data=request.query_params)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        sheet, reason = wanted["sheet"], wanted["reason"]
        with spooled(request.data, MOST_BYTES) as lines:
            if wanted["preview"]:
                return Response(ImportedSerializer(preview_import(sheet, lines, reason=reason)).data)
            if wanted["plan"]:
                expect_same(wanted["plan"], preview_import(sheet, lines, reason=reason))
                lines.seek(0)
            done = import_labels(sheet, lines, actor=request.user.get_username(), reason=reason)
        return Response(ImportedSerializer(done).data)
