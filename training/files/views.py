"""The API of training files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from training.actions.training_files import (
    add_conversations,
    archive_training_file,
    create_training_file,
    delete_training_file,
    expect_permitted,
    gather,
    rebuild_training_file,
    remove_conversations,
    restore_training_file,
    with_members,
)
from training.audited import file_left, file_refused
from training.files.building import Member
from training.files.choosing import Choice, suggestions
from training.files.filters import TrainingFileFilter
from training.files.naming import file_name
from training.files.seeing import file_seen, file_to_work_on, need_conversations
from training.files.serializers import (
    AddMatchingSerializer,
    AddSerializer,
    CreateSerializer,
    FileLinkSerializer,
    ShapeSerializer,
    SignedSerializer,
    SuggestionSerializer,
    SuggestSerializer,
    TrainingFileSerializer,
    WrappedSerializer,
    given_by,
)
from training.files.standing import standing_of
from training.links import asker_of, signature_of
from training.models import TrainingFile
from training.ranges import asked_part, no_part, part_response
from training.unchanged import open_unchanged
from workbench.api.paging import KeyCursorPagination
from workbench.api.permissions import may
from workbench.problems import Invalid, Problem

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
TYPES = {"json": "application/json", "jsonl": "application/jsonl"}


class FilePagination(KeyCursorPagination):
    """`{"next", "previous", "files"}`, the newest first."""

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.get_next_link(), "previous": self.get_previous_link(), "files": data})

    def get_paginated_response_schema(self, schema: Any) -> Any:
        found = super().get_paginated_response_schema(schema)
        properties = {("files" if name == "results" else name): each for name, each in found["properties"].items()}
        return {**found, "properties": properties, "required": ["files"]}


class HasSignature(BasePermission):
    """Who has a signed link needs no more, and `asker` of the view is who asked for it; Forbidden for all others."""

    def has_permission(self, request: Request, view: Any) -> bool:
        query = request.query_params
        view.asker = asker_of(query.get("signature", ""), named(view.kwargs["pk"], query.get("format", "")))
        return True


class TrainingFileViewSet(ReadOnlyModelViewSet[TrainingFile]):
    """Files of conversations to train on, as JSON and as JSONL."""

    asker: User

    queryset = TrainingFile.objects.all()
    serializer_class = TrainingFileSerializer
    filterset_class = TrainingFileFilter
    pagination_class = FilePagination

    def filter_queryset(self, queryset: Any) -> Any:
        return super().filter_queryset(queryset) if self.action == "list" else queryset.visible_to(self.request.user)

    def get_serializer(self, rows: Any = None, *args: Any, many: bool = False, **kwargs: Any) -> Any:
        """Return the serializer, which also tells of these rows what is being built and what has changed."""
        several = [] if rows is None else [*rows] if many else [rows]
        kwargs.setdefault("context", self.get_serializer_context())["standing"] = standing_of(several)
        return self.get_serializer_class()(rows, *args, many=many, **kwargs)

    @extend_schema(request=CreateSerializer, responses={201: WrappedSerializer})
    def create(self, request: Request) -> Response:
        """Create a training file with 1 to 80 conversations."""
        given = given_by(CreateSerializer, request.data)
        need_conversations(given["conversation_ids"], request.user)
        row = create_training_file(
            given["name"],
            given["conversation_ids"],
            description=given["description"],
            actor=request.user.get_username(),
        )
        return self._wrapped(row, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete the training file; its conversations stay."""
        file_to_work_on(pk, request.user)
        delete_training_file(pk, actor=request.user.get_username())
        return Response(status=204)

    @extend_schema(request=AddSerializer, responses=WrappedSerializer)
    @action(
        detail=True,
        methods=["post"],
        url_path="add-conversations",
        permission_classes=[IsAuthenticated, may("training.change_trainingfile")],
    )
    def add_conversations(self, request: Request, pk: str) -> Response:
        """Add 1 to 80 conversations, all or none."""
        given = given_by(AddSerializer, request.data)
        file_to_work_on(pk, request.user)
        need_conversations(given["conversation_ids"], request.user)
        row = add_conversations(pk, given["conversation_ids"], actor=request.user.get_username())
        return self._wrapped(row)

    @extend_schema(request=AddMatchingSerializer, responses=WrappedSerializer)
    @action(
        detail=True,
        methods=["post"],
        url_path="add-matching",
        permission_classes=[IsAuthenticated, may("training.change_trainingfile")],
    )
    def add_matching(self, request: Request, pk: str) -> Response:
        """Add any number of conversations by quality and scaffolding, those first that balance the file best."""
        given = given_by(AddMatchingSerializer, request.data)
        limit = given.pop("limit")
        row = file_to_work_on(pk, request.user)
        found = [each["id"] for each in suggestions(row, Choice(**given), limit, user=request.user)]
        if not found:
            raise Invalid("No conversation that is not in the file fits: import more, or widen the choice.")
        return self._wrapped(gather(pk, found, actor=request.user.get_username()))

    @extend_schema(request=AddSerializer, responses=WrappedSerializer)
    @action(
        detail=True,
        methods=["post"],
        url_path="remove-conversations",
        permission_classes=[IsAuthenticated, may("training.change_trainingfile")],
    )
    def remove_conversations(self, request: Request, pk: str) -> Response:
        """Take 1 to 80 conversations out of the file."""
        given = given_by(AddSerializer, request.data)
        file_to_work_on(pk, request.user)
        row = remove_conversations(pk, given["conversation_ids"], actor=request.user.get_username())
        return self._wrapped(row)

    @extend_schema(request=None, responses=WrappedSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated, may("training.change_trainingfile")])
    def rebuild(self, request: Request, pk: str) -> Response:
        """Build the file anew, of the same conversations as they are now."""
        file_to_work_on(pk, request.user)
        return self._wrapped(rebuild_training_file(pk, actor=request.user.get_username()))

    @extend_schema(request=None, responses=WrappedSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated, may("training.change_trainingfile")])
    def archive(self, request: Request, pk: str) -> Response:
        """Take the file off the list of active ones; it can be downloaded, but not changed."""
        file_to_work_on(pk, request.user)
        return self._wrapped(archive_training_file(pk, actor=request.user.get_username()))

    @extend_schema(request=None, responses=WrappedSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated, may("training.change_trainingfile")])
    def restore(self, request: Request, pk: str) -> Response:
        """Make an archived file active again."""
        file_to_work_on(pk, request.user)
        return self._wrapped(restore_training_file(pk, actor=request.user.get_username()))

    @extend_schema(parameters=[SuggestSerializer], responses=SuggestionSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def suggestions(self, request: Request, pk: str) -> Response:
        """List conversations that would balance personas, arcs and topics of the file, the best first."""
        given = given_by(SuggestSerializer, request.query_params.dict())
        limit = given.pop("limit")
        found: Any = suggestions(file_seen(pk, request.user), Choice(**given), limit, user=request.user)
        return Response(SuggestionSerializer(found, many=True).data)

    @extend_schema(parameters=[ShapeSerializer], responses=FileLinkSerializer, filters=False)
    # It lets data out, so it needs the right to export.
    @action(detail=True, pagination_class=None, permission_classes=[IsAuthenticated, may("training.add_export")])
    def download(self, request: Request, pk: str) -> Response:
        """Return a link that opens the file for an hour."""
        shape = given_by(ShapeSerializer, request.query_params.dict())["format"]
        row, members = with_members(partial(file_to_work_on, pk, request.user))
        actor = request.user.get_username()
        try:
            expect_permitted([member.as_built for member in members])
        except Problem as problem:
            file_refused(row, shape, problem.message, actor=actor, channel="link")
            raise
        signature = signature_of(named(row.pk, shape), actor)
        path = f"{reverse('trainingfile-content', args=[row.pk])}?format={shape}&signature={signature}"
        link = {"download_url": request.build_absolute_uri(path), "filename": file_name(row.name, shape)}
        return Response({**link, "expires_in_seconds": settings.EXPORT_LINK_SECONDS})

    @extend_schema(
        parameters=[SignedSerializer],
        responses={
            (200, "application/jsonl"): OpenApiTypes.STR,
            (200, "application/json"): OpenApiTypes.STR,
            (206, "application/jsonl"): OpenApiTypes.STR,
            (206, "application/json"): OpenApiTypes.STR,
            416: OpenApiResponse(description="The file has no such bytes"),
            403: OpenApiResponse(description="The link has expired or is none"),
        },
        filters=False,
        auth=[],
    )
    @action(detail=True, pagination_class=None, permission_classes=[HasSignature])
    def content(self, request: Request, pk: str) -> HttpResponseBase:
        """Stream the file, or a range of it, that a signed link names, as it is now, while who asked for the link may work on all of it."""
        shape, head = request.query_params["format"], request.method == "HEAD"
        row, members = with_members(partial(file_to_work_on, pk, self.asker))
        asked: dict[str, Any] = {"actor": self.asker.get_username(), "channel": "link", "head": head}
        return file_response(row, members, shape, **asked, headers=request.headers)

    def _wrapped(self, row: TrainingFile, status: int = 200) -> Response:
        return Response({"trainingFile": self.get_serializer(row).data}, status=status)


def file_response(
    row: TrainingFile,
    members: Sequence[Member],
    shape: str,
    *,
    actor: str,
    channel: str,
    head: bool = False,
    headers: Mapping[str, str] = NO_HEADERS,
) -> HttpResponseBase:
    """Return one shape of the file as a download, or the range that the headers ask for, which API and admin share.

    `members` are all its conversations. Conflict where it may not leave now, or has other bytes than it was built with; raises
    what `open_unchanged` does. All leave a row of the audit: what leaves does so before its first byte. Asking for the `head`
    alone takes nothing.
    """
    path, digest, size = (getattr(row, f"{shape}_{name}") for name in ("file_path", "sha256", "file_size"))
    part = asked_part(NO_HEADERS if head else headers, digest, size)
    try:
        expect_permitted([member.as_built for member in members])
        file = open_unchanged(path, digest, "build it anew")
    except Problem as problem:
        file_refused(row, shape, problem.message, actor=actor, channel=channel)
        raise
    if not part.is_there:
        file.close()
        return no_part(part, digest)
    if not head:
        file_left(row, shape, actor=actor, channel=channel)
    response = part_response(file, part, digest, TYPES[shape])
    response["Content-Disposition"] = content_disposition_header(True, file_name(row.name, shape))
    response["X-Content-Type-Options"] = "nosniff"
    return response


def named(training_file_id: str, shape: str) -> Sequence[str]:
    """Return the words by which a link names one shape of a training file."""
    return ("training file", training_file_id, shape)
