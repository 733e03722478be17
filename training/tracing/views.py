"""The API of recall, timelines, withdrawals and what-if."""

from __future__ import annotations

from typing import Any, TypeVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import ReadOnlyModelViewSet, ViewSet

from governance.changing import CHANGE_USES, LOOSEN
from governance.foresight import foreseen
from governance.models import Withdrawal
from sheets.serializers import TaggedSerializer
from sheets.tagging import change_tag, tag_change
from sheets.withdrawing import release_item, withdraw_item
from training.tracing.asked import foreseen_given
from training.tracing.exclusions import exclusions_by_day
from training.tracing.recall import Recall, recall
from training.tracing.report import report_of
from training.tracing.serializers import (
    ExclusionsAskedSerializer,
    ExclusionsSerializer,
    ForeseenSerializer,
    HappenedSerializer,
    ItemSerializer,
    RecallSerializer,
    TagSerializer,
    TimelineAskedSerializer,
    WhatIfSerializer,
    WithdrawalSerializer,
    WithdrawSerializer,
)
from training.tracing.timeline import timeline_of_item, timeline_of_pair
from workbench.api.permissions import may
from workbench.sheet_rights import need_work

S = TypeVar("S", bound=Serializer[Any])

CHANGES = [IsAuthenticated, may(CHANGE_USES)]
READS = [IsAuthenticated, may("governance.view_usageconstraintaudit")]
NO_ITEM = OpenApiResponse(description="No such item, and nothing was ever made of one")


class WithdrawalViewSet(ReadOnlyModelViewSet[Withdrawal]):
    """Items that are, or once were, withdrawn."""

    queryset = Withdrawal.objects.all()
    serializer_class = WithdrawalSerializer
    filterset_fields = ["sheet_id", "item_ref", "is_released"]


class TracingViewSet(ViewSet):
    """What an item reached, what happened to it, and what a change would do."""

    @extend_schema(
        operation_id="governance_recall", parameters=[ItemSerializer], responses={200: RecallSerializer, 404: NO_ITEM}
    )
    @action(detail=False)
    def recall(self, request: Request) -> Response:
        """Find every pair, label, export, training file and model that an item reached."""
        return Response(RecallSerializer(_recalled(request)[0]).data)

    @extend_schema(
        operation_id="governance_recall_report",
        parameters=[ItemSerializer],
        responses={(200, "application/jsonl"): OpenApiTypes.STR, 404: NO_ITEM},
    )
    @action(detail=False, url_path="recall/report", permission_classes=READS)
    def report(self, request: Request) -> HttpResponse:
        """Return the recall as a signed report, which `verify_report` checks."""
        return report_response(_recalled(request)[0], request.user.get_username())

    @extend_schema(
        operation_id="governance_withdraw",
        request=WithdrawSerializer,
        responses={200: WithdrawalSerializer, 404: NO_ITEM},
    )
    @action(detail=False, methods=["post"], permission_classes=CHANGES)
    def withdraw(self, request: Request) -> Response:
        """Withdraw an item: nothing made from it, before or after, is used for anything. Twice is once."""
        found, asked = _recalled(request, WithdrawSerializer)
        sheet, reason = asked.sheet_asked(), asked.validated_data["reason"]
        need_work(request.user, sheet)
        done = withdraw_item(sheet, found.item_ref, reason, actor=request.user.get_username())
        return Response(WithdrawalSerializer(done).data)

    @extend_schema(operation_id="governance_release", request=WithdrawSerializer, responses=WithdrawalSerializer)
    @action(detail=False, methods=["post"], permission_classes=CHANGES)
    def release(self, request: Request) -> Response:
        """Release an item that was withdrawn; needs the right to loosen a rule."""
        asked = _asked(WithdrawSerializer, request, request.data)
        sheet, given = asked.sheet_asked(), asked.validated_data
        need_work(request.user, sheet)
        actor, may_loosen = request.user.get_username(), request.user.has_perm(LOOSEN)
        done = release_item(sheet, given["item_ref"], given["reason"], actor=actor, may_loosen=may_loosen)
        return Response(WithdrawalSerializer(done).data)

    @extend_schema(
        operation_id="governance_timeline",
        parameters=[TimelineAskedSerializer],
        responses=HappenedSerializer(many=True),
    )
    @action(detail=False)
    def timeline(self, request: Request) -> Response:
        """Tell what happened to a pair, or to an item and all that was made from it, the oldest first."""
        asked = _asked(TimelineAskedSerializer, request, request.query_params)
        if "pair" in asked.validated_data:
            found = timeline_of_pair(asked.pair_asked(), user=request.user)
        else:
            found = timeline_of_item(asked.sheet_asked(), asked.validated_data["item_ref"], user=request.user)
        return Response(HappenedSerializer(found, many=True).data)

    @extend_schema(operation_id="governance_what_if", request=WhatIfSerializer, responses=ForeseenSerializer(many=True))
    @action(detail=False, methods=["post"], url_path="what-if", permission_classes=CHANGES)
    def what_if(self, request: Request) -> Response:
        """Tell which approved pairs would leave, or come back, for each use that a change touches. Writes nothing."""
        asked = _asked(WhatIfSerializer, request, request.data)
        kind, given = foreseen_given(asked.validated_data, request.user)
        return Response(ForeseenSerializer(foreseen(kind, given, request.user), many=True).data)

    @extend_schema(operation_id="governance_tags", request=TagSerializer, responses=TaggedSerializer)
    @action(detail=False, methods=["post"], permission_classes=CHANGES)
    def tags(self, request: Request) -> Response:
        """Put a tag on a place of the catalog or take it away; what loosens needs the right to. Ask what-if before."""
        given = dict(_asked(TagSerializer, request, request.data).validated_data)
        reason, actor, may_loosen = given.pop("reason"), request.user.get_username(), request.user.has_perm(LOOSEN)
        change = tag_change(**given, user=request.user)
        effect = change_tag(change, reason, actor=actor, may_loosen=may_loosen)
        return Response(TaggedSerializer(effect.after).data)

    @extend_schema(
        operation_id="governance_exclusions", parameters=[ExclusionsAskedSerializer], responses=ExclusionsSerializer
    )
    @action(detail=False)
    def exclusions(self, request: Request) -> Response:
        """Count by day why pairs stayed out of exports."""
        asked = _asked(ExclusionsAskedSerializer, request, request.query_params)
        return Response(ExclusionsSerializer(exclusions_by_day(request.user, **asked.validated_data)).data)


def report_response(found: Recall, actor: str) -> HttpResponse:
    """Return the signed report as a download, which API and admin share."""
    response = HttpResponse(report_of(found, actor=actor), content_type="application/jsonl")
    response["Content-Disposition"] = "attachment; filename=recall.jsonl"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _asked(kind: type[S], request: Request, given: Any) -> S:
    asked = kind(data=given, context={"request": request})
    asked.is_valid(raise_exception=True)
    return asked


def _recalled(request: Request, kind: Any = ItemSerializer) -> tuple[Recall, Any]:
    asked = _asked(kind, request, request.query_params if request.method == "GET" else request.data)
    return recall(asked.sheet_asked(), asked.validated_data["item_ref"], user=request.user), asked
