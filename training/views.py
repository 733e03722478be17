"""The API of training sheets, pairs and what left them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from training.actions.export import OpenExport, export_summary, open_export
from training.actions.jobs import start
from training.models import Export, ReviewEvent, TrainingSheet
from training.review.chosen import claim_of, look
from training.review.overlay import recounted
from training.review.progress import progress_of
from training.review.queue import Empty
from training.review.serializers import (
    NextSerializer,
    OrderSerializer,
    ReviewPairSerializer,
    ReviewProgressSerializer,
)
from training.review.shown import look_ahead
from training.serializers import (
    ExportSerializer,
    ExportSummarySerializer,
    GeneratedSerializer,
    GenerateSerializer,
    ReviewEventSerializer,
    StartedSerializer,
    TrainingSheetSerializer,
    UseSerializer,
)
from workbench.api.permissions import may


class TrainingSheetViewSet(ReadOnlyModelViewSet[TrainingSheet]):
    queryset = TrainingSheet.objects.with_counters()
    serializer_class = TrainingSheetSerializer
    filterset_fields = ["sheet", "template", "status", "labeling_mode", "name"]

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        return page if page is None else recounted(page)

    def get_object(self) -> TrainingSheet:
        found: TrainingSheet = recounted([super().get_object()])[0]
        return found

    @extend_schema(request=GenerateSerializer, responses={201: GeneratedSerializer, 202: StartedSerializer})
    @action(detail=False, methods=["post"])
    def generate(self, request: Request) -> Response:
        """Apply a template to a sheet: up to 100 items at once, more by a job whose id is in the answer."""
        given = GenerateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        training_sheet, job = start(
            sheet=wanted["sheet_id"],
            template=wanted["template_id"],
            name=wanted["name"],
            mode=wanted["labeling_mode"],
            config=wanted["generation_config"],
            actor=request.user.get_username(),
        )
        counted = self.get_queryset().get(pk=training_sheet.pk)
        if job:
            where = {"Location": reverse("jobrun-detail", args=[job.pk])}
            return Response({**TrainingSheetSerializer(counted).data, "job_id": job.pk}, status=202, headers=where)
        return Response(GeneratedSerializer(counted).data, status=201)

    @extend_schema(
        parameters=[UseSerializer],
        responses={(200, "application/jsonl"): OpenApiTypes.STR, 409: OpenApiResponse(description="Nothing to export")},
        filters=False,
    )
    # An export is a row of its own, so who exports needs the right to add one, as in the admin.
    @action(
        detail=True,
        url_path="export/jsonl",
        pagination_class=None,
        permission_classes=[IsAuthenticated, may("training.add_export")],
    )
    def export_jsonl(self, request: Request, pk: str) -> StreamingHttpResponse:
        """Stream the approved and allowed pairs, one chat a line."""
        export = open_export(self.get_object(), actor=request.user.get_username(), channel="api", use=use_of(request))
        return jsonl_response(export)

    @extend_schema(parameters=[UseSerializer], responses=ExportSummarySerializer, filters=False)
    @action(detail=True, url_path="export/summary", pagination_class=None)
    def export_summary(self, request: Request, pk: str) -> Response:
        """Say what an export would write, and why the rest would stay."""
        return Response(export_summary(self.get_object(), use=use_of(request)))

    @extend_schema(parameters=[OrderSerializer], responses=ReviewPairSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def queue(self, request: Request, pk: str) -> Response:
        """List the next pairs that wait for review and that nobody else holds; looking takes none."""
        given = self._order(request.query_params)
        wanted, actor = given.validated_data, request.user.get_username()
        pairs = look(pk, given.choice(), actor=actor, most=wanted["limit"], skip=wanted["skip"], after=wanted["after"])
        look_ahead(pk, pairs)
        return Response(ReviewPairSerializer(pairs, many=True).data)

    @extend_schema(request=OrderSerializer, responses=NextSerializer)
    @action(
        detail=True,
        methods=["post"],
        url_path="queue/claim",
        permission_classes=[IsAuthenticated, may("training.change_qapair")],
    )
    def claim(self, request: Request, pk: str) -> Response:
        """Take the next pair that waits for review: it is the caller's for five minutes."""
        given = self._order(request.data)
        actor = request.user.get_username()
        found = claim_of(pk, given.choice(), actor=actor, skip=given.validated_data["skip"])
        if isinstance(found, Empty):
            return Response(NextSerializer({"pair": None, **asdict(found)}).data)
        return Response(NextSerializer({"pair": found, "held_by_others": 0, "holders": []}).data)

    @extend_schema(responses=ReviewProgressSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def progress(self, request: Request, pk: str) -> Response:
        """Say how far the review is, what waits in the journal included, and how long the rest takes at your pace."""
        return Response(ReviewProgressSerializer(progress_of(pk, actor=request.user.get_username())).data)

    def _order(self, data: Any) -> OrderSerializer:
        given = OrderSerializer(data=data)
        given.is_valid(raise_exception=True)
        return given


def use_of(request: Request) -> str:
    given = UseSerializer(data=request.query_params)
    given.is_valid(raise_exception=True)
    return str(given.validated_data["use"])


def jsonl_response(export: OpenExport) -> StreamingHttpResponse:
    """Return the export as a download, which API and admin share."""
    response = StreamingHttpResponse(iter(export), content_type="application/jsonl")
    response["Content-Disposition"] = f"attachment; filename={export.file_name}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


class ReviewEventViewSet(ReadOnlyModelViewSet[ReviewEvent]):
    queryset = ReviewEvent.objects.all()
    serializer_class = ReviewEventSerializer
    filterset_fields = ["training_sheet", "qa_pair", "action", "actor"]


class ExportViewSet(ReadOnlyModelViewSet[Export]):
    queryset = Export.objects.all()
    serializer_class = ExportSerializer
    filterset_fields = ["training_sheet", "use", "format", "created_by"]
