from __future__ import annotations

from rest_framework import serializers

from governance.models import UsageConstraintAudit


class UsageConstraintAuditSerializer(serializers.ModelSerializer[UsageConstraintAudit]):
    class Meta:
        model = UsageConstraintAudit
        fields = "__all__"
