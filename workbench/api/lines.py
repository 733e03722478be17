"""Bodies of the API that are JSON lines: read as they come, kept on disk, never whole in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from rest_framework.parsers import BaseParser

from workbench.problems import Problem

IN_MEMORY = 1024 * 1024
BLOCK = 64 * 1024


class TooLarge(Problem):
    """More was sent than is taken."""

    code = "too_large"
    status = 413


class JSONLinesParser(BaseParser):
    """Leaves the body unread: `request.data` is its stream, or empty where there is none."""

    media_type = "application/jsonl"

    def parse(self, stream: Any, _media_type: Any = None, _context: Any = None) -> Any:
        return stream


@contextmanager
def spooled(body: Any, most: int) -> Iterator[IO[bytes]]:
    """Give a body as a file that can be read twice; TooLarge where it has more than `most` bytes."""
    # Of an empty body the framework makes an empty dict, without asking the parser.
    stream, size = body or BytesIO(), 0
    with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        while block := stream.read(BLOCK):
            size += len(block)
            if size > most:
                raise TooLarge(f"The body is too large: send at most {most:,} bytes, or several requests.")
            file.write(block)
        file.seek(0)
        yield file
