"""The API of training sheets and of what reviewers did."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from training.actions.start import start
from training.exports.views import Exporting
from training.findings.views import Guarding
from training.models import ReviewEvent, TrainingSheet
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
from training.review.sight import need_training_sheet
from training.serializers import (
    GeneratedSerializer,
    GenerateSerializer,
    ReviewEventSerializer,
    StartedSerializer,
    TrainingSheetSerializer,
)
from workbench.api.permissions import may


class TrainingSheetViewSet(Exporting, Guarding, ReadOnlyModelViewSet[TrainingSheet]):
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
        """Apply a template to a sheet: up to 100 items at once, more by a worker; the job's id is in the answer."""
        given = GenerateSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        started = start(
            sheet=wanted["sheet_id"],
            template=wanted["template_id"],
            name=wanted["name"],
            mode=wanted["labeling_mode"],
            config=wanted["generation_config"],
            actor=request.user.get_username(),
        )
        if started.error:
            raise started.error
        counted = self.get_queryset().get(pk=started.training_sheet.pk)
        body = {**TrainingSheetSerializer(counted).data, "job_id": started.run.pk}
        if started.is_done:
            return Response(body, status=201)
        return Response(body, status=202, headers={"Location": reverse("jobrun-detail", args=[started.run.pk])})

    @extend_schema(parameters=[OrderSerializer], responses=ReviewPairSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def queue(self, request: Request, pk: str) -> Response:
        """List the next pairs that wait for review and that nobody else holds; looking takes none."""
        given = self._order(request.query_params)
        need_training_sheet(request.user, pk)
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
        need_training_sheet(request.user, pk, to_work=True)
        actor = request.user.get_username()
        found = claim_of(pk, given.choice(), actor=actor, skip=given.validated_data["skip"])
        if isinstance(found, Empty):
            return Response(NextSerializer({"pair": None, **asdict(found)}).data)
        return Response(NextSerializer({"pair": found, "held_by_others": 0, "holders": []}).data)

    @extend_schema(responses=ReviewProgressSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def progress(self, request: Request, pk: str) -> Response:
        """Say how far the review is, what waits in the journal included, and how long the rest takes at your pace."""
        need_training_sheet(request.user, pk)
        return Response(ReviewProgressSerializer(progress_of(pk, actor=request.user.get_username())).data)

    def _order(self, data: Any) -> OrderSerializer:
        given = OrderSerializer(data=data)
        given.is_valid(raise_exception=True)
        return given


class ReviewEventViewSet(ReadOnlyModelViewSet[ReviewEvent]):
    queryset = ReviewEvent.objects.all()
    serializer_class = ReviewEventSerializer
    filterset_fields = ["training_sheet", "qa_pair", "action", "actor"]
