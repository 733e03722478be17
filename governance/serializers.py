from __future__ import annotations

from governance.models import UsageConstraintAudit
from workbench.api.serializers import ConceptSerializer


class UsageConstraintAuditSerializer(ConceptSerializer[UsageConstraintAudit]):
    class Meta:
        model = UsageConstraintAudit
        fields = "__all__"
