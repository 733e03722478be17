"""Parts of a kept file, for readers whose connection broke (RFC 9110, chapter 14): one range, and none while it changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from workbench.ranges import Blocks, part_of


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes from `start` up to but without `end` of a file; of a `whole` file nobody asked for a part."""

    start: int
    end: int
    size: int
    whole: bool = False

    @property
    def is_there(self) -> bool:
        """Whether the file has such bytes."""
        return self.whole or self.start < self.end


def asked_part(headers: Mapping[str, str], sha256: str, size: int) -> Part:
    """Return the part that a request asks for; all of it where it asks for none, for several, or for one of another file."""
    is_same = headers.get("If-Range", _tag(sha256)) == _tag(sha256)
    found = part_of(headers.get("Range", ""), size) if is_same else None
    return Part(found[0], found[1] + 1, size) if found else Part(0, size, size, whole=True)


def part_response(file: BinaryIO, part: Part, sha256: str, content_type: str) -> StreamingHttpResponse:
    """Return a part of an opened file: 206, or 200 where it is the whole."""
    status, length = 200 if part.whole else 206, part.end - part.start
    response = StreamingHttpResponse(Blocks(file, part.start, length), status=status, content_type=content_type)
    response["Content-Length"] = str(length)
    if not part.whole:
        response["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{part.size}"
    _say(response, sha256)
    return response


def no_part(part: Part, sha256: str) -> HttpResponse:
    """Return 416 for a part that the file does not have."""
    response = HttpResponse(status=416)
    response["Content-Range"] = f"bytes */{part.size}"
    _say(response, sha256)
    return response


def _say(response: HttpResponseBase, sha256: str) -> None:
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = _tag(sha256)
    # Whoever has the link may read it within its hour, and no cache on the way after that.
    response["Cache-Control"] = "private, no-store"


def _tag(sha256: str) -> str:
    return f'"{sha256}"'
