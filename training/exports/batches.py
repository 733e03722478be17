"""What passes from the gates to a writer, and from there to file and manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from training.exports.shapes import Record


@dataclass(frozen=True, slots=True)
class Kept:
    """Records that leave, in order, or their lines, where these are written already.

    A row of `pairs` for each has its identity, and what else the format reads.
    """

    records: Sequence[Record]
    pairs: pa.Table
    lines: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes of the file, and the lines whose records they are; what a table holds beside its rows has no lines.

    A line is what its digest is taken of: in a table of columns, the chat line of the row's messages.
    """

    data: bytes
    lines: Sequence[bytes]
    pairs: pa.Table
