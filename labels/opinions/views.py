"""Second opinions, what is asked of them, and the agreement of experts, by API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from labels.labeling.holds import let_go
from labels.models import LabelOpinion, SecondOpinion
from labels.opinions.actions import adjudicate, ask_for_opinions, give_opinion
from labels.opinions.reporting import agreement_of
from labels.opinions.serializers import (
    AdjudicatedSerializer,
    AdjudicateSerializer,
    AgreementSerializer,
    AskAgreementSerializer,
    AskForOpinionsSerializer,
    GiveOpinionSerializer,
    LabelOpinionSerializer,
    SecondOpinionSerializer,
)
from workbench.api.permissions import may

DECIDE = "labels.change_labelopinion"


class SecondOpinionViewSet(ReadOnlyModelViewSet[SecondOpinion]):
    """How many items a second expert answers too, by sheet and label type."""

    queryset = SecondOpinion.objects.all()
    serializer_class = SecondOpinionSerializer
    filterset_fields = ["sheet", "label_type"]
    ordering = "-id"

    @extend_schema(request=AskForOpinionsSerializer, responses=SecondOpinionSerializer)
    def create(self, request: Request) -> Response:
        """Ask for second opinions on a share of a sheet's items, or change what is asked."""
        given = AskForOpinionsSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        wanted = dict(given.validated_data)
        rule = ask_for_opinions(sheet=wanted.pop("sheet_id"), actor=request.user.get_username(), **wanted)
        return Response(SecondOpinionSerializer(rule).data)


class LabelOpinionViewSet(ReadOnlyModelViewSet[LabelOpinion]):
    """Second experts' answers to items, given without seeing the first."""

    queryset = LabelOpinion.objects.all()
    serializer_class = LabelOpinionSerializer
    filterset_fields = ["sheet", "label_type", "item_ref", "author", "first_author", "status"]
    ordering = "-id"

    @extend_schema(
        request=GiveOpinionSerializer,
        responses={200: LabelOpinionSerializer, 409: OpenApiResponse(description="None is asked of you for this item")},
    )
    def create(self, request: Request) -> Response:
        """Give a second opinion on an item that another labeled; closed at once where both say the same."""
        given = GiveOpinionSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        wanted = dict(given.validated_data)
        sheet, template = wanted.pop("sheet_id"), wanted.pop("template_id")
        actor = request.user.get_username()
        opinion = give_opinion(sheet=sheet, template=template, actor=actor, **wanted)
        let_go(sheet, opinion.label_type, opinion.item_ref, actor=actor)
        return Response(LabelOpinionSerializer(opinion).data)

    @extend_schema(
        request=AdjudicateSerializer,
        responses={200: AdjudicatedSerializer, 409: OpenApiResponse(description="Decided or changed meanwhile")},
    )
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated, may(DECIDE)])
    def adjudicate(self, request: Request, **_: Any) -> Response:
        """Decide between the label and the opinion: the answer given becomes the label's next version."""
        given = AdjudicateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = dict(given.validated_data)
        seen = wanted.pop("version")
        label = adjudicate(self.get_object(), actor=request.user.get_username(), seen_version=seen, **wanted)
        return Response(AdjudicatedSerializer(label).data)


class AgreementView(APIView):
    """How far the experts of a sheet agree for a label type."""

    @extend_schema(
        operation_id="agreement", parameters=[AskAgreementSerializer], responses=AgreementSerializer, filters=False
    )
    def get(self, request: Request) -> Response:
        """Return agreement by field, by pairs of experts, and the items that differ; of the first answers of both."""
        given = AskAgreementSerializer(data=request.query_params, context={"request": request})
        given.is_valid(raise_exception=True)
        found = agreement_of(given.validated_data["sheet"], given.validated_data["label_type"])
        return Response(AgreementSerializer(found).data)
