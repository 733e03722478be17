"""Files of volumes over HTTP: signed in, same origin, in parts, and never run by the browser as a page of ours."""

from __future__ import annotations

import mimetypes
from typing import BinaryIO

from django.http import JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from sheets.hidden_sources import need_file
from sheets.volume import FileState
from sheets.volumes import open_path
from workbench.api.errors import body
from workbench.ranges import Blocks, part_of

# What a browser shows without running it; HTML, SVG and XML are not among them and are saved instead.
SHOWN = frozenset({"application/pdf", "text/plain", "text/csv", "application/json"})
SHOWN_IMAGES = frozenset(f"image/{kind}" for kind in ("jpeg", "png", "gif", "webp", "avif", "bmp", "tiff"))


class FileView(APIView):
    """One file of a volume."""

    @extend_schema(
        operation_id="file",
        parameters=[
            OpenApiParameter("path", OpenApiTypes.STR, OpenApiParameter.PATH, description="Volumes/c/s/v/file"),
            OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="One range of bytes."),
        ],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="Not changed since the `ETag` that was sent."),
            416: OpenApiResponse(description="The range lies behind the file's end."),
        },
    )
    def get(self, request: Request, path: str) -> HttpResponseBase:
        """Return the file, or with `Range` the part of it; 404 where it does not exist, 400 outside its volume."""
        need_file(request.user, path)
        volume, file = open_path("/" + path.lstrip("/"))
        state = volume.state(file)
        etag = f'"{state.modified_ns:x}-{state.size:x}"'
        changed = state.modified_ns // 1_000_000_000
        answer: HttpResponseBase | None = get_conditional_response(request._request, etag, changed)
        if answer is None:
            answer = _part(request, volume.open(file), state, etag)
            _describe(answer, file)
        answer.headers.setdefault("ETag", etag)
        answer["Last-Modified"] = http_date(changed)
        answer["Cache-Control"] = "private, no-cache"
        answer["X-Frame-Options"] = "SAMEORIGIN"  # our own screens show a PDF in a frame
        answer["Cross-Origin-Resource-Policy"] = "same-origin"
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


def _part(request: Request, opened: BinaryIO, state: FileState, etag: str) -> HttpResponseBase:
    # A part of an older version of the file would not fit what the caller holds.
    wanted = request.headers.get("Range", "") if request.headers.get("If-Range", etag) == etag else ""
    part = part_of(wanted, state.size)
    first, last = part or (0, state.size - 1)
    if part and first > last:
        opened.close()
        return _unsatisfiable(wanted, state.size)
    answer = StreamingHttpResponse(Blocks(opened, first, last - first + 1), status=206 if part else 200)
    answer["Content-Length"] = str(last - first + 1)
    answer["Accept-Ranges"] = "bytes"
    if part:
        answer["Content-Range"] = f"bytes {first}-{last}/{state.size}"
    return answer


def _unsatisfiable(wanted: str, size: int) -> JsonResponse:
    words = f"Found the range {wanted!r}, but the file has {size:,} bytes: ask for bytes before its end."
    answer = JsonResponse(body("range_not_satisfiable", words), status=416)
    answer["Content-Range"] = f"bytes */{size}"
    return answer


def _describe(answer: HttpResponseBase, file: str) -> None:
    if answer.status_code not in (200, 206):
        return
    kind, packed = mimetypes.guess_type(file)
    kind = "application/octet-stream" if kind is None or packed else kind
    shown = kind in SHOWN or kind in SHOWN_IMAGES or kind.startswith(("audio/", "video/"))
    answer["Content-Type"] = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    answer["Content-Disposition"] = content_disposition_header(not shown, file.rpartition("/")[2]) or "attachment"
    if not shown:
        answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
