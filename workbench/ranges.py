"""One range of bytes of a file, as HTTP asks for it (RFC 9110, chapter 14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

BLOCK = 64 * 1024
RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.ASCII)


def part_of(wanted: str, size: int) -> tuple[int, int] | None:
    """Return first and last byte of a `Range` header (RFC 9110, 14.2); first > last where it lies behind the end.

    None, which means the whole file, for no header and for what is not one range of bytes, which servers may ignore.
    """
    match = RANGE.fullmatch(wanted.strip())
    if match is None:
        return None
    if match[3]:
        return (max(size - int(match[3]), 0) if int(match[3]) else size, size - 1)
    first, last = int(match[1]), int(match[2]) if match[2] else size - 1
    if match[2] and last < first:
        return None
    return (first, min(last, size - 1)) if first < size else (size, size - 1)


class Blocks:
    """The bytes of a part in blocks; closes the file when the response is closed."""

    def __init__(self, opened: BinaryIO, first: int, count: int) -> None:
        self.opened, self.left = opened, count
        opened.seek(first)

    def __iter__(self) -> Iterator[bytes]:
        while self.left > 0 and (block := self.opened.read(min(BLOCK, self.left))):
            self.left -= len(block)
            yield block

    def close(self) -> None:
        self.opened.close()
