"""The audit of usage constraints, read-only."""

from __future__ import annotations

from rest_framework.viewsets import ReadOnlyModelViewSet

from governance.filters import AuditFilter
from governance.models import UsageConstraintAudit
from governance.serializers import UsageConstraintAuditSerializer


class UsageConstraintAuditViewSet(ReadOnlyModelViewSet[UsageConstraintAudit]):
    queryset = UsageConstraintAudit.objects.all()
    serializer_class = UsageConstraintAuditSerializer
    filterset_class = AuditFilter
