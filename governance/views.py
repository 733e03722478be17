"""The audit, read-only, and the rules that say what tags mean."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet, ReadOnlyModelViewSet

from governance import policies
from governance.audit import verification
from governance.audit_export import FORMATS, audit_response
from governance.changing import LOOSEN
from governance.filters import AuditFilter
from governance.models import TagPolicy, UsageConstraintAudit
from governance.serializers import TagPolicySerializer, UsageConstraintAuditSerializer, VerificationSerializer
from workbench.api.permissions import may

# Walking or taking away all of the audit asks for the right that its screen asks for.
READS = [IsAuthenticated, may("governance.view_usageconstraintaudit")]


class UsageConstraintAuditViewSet(ReadOnlyModelViewSet[UsageConstraintAudit]):
    queryset = UsageConstraintAudit.objects.all()
    serializer_class = UsageConstraintAuditSerializer
    filterset_class = AuditFilter
    ordering = "-sequence"

    @extend_schema(
        parameters=[OpenApiParameter("format", str, enum=list(FORMATS), default="jsonl")],
        responses={(200, "application/jsonl"): OpenApiTypes.STR, (200, "text/csv"): OpenApiTypes.STR},
    )
    @action(detail=False, pagination_class=None, permission_classes=READS)
    def export(self, request: Request) -> StreamingHttpResponse:
        """Stream the rows that the filters find, the oldest first, as JSONL or CSV."""
        name = request.query_params.get("format", "jsonl")
        if name not in FORMATS:
            raise ValidationError({"format": [f"Found {name!r}: use {' or '.join(FORMATS)}."]})
        return audit_response(self.filter_queryset(self.get_queryset()), name)

    @extend_schema(responses=VerificationSerializer, filters=False)
    @action(detail=False, pagination_class=None, permission_classes=READS)
    def verification(self, request: Request) -> Response:
        """Walk the whole chain and say what is wrong with it, as `verify_audit` does."""
        return Response(VerificationSerializer(verification()).data)


class TagPolicyViewSet(ModelViewSet[TagPolicy]):
    """What tags of the catalog mean for uses; every change needs a reason and holds at the next use."""

    queryset = TagPolicy.objects.all()
    serializer_class = TagPolicySerializer
    filterset_fields = ["tag", "data_classification"]
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    ordering = "tag"

    def perform_create(self, serializer: Any) -> None:
        values, reason = self._given(serializer)
        serializer.instance = policies.add_policy(values, reason, actor=self.request.user.get_username())

    def perform_update(self, serializer: Any) -> None:
        values, reason = self._given(serializer)
        serializer.instance = policies.change_policy(serializer.instance, values, reason, **self._who())

    @extend_schema(parameters=[OpenApiParameter("reason", str, required=True, description="Kept in the audit.")])
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the rule, with a reason: its tag means nothing from now on."""
        policies.remove_policy(self.get_object(), request.query_params.get("reason", ""), **self._who())
        return Response(status=204)

    def _given(self, serializer: Any) -> tuple[dict[str, Any], str]:
        values = dict(serializer.validated_data)
        return values, values.pop("reason", "")

    def _who(self) -> dict[str, Any]:
        user: Any = self.request.user
        return {"actor": user.get_username(), "may_loosen": user.has_perm(LOOSEN)}
