"""The API that changes what pairs may be used for, one or many."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from governance.changing import CHANGE_USES
from governance.choosing import by_filter, chosen
from governance.serializers import (
    ChangeManyUsesSerializer,
    ChangeUsesSerializer,
    UsesOutcomeSerializer,
    outcome_data,
)
from training.actions.review import review
from training.actions.uses import change_uses
from training.models import QAPair
from training.review.journal import USES, Decision
from training.review.overlay import with_status
from training.review.rights import rights_of
from training.review.serializers import ReviewedSerializer, reviewed
from training.review.sight import need_pairs
from workbench.api.permissions import may
from workbench.near import listed
from workbench.problems import Invalid
from workbench.sheet_rights import visible_to

LIMITS = [IsAuthenticated, may(CHANGE_USES)]
REFUSED = OpenApiResponse(description="The pair's version stands against it, or nothing changes")


class ChangePairUsesSerializer(ChangeUsesSerializer):
    """What one pair may be used for; a repeat with the same `action_id` happens once."""

    action_id = serializers.CharField(max_length=64, required=False)
    version = serializers.IntegerField(min_value=1, required=False, allow_null=True, help_text="The version you saw.")


class ChangeManyPairUsesSerializer(ChangeManyUsesSerializer):
    batch_id = serializers.CharField(max_length=64, required=False, help_text="The same again changes nothing more.")


class ChangesUses:
    """The endpoints of `QAPairViewSet` that change uses."""

    @extend_schema(request=ChangePairUsesSerializer, responses={200: ReviewedSerializer, 409: REFUSED})
    @action(detail=True, methods=["post"], url_path="uses", permission_classes=LIMITS)
    def uses(self, request: Request, pk: str) -> Response:
        """Change what the pair may be used for, with a reason; its status stays. The answer is as of the other verbs."""
        given = ChangePairUsesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        need_pairs(request.user, [pk])
        decision = Decision(
            pk,
            USES,
            wanted.get("action_id") or str(uuid4()),
            version=wanted.get("version"),
            uses=given.uses,
            reason=wanted["reason"],
            **rights_of(request.user),
        )
        done = review(decision, actor=request.user.get_username())
        done.refresh_from_db()
        return Response(reviewed(done))

    @extend_schema(
        operation_id="qa_pairs_uses_of_many",
        request=ChangeManyPairUsesSerializer,
        responses=UsesOutcomeSerializer,
        filters=False,
    )
    @action(detail=False, methods=["post"], url_path="uses", permission_classes=LIMITS, pagination_class=None)
    def uses_of_many(self, request: Request) -> Response:
        """Change what many pairs may be used for, or say what would change; undone by `undo-batch`."""
        given = ChangeManyPairUsesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        visible: Any = visible_to(request.user, self.get_queryset())  # type: ignore[attr-defined]
        actor = request.user.get_username()
        keys = chosen(visible, wanted.get("ids"), lambda: self._found(visible, wanted["filter"]), actor=actor)
        need_pairs(request.user, keys)
        batch_id, preview = wanted.get("batch_id") or str(uuid4()), wanted["preview"]
        outcome = change_uses(
            keys,
            given.uses,
            wanted["reason"],
            actor=actor,
            batch_id=batch_id,
            preview=preview,
            **rights_of(request.user),
        )
        return Response(outcome_data(outcome, preview=preview, batch_id=batch_id))

    def _found(self, visible: Any, given: dict[str, str]) -> Any:
        """Return what the filters find; `status` is as review left it, several with commas between."""
        filters = dict(given)
        statuses = filters.pop("status", "").split(",") if "status" in given else []
        if unknown := sorted(set(statuses) - set(QAPair.Status.values)):
            words = f"There is no status {unknown[0]!r}: use {listed(QAPair.Status.values)}."
            raise Invalid.of_fields("The uses were not changed.", {"filter": [words]})
        filterset = DjangoFilterBackend().get_filterset_class(self, visible)
        found = by_filter(filterset, visible, filters, user=self.request.user)  # type: ignore[attr-defined]
        return with_status(found, statuses, filters.get("training_sheet")) if statuses else found
