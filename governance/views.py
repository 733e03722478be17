"""The audit, read-only, and the rules that say what tags mean."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet, ReadOnlyModelViewSet

from governance import policies
from governance.changing import LOOSEN
from governance.filters import AuditFilter
from governance.models import TagPolicy, UsageConstraintAudit
from governance.serializers import TagPolicySerializer, UsageConstraintAuditSerializer


class UsageConstraintAuditViewSet(ReadOnlyModelViewSet[UsageConstraintAudit]):
    queryset = UsageConstraintAudit.objects.all()
    serializer_class = UsageConstraintAuditSerializer
    filterset_class = AuditFilter
    ordering = "-sequence"


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
