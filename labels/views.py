"""The canonical labels of the API."""

from __future__ import annotations

from typing import IO, Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from governance.changing import CHANGE_USES, LOOSEN, rights_of
from governance.choosing import by_filter, chosen
from governance.serializers import (
    ChangeManyUsesSerializer,
    ChangeUsesSerializer,
    UsesOutcomeSerializer,
    outcome_data,
)
from labels.actions import record_label, restore_version
from labels.exporting import FORMATS, leaving
from labels.import_plans import Terms
from labels.importing import MOST_BYTES, import_labels, import_previewed, preview_import
from labels.labeling.holds import held_by_others, hold, let_go
from labels.labeling.walking import walk
from labels.limiting import change_uses, change_uses_of
from labels.models import CanonicalLabel
from labels.opinions.due import blind_of_sheet, expect_open, is_blind
from labels.opinions.hiding import HidesBlindLabels
from labels.serializers import (
    AheadSerializer,
    CanonicalLabelSerializer,
    CanonicalLabelVersionSerializer,
    HeldSerializer,
    ImportedLabelsSerializer,
    ImportSerializer,
    LabelExportSerializer,
    RecordLabelSerializer,
    RestoreSerializer,
    TaskItemSerializer,
    WalkSerializer,
)
from workbench.api.lines import JSONLinesParser, spooled
from workbench.api.permissions import may
from workbench.problems import Conflict, Forbidden
from workbench.sheet_rights import need_work_on, visible_to

LIMITS = [IsAuthenticated, may(CHANGE_USES)]


class CanonicalLabelViewSet(HidesBlindLabels, ReadOnlyModelViewSet[CanonicalLabel]):
    """Expert ground truth: one label for an item and type of task."""

    queryset = CanonicalLabel.objects.all()
    serializer_class = CanonicalLabelSerializer
    filterset_fields = ["sheet", "item_ref", "label_type", "confidence", "labeled_by", "data_classification"]
    ordering = "-id"

    @extend_schema(
        request=RecordLabelSerializer,
        responses={
            201: CanonicalLabelSerializer,
            200: OpenApiResponse(CanonicalLabelSerializer, description="There was one"),
        },
    )
    def create(self, request: Request) -> Response:
        """Record a label on its key of sheet, item and label type: a new one, or a new version of the present one."""
        given = RecordLabelSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        wanted, began = dict(given.validated_data), timezone.now()
        sheet, template = wanted.pop("sheet_id"), wanted.pop("template_id")
        expect_open(sheet, wanted["label_type"], wanted["item_ref"], request.user)
        rights = rights_of(request.user)
        actor, seen = request.user.get_username(), wanted.pop("version")
        label = record_label(sheet=sheet, template=template, actor=actor, seen_version=seen, **wanted, **rights)
        let_go(sheet, label.label_type, label.item_ref, actor=actor)
        is_new = label.version == 1 and label.created_at >= began
        return Response(CanonicalLabelSerializer(label).data, status=201 if is_new else 200)

    @extend_schema(
        request=ChangeUsesSerializer,
        responses={200: CanonicalLabelSerializer, 409: OpenApiResponse(description="Nothing changes")},
    )
    @action(detail=True, methods=["post"], permission_classes=LIMITS)
    def uses(self, request: Request, **_: Any) -> Response:
        """Change what the label may be used for, with a reason; pairs made from it keep their own limits."""
        given = ChangeUsesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        reason, may_loosen = given.validated_data["reason"], request.user.has_perm(LOOSEN)
        actor = request.user.get_username()
        label = change_uses_of(self.get_object(), given.uses, reason, actor=actor, may_loosen=may_loosen)
        return Response(self.get_serializer(label).data)

    @extend_schema(
        operation_id="canonical_labels_uses_of_many",
        request=ChangeManyUsesSerializer,
        responses=UsesOutcomeSerializer,
        filters=False,
    )
    @action(detail=False, methods=["post"], url_path="uses", permission_classes=LIMITS, pagination_class=None)
    def uses_of_many(self, request: Request) -> Response:
        """Change what many labels may be used for, or say what would change."""
        given = ChangeManyUsesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted, visible = given.validated_data, visible_to(request.user, self.get_queryset())
        filterset = DjangoFilterBackend().get_filterset_class(self, visible)
        actor = request.user.get_username()

        def found() -> Any:
            return by_filter(filterset, visible, wanted["filter"], user=request.user)

        keys = chosen(visible, wanted.get("ids"), found, actor=actor)
        need_work_on(request.user, visible.filter(pk__among=keys))
        preview, may_loosen = wanted["preview"], request.user.has_perm(LOOSEN)
        outcome = change_uses(keys, given.uses, wanted["reason"], actor=actor, preview=preview, may_loosen=may_loosen)
        return Response(outcome_data(outcome, preview=preview))

    @extend_schema(responses=CanonicalLabelVersionSerializer(many=True), filters=False)
    @action(detail=True, ordering="-version")
    def versions(self, _request: Request, **_: Any) -> Response:
        """Return the label as it was after each change, the latest first."""
        versions: Any = self.get_object().versions.all()
        page: Any = self.paginate_queryset(versions)
        return self.get_paginated_response(CanonicalLabelVersionSerializer(page, many=True).data)

    @extend_schema(request=RestoreSerializer, responses=CanonicalLabelSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, **_: Any) -> Response:
        """Record an earlier version of the label again, as a new version."""
        given = RestoreSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        actor, rights = request.user.get_username(), rights_of(request.user)
        label = restore_version(self.get_object(), actor=actor, **given.validated_data, **rights)
        return Response(CanonicalLabelSerializer(label).data)

    @extend_schema(parameters=[AheadSerializer], responses=WalkSerializer, filters=False)
    @action(detail=False, pagination_class=None)
    def ahead(self, request: Request) -> Response:
        """Return the next items of a sheet to label; what others have on the screen is left out."""
        given = AheadSerializer(data=request.query_params, context={"request": request})
        given.is_valid(raise_exception=True)
        wanted = dict(given.validated_data)
        sheet, label_type = wanted.pop("sheet"), wanted.pop("label_type")
        actor = request.user.get_username()
        held = held_by_others(sheet, label_type, actor=actor)
        return Response(WalkSerializer(walk(sheet, label_type, **wanted, without=held, actor=actor)).data)

    @extend_schema(request=TaskItemSerializer, responses=HeldSerializer)
    @action(detail=False, methods=["post"])
    def hold(self, request: Request) -> Response:
        """Keep an item from other labelers for five minutes more; 409 where another has it. Returns its label's version."""
        given = TaskItemSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        sheet, label_type, item_ref = given.task
        try:
            hold(sheet, label_type, item_ref, actor=request.user.get_username())
        except Conflict as problem:
            if is_blind(sheet, label_type, item_ref, request.user):  # who has it may be who answered first
                raise Conflict(f"Somebody has {item_ref} on the screen: take another item.") from problem
            raise
        key = {"sheet_id": sheet.pk, "label_type": label_type, "item_ref": item_ref}
        version = CanonicalLabel.objects.filter(**key).values_list("version", flat=True).first()
        return Response({"version": version or 0})

    @extend_schema(request=TaskItemSerializer, responses={204: None})
    @action(detail=False, methods=["post"], url_path="let-go")
    def let_go(self, request: Request) -> Response:
        """Give an item back that the user has on the screen."""
        given = TaskItemSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        let_go(*given.task, actor=request.user.get_username())
        return Response(status=204)

    @extend_schema(
        parameters=[LabelExportSerializer],
        responses={
            (200, "application/jsonl"): OpenApiTypes.STR,
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "application/zip"): OpenApiTypes.BINARY,
            404: OpenApiResponse(description="No labels, or none with shapes"),
            409: OpenApiResponse(description="None that may be used so"),
        },
        filters=False,
    )
    @action(detail=False, pagination_class=None)
    def export(self, request: Request) -> StreamingHttpResponse:
        """Stream the labels of a sheet: one a line, or the shapes of a label type as COCO or YOLO.

        Left out are those that you may yet give a second opinion on.
        """
        given = LabelExportSerializer(data=request.query_params, context={"request": request})
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        sheet, use, form = wanted["sheet"], wanted["use"], FORMATS[wanted["format"]]
        if not use and not request.user.has_perm("labels.change_canonicallabel"):
            raise Forbidden("The whole record is for those who may change labels: name the use, such as use=training.")
        asked = (wanted["format"], sheet, wanted["label_type"], use)
        actor, blind = request.user.get_username(), blind_of_sheet(sheet, request.user)
        blocks = leaving(*asked, actor=actor, channel="api", blind=blind, head=request.method == "HEAD")
        response = StreamingHttpResponse(blocks, content_type=form.content_type)
        response["Content-Disposition"] = f"attachment; filename=canonical_labels_{sheet.pk}.{form.suffix}"
        response["X-Content-Type-Options"] = "nosniff"
        return response

    @extend_schema(
        operation_id="canonical_labels_import",
        parameters=[ImportSerializer],
        request={"application/jsonl": OpenApiTypes.BINARY},
        responses=ImportedLabelsSerializer,
        filters=False,
    )
    @action(detail=False, methods=["post"], url_path="import", pagination_class=None, parser_classes=[JSONLinesParser])
    def import_(self, request: Request) -> Response:
        """Record the labels of a JSONL body, or with `preview=true` say what would be done; refused lines are left out.

        With the `plan` of a preview nothing is written where labels or items changed since (409), and no line of which
        they change while this goes on.
        """
        given = ImportSerializer(data=request.query_params, context={"request": request})
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        sheet = wanted["sheet"]
        user = request.user
        terms = Terms(wanted["reason"], blind_of_sheet(sheet, user), **rights_of(user))
        with spooled(request.data, MOST_BYTES) as lines:
            if wanted["preview"]:
                done = preview_import(sheet, lines, terms)
            elif wanted["plan"]:

                def read() -> IO[bytes]:
                    lines.seek(0)
                    return lines

                done = import_previewed(sheet, read, terms, plan=wanted["plan"], actor=user.get_username())
            else:
                done = import_labels(sheet, lines, terms, actor=user.get_username())
        return Response(ImportedLabelsSerializer(done).data)
