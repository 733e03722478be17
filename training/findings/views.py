"""The API of sensitive data: look for it in a training sheet, list what was found, dismiss what is none."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from training.actions.findings import dismiss, find
from training.held_out_views import NearReportSerializer
from training.models import Finding
from training.near_held_out import near_held_out
from workbench.api.permissions import may

REVIEW = [IsAuthenticated, may("training.change_qapair")]


class FindingSerializer(serializers.ModelSerializer[Finding]):
    class Meta:
        model = Finding
        fields = [
            "id", "training_sheet_id", "qa_pair_id", "item_ref", "place", "kind", "start", "end", "excerpt", "why",
            "detector_version", "found_at", "dismissed_by", "dismissed_at", "dismissed_reason",
        ]  # fmt: skip


class DismissSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(help_text="Why it is no sensitive data, or may stay; kept.")


class LookedSerializer(serializers.Serializer[Any]):
    job_id = serializers.CharField(allow_null=True, help_text="Follow it at /api/v1/jobs/{id}; null: done at once.")
    findings = serializers.IntegerField(help_text="Those that stand, so far.")


class FindingFilter(filters.FilterSet):
    standing = filters.BooleanFilter(method="that_stand", help_text="true: without those that were dismissed.")

    class Meta:
        model = Finding
        fields = ("training_sheet", "qa_pair", "item_ref", "kind", "place", "standing")

    def that_stand(self, found: QuerySet[Finding], _name: str, value: bool) -> QuerySet[Finding]:
        return found.filter(dismissed_at=None) if value else found.exclude(dismissed_at=None)


class FindingViewSet(ReadOnlyModelViewSet[Finding]):
    """Personal data and secrets that were found in pairs, with masked evidence."""

    queryset = Finding.objects.all()
    serializer_class = FindingSerializer
    filterset_class = FindingFilter
    ordering = "id"

    @extend_schema(request=DismissSerializer, responses=FindingSerializer)
    @action(detail=True, methods=["post"], permission_classes=REVIEW)
    def dismiss(self, request: Request, pk: str) -> Response:
        """Dismiss a finding, with a reason; it is kept, and found no more."""
        given = DismissSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        actor = request.user.get_username()
        return Response(FindingSerializer(dismiss(self.get_object(), given.validated_data["reason"], actor=actor)).data)


class Guarding:
    """What a training sheet's view set does about sensitive data and near-duplicates of held-out items."""

    get_object: Any

    @extend_schema(request=None, responses={200: LookedSerializer, 202: LookedSerializer})
    @action(detail=True, methods=["post"], permission_classes=REVIEW)
    def findings(self, request: Request, pk: str) -> Response:
        """Look for sensitive data in items, prompts and answers: at once for a few hundred pairs, more by a job."""
        training_sheet = self.get_object()
        job = find(training_sheet, actor=request.user.get_username())
        standing = Finding.objects.standing().filter(training_sheet=training_sheet).count()
        told = LookedSerializer({"job_id": job.pk if job else None, "findings": standing}).data
        where = {"Location": reverse("jobrun-detail", args=[job.pk])} if job else {}
        return Response(told, status=202 if job else 200, headers=where)

    @extend_schema(responses=NearReportSerializer, filters=False)
    @action(detail=True, url_path="near-held-out", pagination_class=None)
    def near_held_out(self, request: Request, pk: str) -> Response:
        """Say which pairs that may be trained on are nearly the same as a held-out item."""
        return Response(NearReportSerializer(near_held_out(self.get_object())).data)
