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

from labels.actions import record_label
from labels.exporting import label_blocks
from labels.models import CanonicalLabel
from labels.serializers import (
    CanonicalLabelSerializer,
    CanonicalLabelVersionSerializer,
    LabelExportSerializer,
    RecordLabelSerializer,
)


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
        given = RecordLabelSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        wanted, began = dict(given.validated_data), timezone.now()
        sheet, template = wanted.pop("sheet_id"), wanted.pop("template_id")
        label = record_label(sheet=sheet, template=template, actor=request.user.get_username(), **wanted)
        is_new = label.version == 1 and label.created_at >= began
        return Response(CanonicalLabelSerializer(label).data, status=201 if is_new else 200)

    @extend_schema(responses=CanonicalLabelVersionSerializer(many=True), filters=False)
    @action(detail=True, ordering="-version")
    def versions(self, _request: Request, **_: Any) -> Response:
        """Return the label as it was after each change, the latest first."""
        versions: Any = self.get_object().versions.all()
        page: Any = self.paginate_queryset(versions)
        return self.get_paginated_response(CanonicalLabelVersionSerializer(page, many=True).data)

    @extend_schema(
        parameters=[LabelExportSerializer],
        responses={(200, "application/jsonl"): OpenApiTypes.STR, 404: OpenApiResponse(description="No labels")},
        filters=False,
    )
    @action(detail=False, pagination_class=None)
    def export(self, request: Request) -> StreamingHttpResponse:
        """Stream the labels of a sheet, one a line."""
        given = LabelExportSerializer(data=request.query_params, context={"request": request})
        given.is_valid(raise_exception=True)
        sheet = given.validated_data["sheet"]
        blocks = label_blocks(sheet, given.validated_data["label_type"])
        response = StreamingHttpResponse(blocks, content_type="application/jsonl")
        response["Content-Disposition"] = f"attachment; filename=canonical_labels_{sheet.pk}.jsonl"
        response["X-Content-Type-Options"] = "nosniff"
        return response
