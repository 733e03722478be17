"""The API of pairs and their review."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from training.actions.review import review, review_many
from training.models import QAPair, ReviewEvent
from training.review.leases import hold, let_go
from training.review.overlay import newest, with_status
from training.review.serializers import (
    BatchAnswerSerializer,
    BatchSerializer,
    DecisionSerializer,
    HoldSerializer,
    ReviewedSerializer,
    ReviewPairSerializer,
)
from training.serializers import QAPairSerializer
from workbench.api.permissions import may

REVIEW = [IsAuthenticated, may("training.change_qapair")]
TAKE_OVER = "training.take_over_reviewpair"
REFUSED = OpenApiResponse(description="The pair's status, version or holder stands against it")
View = Callable[..., Response]


def verb(name: str) -> View:
    """Return the view of one verb on one pair."""

    def act(self: QAPairViewSet, request: Request, pk: str) -> Response:
        given = DecisionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.decision(pk, name, override=request.user.has_perm(TAKE_OVER))
        done = review(wanted, actor=request.user.get_username())
        done.refresh_from_db()
        return Response(ReviewedSerializer({"pair": done.pair, "action": done}).data)

    act.__name__, act.__doc__ = name, f"{name.capitalize()} the pair; the answer is its newest state and the action."
    route = action(detail=True, methods=["post"], permission_classes=REVIEW)
    described: View = extend_schema(request=DecisionSerializer, responses={200: ReviewedSerializer, 409: REFUSED})(act)
    return route(described)


class QAPairViewSet(ReadOnlyModelViewSet[QAPair]):
    queryset = QAPair.objects.all()
    serializer_class = QAPairSerializer
    filterset_fields = ["training_sheet", "labeling_mode", "item_ref", "reviewed_by", "data_classification"]

    approve, edit, reject, flag, reopen, undo = map(verb, ReviewEvent.Action.values)

    @property
    def ordering(self) -> str:
        """Follow the items within one training sheet; across all of them the newest come first."""
        return "position" if self.request.query_params.get("training_sheet") else "-id"

    def filter_queryset(self, queryset: Any) -> Any:
        found = super().filter_queryset(queryset)
        status = self.request.query_params.getlist("status")
        return with_status(found, status) if status else found

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        return page if page is None else newest(page)

    def get_object(self) -> QAPair:
        return newest([super().get_object()])[0]

    @extend_schema(request=BatchSerializer, responses=BatchAnswerSerializer)
    @action(detail=False, methods=["post"], permission_classes=REVIEW)
    def review(self, request: Request) -> Response:
        """Decide about many pairs at once: all that can be done are, each refusal is told."""
        given = BatchSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        batch_id = given.validated_data.get("batch_id") or str(uuid4())
        decisions = []
        for each in given.validated_data["actions"]:
            one = DecisionSerializer(data=each)
            one.is_valid(raise_exception=True)
            more = {"batch_id": batch_id, "override": request.user.has_perm(TAKE_OVER)}
            decisions.append(one.decision(each["pair_id"], each["action"], **more))
        actor, dry_run = request.user.get_username(), given.validated_data["dry_run"]
        done, refused = review_many(decisions, actor=actor, dry_run=dry_run)
        answer = {
            "batch_id": batch_id,
            "done": len(done),
            "refused": [
                {"pair_id": wanted.pair_id, "code": problem.code, "message": problem.message}
                for wanted, problem in refused
            ],
        }
        return Response(BatchAnswerSerializer(answer).data)

    @extend_schema(request=HoldSerializer, responses={200: ReviewPairSerializer, 409: REFUSED})
    @action(detail=True, methods=["post"], permission_classes=REVIEW)
    def hold(self, request: Request, pk: str) -> Response:
        """Take or renew the five minutes in which nobody else may decide about the pair."""
        given = HoldSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        take_over = given.validated_data["take_over"] and request.user.has_perm(TAKE_OVER)
        held = hold(pk, actor=request.user.get_username(), take_over=take_over)
        return Response(ReviewPairSerializer(held).data)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"], url_path="let-go", permission_classes=REVIEW)
    def let_go(self, request: Request, pk: str) -> Response:
        """Give the pair back for others to take."""
        let_go(pk, actor=request.user.get_username())
        return Response(status=204)
