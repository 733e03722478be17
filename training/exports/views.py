"""The API of exports: what would leave, the file, what left."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from training.actions.export import OpenExport, check_export, expect_some, export_summary, open_export
from training.actions.kept_exports import fetch, link_to, named, options_of_row, start_export
from training.exports.formats import FORMATS
from training.exports.manifest import text_of
from training.exports.options import Options
from training.exports.serializers import (
    CheckOptionsSerializer,
    ExportChecksSerializer,
    ExportOptionsSerializer,
    ExportSerializer,
    ExportStartedSerializer,
    ExportSummarySerializer,
    KeptExportSerializer,
    LinkSerializer,
    SignatureSerializer,
)
from training.links import asker_of
from training.models import Export
from training.ranges import asked_part, no_part, part_response
from workbench.api.permissions import may
from workbench.problems import NotFound
from workbench.sheet_rights import need_work

R = TypeVar("R", bound=StreamingHttpResponse)

# An export is a row of its own, so who exports needs the right to add one, as in the admin.
EXPORTS = [IsAuthenticated, may("training.add_export")]
NOTHING = OpenApiResponse(description="Nothing to export, or not by what was asked for")


class HoldsLink(BasePermission):
    """Lets whoever has a signed link to the export in, signed in or not; `asker` of the view is who asked for it."""

    def has_permission(self, request: Request, view: Any) -> bool:
        view.asker = asker_of(request.query_params.get("signature", ""), named(view.kwargs["pk"]))
        return True


class Exporting:
    """What a training sheet's view set does about exports."""

    get_object: Any

    @extend_schema(
        parameters=[ExportOptionsSerializer],
        responses={
            (200, "application/jsonl"): OpenApiTypes.STR,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY,
            409: NOTHING,
        },
        filters=False,
    )
    @action(detail=True, url_path="export/jsonl", pagination_class=None, permission_classes=EXPORTS)
    def export_jsonl(self, request: Request, pk: str) -> StreamingHttpResponse:
        """Stream the approved and allowed pairs in a format, chat lines by default."""
        training_sheet, options = self.get_object(), ExportOptionsSerializer.options(request.query_params)
        who: dict[str, Any] = {"actor": request.user.get_username(), "channel": "api"}
        if request.method == "HEAD":
            expect_some(training_sheet, options, **who)
            return _download(StreamingHttpResponse(()), training_sheet.pk, options)
        return file_response(open_export(training_sheet, options, **who))

    @extend_schema(parameters=[ExportOptionsSerializer], responses=ExportSummarySerializer, filters=False)
    @action(detail=True, url_path="export/summary", pagination_class=None)
    def export_summary(self, request: Request, pk: str) -> Response:
        """Say what an export would write, and why the rest would stay."""
        options = ExportOptionsSerializer.options(request.query_params)
        return Response(export_summary(self.get_object(), options))

    @extend_schema(parameters=[CheckOptionsSerializer], responses=ExportChecksSerializer, filters=False)
    @action(detail=True, url_path="export/checks", pagination_class=None)
    def export_checks(self, request: Request, pk: str) -> Response:
        """Look at what an export would write: tokens, duplicates, balance, broken-off answers, a trainer's limits."""
        given = CheckOptionsSerializer(data=request.query_params)
        given.is_valid(raise_exception=True)
        most = given.validated_data.pop("max_tokens", None)
        options = ExportOptionsSerializer.options(given.validated_data)
        return Response(check_export(self.get_object(), options, max_tokens=most))

    @extend_schema(
        request=ExportOptionsSerializer,
        responses={201: KeptExportSerializer, 202: ExportStartedSerializer, 409: NOTHING},
    )
    @action(detail=True, methods=["post"], permission_classes=EXPORTS)
    def exports(self, request: Request, pk: str) -> Response:
        """Export into a volume: at once up to 10,000 pairs, more by a job whose id is in the answer."""
        options = ExportOptionsSerializer.options(request.data)
        export, run = start_export(self.get_object(), options, actor=request.user.get_username(), channel="api")
        if run:
            where = {"Location": reverse("jobrun-detail", args=[run.pk])}
            started = {"job_id": run.pk, "export_id": run.asked["export_id"]}
            return Response(ExportStartedSerializer(started).data, status=202, headers=where)
        assert export is not None  # noqa: S101 - for the types: one of the two
        link = LinkSerializer(link_to(export, actor=request.user.get_username())).data
        return Response({**ExportSerializer(export).data, "link": link}, status=201)


class ExportViewSet(ReadOnlyModelViewSet[Export]):
    asker: User

    queryset = Export.objects.all()
    serializer_class = ExportSerializer
    filterset_fields = ["training_sheet", "use", "split", "format", "created_by"]

    @extend_schema(responses={(200, "application/json"): OpenApiTypes.OBJECT}, filters=False)
    @action(detail=True, pagination_class=None, permission_classes=EXPORTS)
    def manifest(self, request: Request, pk: str) -> StreamingHttpResponse:
        """Stream the manifest: the pair of each line with its versions and digest, rules, counts, the file's digest."""
        return manifest_response(self.get_object())

    @extend_schema(request=None, responses={200: LinkSerializer, 404: OpenApiResponse(description="Not kept")})
    @action(detail=True, methods=["post"], permission_classes=EXPORTS)
    def link(self, request: Request, pk: str) -> Response:
        """Give a link to the kept file for an hour, after the gates were asked again for every pair in it."""
        return Response(LinkSerializer(link_to(self.get_object(), actor=request.user.get_username())).data)

    @extend_schema(
        parameters=[SignatureSerializer],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            416: OpenApiResponse(description="The file has no such bytes"),
        },
        filters=False,
    )
    @action(detail=True, pagination_class=None, permission_classes=[HoldsLink])
    def download(self, request: Request, pk: str) -> HttpResponseBase:
        """Stream a kept file, or a range of it, to whoever has a link that holds, while who asked for it may work on it and all may leave."""
        export = get_object_or_404(Export.objects.visible_to(self.asker), pk=pk)
        need_work(self.asker, export)
        is_head, options = request.method == "HEAD", options_of_row(export)
        # A range is of what is sent, which is nothing for a head.
        part = asked_part({} if is_head else request.headers, export.sha256, export.size_bytes)
        file = fetch(export, actor=self.asker.get_username(), head=is_head or not part.is_there)
        if not part.is_there:
            file.close()
            return no_part(part, export.sha256)
        response = part_response(file, part, export.sha256, FORMATS[options.format].content_type)
        return _download(response, export.training_sheet_id, options)


def file_response(export: OpenExport) -> StreamingHttpResponse:
    """Return the export as a download, which API and admin share."""
    response = _download(StreamingHttpResponse(iter(export)), export.training_sheet.pk, export.run.options)
    response["X-Export-Id"] = export.export_id
    return response


def manifest_response(export: Export) -> StreamingHttpResponse:
    """Return the manifest of an export as a download, which API and admin share; NotFound for ground truth, which has none."""
    if not export.manifest_sha256:
        raise NotFound(f"The export {export.pk} has no manifest: its format is {export.format}.")
    name = f"{options_of_row(export).file_name(export.training_sheet_id)}.manifest.json"
    return _attached(StreamingHttpResponse(text_of(export.pk), content_type="application/json"), name)


def _download(response: R, training_sheet_id: str, options: Options) -> R:
    response["Content-Type"] = FORMATS[options.format].content_type
    return _attached(response, options.file_name(training_sheet_id))


def _attached(response: R, name: str) -> R:
    response["Content-Disposition"] = f"attachment; filename={name}"
    response["X-Content-Type-Options"] = "nosniff"
    return response
