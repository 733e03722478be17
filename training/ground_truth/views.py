"""The API of ground truth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from training.actions.ground_truth import FILE_NAME, expect_some, open_ground_truth
from training.ground_truth.serializers import GroundTruthSerializer, GroundTruthStatsSerializer, PairsSerializer
from training.ground_truth.stats import stats_of
from workbench.api.permissions import may
from workbench.sheet_rights import rights_of

S = TypeVar("S", bound=PairsSerializer)


class GroundTruthViewSet(ViewSet):
    """What reviewers decided, beside what was there before."""

    @extend_schema(
        operation_id="ground_truth_export",
        parameters=[
            GroundTruthSerializer,
            OpenApiParameter(
                "X-Next-Since",
                OpenApiTypes.DATETIME,
                OpenApiParameter.HEADER,
                description="The `since` with which the next increment misses nothing.",
                response=[200],
            ),
        ],
        responses={(200, "application/jsonl"): OpenApiTypes.STR, 409: OpenApiResponse(description="Nothing to export")},
    )
    # An export is a row of its own, so who exports needs the right to add one, as in the admin.
    @action(detail=False, permission_classes=[IsAuthenticated, may("training.add_export")])
    def export(self, request: Request) -> StreamingHttpResponse:
        """Stream the reviewed pairs that may leave, one a line, with their first answer, corrections and last answer."""
        asked = _asked(GroundTruthSerializer, request)
        which = asked.training_sheets(), asked.wanted()
        actor = request.user.get_username()
        if request.method == "HEAD":
            expect_some(*which, actor=actor, channel="api")
            return ground_truth_response(())
        export = open_ground_truth(*which, actor=actor, channel="api")
        response = ground_truth_response(export)
        response["X-Next-Since"] = export.next_since
        return response

    @extend_schema(
        operation_id="ground_truth_stats", parameters=[PairsSerializer], responses=GroundTruthStatsSerializer
    )
    @action(detail=False)
    def stats(self, request: Request) -> Response:
        """Say how many pairs are approved and corrected, and which fields are corrected most."""
        asked = _asked(PairsSerializer, request)
        narrowed = {"sheet", "training_sheet"} & set(asked.validated_data) or rights_of(request.user).hidden
        found = stats_of(asked.training_sheets() if narrowed else None, asked.span)
        return Response(GroundTruthStatsSerializer(found).data)


def ground_truth_response(export: Iterable[bytes]) -> StreamingHttpResponse:
    """Return the export as a download, which API and admin share."""
    response = StreamingHttpResponse(iter(export), content_type="application/jsonl")
    response["Content-Disposition"] = f"attachment; filename={FILE_NAME}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _asked(kind: type[S], request: Request) -> S:
    # As a plain dict: of a query string, an absent boolean would count as false.
    asked = kind(data=request.query_params.dict(), context={"request": request})
    asked.is_valid(raise_exception=True)
    return asked
