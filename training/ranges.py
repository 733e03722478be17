"""Parts of a kept file, for readers whose connection broke (RFC 9110, chapter 14): one range, and none while it changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase

RANGE = re.compile(r"bytes=(\d*)-(\d*)")


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
    found = RANGE.fullmatch(headers.get("Range", "").replace(" ", ""))
    is_same = headers.get("If-Range", _tag(sha256)) == _tag(sha256)
    if found is None or not is_same or not any(found.groups()):
        return Part(0, size, size, whole=True)
    first, last = found.groups()
    if not first:
        return Part(max(0, size - int(last)), size, size)
    return Part(int(first), min(size, int(last) + 1) if last else size, size)


def part_response(file: BinaryIO, part: Part, sha256: str, content_type: str) -> FileResponse:
    """Return a part of an opened file: 206, or 200 where it is the whole."""
    file.seek(part.start)
    status = 200 if part.whole else 206
    response = FileResponse(_Reader(file, part.end - part.start), status=status, content_type=content_type)
    response["Content-Length"] = str(part.end - part.start)
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


class _Reader:
    """Reads so many bytes of a file from where it is."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left = file, size
        self.close = file.close

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data
