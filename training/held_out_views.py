"""The API of held-out items: which are, reserving and releasing them, and what is nearly one of them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from governance.changing import CHANGE_USES, LOOSEN
from governance.models import HeldOutItem
from labels.reserving import MOST, Reserved, release, reserve
from sheets.models import Sheet
from workbench.api.permissions import may
from workbench.api.serializers import BoundedListField, SheetKeyField


class HeldOutItemSerializer(serializers.ModelSerializer[HeldOutItem]):
    class Meta:
        model = HeldOutItem
        fields = ["id", "sheet_id", "item_ref", "use", "reason", "created_by", "created_at"]


class ReleaseSerializer(serializers.Serializer[Any]):
    sheet: Any = SheetKeyField(queryset=Sheet.objects.all(), to_work=True)
    item_refs = BoundedListField(child=serializers.CharField(max_length=1024), min_length=1, max_length=MOST)
    reason = serializers.CharField(help_text="Kept in the audit.")


class ReserveSerializer(ReleaseSerializer):
    use = serializers.ChoiceField(HeldOutItem.Use.choices, default=HeldOutItem.Use.EVALUATION)
    preview = serializers.BooleanField(default=False, help_text="Say what would leave which exports; change nothing.")


class LeavingSerializer(serializers.Serializer[Any]):
    training_sheet = serializers.CharField()
    pairs = serializers.IntegerField(help_text="That may be trained on until now.")


class ReservedSerializer(serializers.Serializer[Any]):
    """What became, or would become, of the items."""

    count = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    leaving = LeavingSerializer(many=True)


class NearHeldOutSerializer(serializers.Serializer[Any]):
    pair_id = serializers.CharField()
    item_ref = serializers.CharField()
    held_out = serializers.CharField(help_text="The held-out item that it is nearly the same as.")
    alike = serializers.FloatField(help_text="0 to 1")
    by = serializers.CharField(help_text="words or picture")


class NearReportSerializer(serializers.Serializer[Any]):
    held_out = serializers.IntegerField(help_text="Held-out items of the sheet.")
    compared = serializers.IntegerField(help_text="Of those, how many were compared.")
    items = serializers.IntegerField(help_text="Items that may be trained on, and were looked at.")
    found = NearHeldOutSerializer(many=True)


class HeldOutViewSet(ReadOnlyModelViewSet[HeldOutItem]):
    """Items that no model learns from, under whatever label type."""

    queryset = HeldOutItem.objects.all()
    serializer_class = HeldOutItemSerializer
    filterset_fields = ["sheet_id", "item_ref", "use", "created_by"]
    ordering = "id"

    @extend_schema(request=ReserveSerializer, responses=ReservedSerializer)
    @action(detail=False, methods=["post"], permission_classes=[IsAuthenticated, may(CHANGE_USES)])
    def reserve(self, request: Request) -> Response:
        """Reserve items of a sheet for evaluation or testing, with a reason, or say what that would mean."""
        wanted = self._given(ReserveSerializer, request)
        found = reserve(
            wanted["sheet"], wanted["item_refs"], wanted["reason"],
            use=wanted["use"], preview=wanted["preview"], actor=request.user.get_username(),
        )  # fmt: skip
        return Response(_told(found))

    @extend_schema(request=ReleaseSerializer, responses=ReservedSerializer)
    @action(detail=False, methods=["post"], permission_classes=[IsAuthenticated, may(LOOSEN)])
    def release(self, request: Request) -> Response:
        """Release items that were reserved, with a reason; what a label or pair reserves stays reserved."""
        wanted = self._given(ReleaseSerializer, request)
        actor = request.user.get_username()
        return Response(_told(release(wanted["sheet"], wanted["item_refs"], wanted["reason"], actor=actor)))

    def _given(self, serializer: Any, request: Request) -> dict[str, Any]:
        given = serializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)


def _told(found: Reserved) -> Any:
    leaving = [{"training_sheet": name, "pairs": count} for name, count in found.leaving]
    told = {"count": found.count, "changed": len(found.changed), "unchanged": found.unchanged, "leaving": leaving}
    return ReservedSerializer(told).data
