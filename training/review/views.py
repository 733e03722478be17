"""The API of pairs and their review."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from governance.sensitive.detectors import CHOICES
from training.actions.review import Refused, review, review_many, undo_batch
from training.models import QAPair, ReviewAction, ReviewPair
from training.review.frames import frame_of
from training.review.leases import hold, let_go
from training.review.overlay import newest, with_status
from training.review.paging import PairPagination
from training.review.rights import TAKE_OVER, rights_of
from training.review.serializers import (
    BatchAnswerSerializer,
    BatchSerializer,
    DecisionSerializer,
    HoldSerializer,
    ReviewedSerializer,
    ReviewPairSerializer,
    UndoBatchSerializer,
    reviewed,
)
from training.review.sight import need_batch, need_pairs
from training.review.transitions import VERBS
from training.review.uses_views import ChangesUses
from training.serializers import OneQAPairSerializer, QAPairSerializer
from workbench.api.permissions import may
from workbench.near import listed
from workbench.problems import Invalid, NotFound

REVIEW = [IsAuthenticated, may("training.change_qapair")]
REFUSED = OpenApiResponse(description="The pair's status, version or holder stands against it")
BY_STATUS = OpenApiParameter("status", enum=QAPair.Status.values, many=True, description="As review left it.")
View = Callable[..., Response]


def verb(name: str) -> View:
    """Return the view of one verb on one pair."""

    def act(self: QAPairViewSet, request: Request, pk: str) -> Response:
        given = DecisionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        need_pairs(request.user, [pk])
        wanted = given.decision(pk, name, **rights_of(request.user))
        done = review(wanted, actor=request.user.get_username())
        return Response(reviewed(done))

    act.__name__, act.__doc__ = name, f"{name.capitalize()} the pair; the answer is its newest state and the action."
    # In this order, as everywhere: `action` forgets what `extend_schema` said before it.
    route: View = action(detail=True, methods=["post"], permission_classes=REVIEW)(act)
    described: View = extend_schema(request=DecisionSerializer, responses={200: ReviewedSerializer, 409: REFUSED})(
        route
    )
    return described


def batch_answer(batch_id: str, done: Sequence[ReviewAction], refused: Refused) -> Response:
    told = [
        {
            "pair_id": wanted.pair_id,
            "action_id": wanted.action_id,
            "code": problem.code,
            "message": problem.message,
            "details": problem.details,
        }
        for wanted, problem in refused
    ]
    return Response(BatchAnswerSerializer({"batch_id": batch_id, "done": len(done), "refused": told}).data)


class PairFilter(filters.FilterSet):
    """Equality filters; the training sheet is looked up where review remembers it, not in the lakehouse each time."""

    training_sheet = filters.CharFilter(method="of_training_sheet")
    finding = filters.ChoiceFilter(method="with_finding", choices=CHOICES, help_text="That stands in it.")
    older = filters.BooleanFilter(method="of_older_labels", help_text="The canonical label was changed since.")

    class Meta:
        model = QAPair
        fields = (
            "training_sheet",
            "labeling_mode",
            "item_ref",
            "reviewed_by",
            "data_classification",
            "finding",
            "older",
        )

    def with_finding(self, pairs: Any, _name: str, kind: str) -> QuerySet[QAPair]:
        found: QuerySet[QAPair] = pairs.with_finding(kind)
        return found

    def of_older_labels(self, pairs: Any, _name: str, is_older: bool) -> QuerySet[QAPair]:
        found: QuerySet[QAPair] = pairs.from_older_labels() if is_older else pairs
        return found

    def of_training_sheet(self, pairs: QuerySet[QAPair], _name: str, key: str) -> QuerySet[QAPair]:
        try:
            frame_of(key)
        except NotFound as problem:
            raise Invalid.of_fields("There is no such training sheet.", {"training_sheet": [problem.message]}) from None
        return pairs.filter(training_sheet_id=key)


@extend_schema_view(list=extend_schema(parameters=[BY_STATUS]))
class QAPairViewSet(ChangesUses, ReadOnlyModelViewSet[QAPair]):
    queryset = QAPair.objects.with_label_versions()
    filterset_class = PairFilter
    pagination_class = PairPagination

    approve, edit, reject, flag, reopen, undo = map(verb, VERBS)

    def get_serializer_class(self) -> type[QAPairSerializer]:
        return OneQAPairSerializer if self.action == "retrieve" else QAPairSerializer

    @property
    def ordering(self) -> str:
        """Follow the items within one training sheet; across all of them the newest come first."""
        return "position" if self._training_sheet() else "-id"

    def filter_queryset(self, queryset: Any) -> Any:
        found = super().filter_queryset(queryset)
        status = self._status()
        if unknown := sorted(set(status) - set(QAPair.Status.values)):
            words = f"Found {unknown[0]!r}: use {listed(QAPair.Status.values)}."
            raise Invalid.of_fields("There is no such status.", {"status": [words]})
        return with_status(found, status, self._training_sheet()) if status else found

    def _training_sheet(self) -> str:
        """Return the key that is asked for, without the blanks that its filter leaves out as well."""
        return self.request.query_params.get("training_sheet", "").strip()

    def _status(self) -> list[str]:
        return [given for given in self.request.query_params.getlist("status") if given]

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        if page is None:
            return page
        # Decided about since the page was read, and none of these any more.
        status = self._status()
        return [pair for pair in newest(page) if not status or pair.status in status]

    def get_object(self) -> QAPair:
        pair = newest([super().get_object()])[0]
        held = ReviewPair.objects.filter(pk=pair.pk, held_until__gte=timezone.now()).exclude(holder="").first()
        if held:
            vars(pair).update(holder=held.holder, held_until=held.held_until)
        return pair

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
            more = {"batch_id": batch_id, **rights_of(request.user)}
            decisions.append(one.decision(each["pair_id"], each["action"], **more))
        need_pairs(request.user, [each.pair_id for each in decisions])
        actor, dry_run = request.user.get_username(), given.validated_data["dry_run"]
        done, refused = review_many(decisions, actor=actor, dry_run=dry_run)
        return batch_answer(batch_id, done, refused)

    @extend_schema(request=UndoBatchSerializer, responses=BatchAnswerSerializer)
    @action(detail=False, methods=["post"], url_path="undo-batch", permission_classes=REVIEW)
    def undo_batch(self, request: Request) -> Response:
        """Take back what was decided as one batch, as far as nothing came after it."""
        given = UndoBatchSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted, actor = given.validated_data, request.user.get_username()
        need_batch(request.user, wanted["batch_id"])
        done, refused = undo_batch(
            wanted["batch_id"], actor=actor, dry_run=wanted["dry_run"], **rights_of(request.user)
        )
        return batch_answer(done[0].batch_id if done else "", done, refused)

    @extend_schema(request=HoldSerializer, responses={200: ReviewPairSerializer, 409: REFUSED})
    @action(detail=True, methods=["post"], permission_classes=REVIEW)
    def hold(self, request: Request, pk: str) -> Response:
        """Take or renew the five minutes in which nobody else may decide about the pair."""
        given = HoldSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        need_pairs(request.user, [pk])
        take_over = given.validated_data["take_over"] and request.user.has_perm(TAKE_OVER)
        held = hold(pk, actor=request.user.get_username(), take_over=take_over)
        return Response(ReviewPairSerializer(held).data)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"], url_path="let-go", permission_classes=REVIEW)
    def let_go(self, request: Request, pk: str) -> Response:
        """Give the pair back for others to take."""
        need_pairs(request.user, [pk])
        let_go(pk, actor=request.user.get_username())
        return Response(status=204)
