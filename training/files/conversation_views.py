"""The API of conversations."""

from __future__ import annotations

from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from governance.changing import CHANGE_USES, LOOSEN
from governance.serializers import ChangeUsesSerializer
from sheets.hidden_sources import need_file
from training.actions.conversation_changes import change_uses_of, delete_conversation
from training.actions.conversations import Limits, conversations_from, import_conversations, import_from_volume
from training.files.filters import ConversationFilter
from training.files.serializers import (
    ConversationSerializer,
    FromSheetMadeSerializer,
    FromSheetSerializer,
    ImportedConversationsSerializer,
    ImportSerializer,
    given_by,
)
from training.models import Conversation, TrainingSheet
from workbench.api.lines import TooLarge
from workbench.api.permissions import may
from workbench.problems import Invalid
from workbench.sheet_rights import need_work


class ConversationViewSet(ReadOnlyModelViewSet[Conversation]):
    """Enriched conversations."""

    queryset = Conversation.objects.all()
    serializer_class = ConversationSerializer
    filterset_class = ConversationFilter

    def get_permissions(self) -> Any:
        """Who may import, which replaces any of them, may delete one as well."""
        deletes = [IsAuthenticated(), may("training.add_conversation")()]
        return deletes if self.action == "destroy" else super().get_permissions()

    @extend_schema(responses={204: None, 409: OpenApiResponse(description="A training file holds it")})
    def destroy(self, request: Request, **_: Any) -> Response:
        """Delete the conversation, which is in no training file."""
        delete_conversation(self.get_object().pk, actor=request.user.get_username())
        return Response(status=204)

    @extend_schema(
        request=ChangeUsesSerializer,
        responses={
            200: ConversationSerializer,
            409: OpenApiResponse(description="Made from a pair, or nothing changes"),
        },
    )
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated, may(CHANGE_USES)])
    def uses(self, request: Request, **_: Any) -> Response:
        """Change what an imported conversation may be used for, with a reason; the gate asks it from now on."""
        given = ChangeUsesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        reason, may_loosen = given.validated_data["reason"], request.user.has_perm(LOOSEN)
        actor = request.user.get_username()
        row = change_uses_of(self.get_object().pk, given.uses, reason, actor=actor, may_loosen=may_loosen)
        return Response(ConversationSerializer(row).data)

    @extend_schema(request=ImportSerializer, responses={201: ImportedConversationsSerializer}, filters=False)
    @action(detail=False, methods=["post"], url_path="import", pagination_class=None)
    def import_(self, request: Request) -> Response:
        """Import conversations, all or none; one that is there already is replaced."""
        given = given_by(ImportSerializer, _sent(request))
        limits = Limits(given["prohibited_uses"], given["usage_reason"], given["data_classification"])
        options: Any = {"actor": request.user.get_username(), "batch_id": given["batch_id"], "limits": limits}
        if given["paths"]:
            for path in given["paths"]:
                need_file(request.user, path)
            batch, ids = import_from_volume(given["paths"], **options)
        else:
            batch, ids = import_conversations([("", orjson.dumps(given["conversations"]))], **options)
        return Response({"batch_id": batch, "conversation_ids": ids}, status=201)

    @extend_schema(request=FromSheetSerializer, responses={201: FromSheetMadeSerializer}, filters=False)
    @action(detail=False, methods=["post"], url_path="from-training-sheet", pagination_class=None)
    def from_training_sheet(self, request: Request) -> Response:
        """Make a conversation of each pair of an approved training sheet that may be trained on."""
        given = given_by(FromSheetSerializer, request.data)
        seen = TrainingSheet.objects.visible_to(request.user).select_related("sheet", "template")
        found = seen.filter(pk=given["training_sheet"]).first()
        if found is None:
            words = f"There is no training sheet {given['training_sheet']}."
            raise Invalid.of_fields("Nothing was made.", {"training_sheet": [words]})
        need_work(request.user, found)
        batch, ledger = conversations_from(found, actor=request.user.get_username(), scaffolding=given["scaffolding"])
        return Response({"batch_id": batch, **ledger.summary()}, status=201)


def _sent(request: Request) -> Any:
    try:
        return request.data
    except RequestDataTooBig as error:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raise TooLarge(
            f"The import is too large: send at most {most:,} bytes, or put it as a file of any size into a volume, and send its path "
            'as `{"paths": ["/Volumes/…"]}`.'
        ) from error
