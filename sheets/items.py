from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.canonical import canonical_bytes


@dataclass(frozen=True)
class FileStamp:
    """What tells one state of a volume's file from another without reading it; size in bytes, the store's etag."""

    name: str
    size: int
    etag: str | None = None


def content_hash(row: Mapping[str, Any], files: Sequence[FileStamp] = ()) -> str:
    """SHA-256 (hex) of an item's row and files: the same source gives the same hash, a change of either another one.

    Files count by name, size and etag. Their bytes are not read, which for a sheet of PDFs would cost its whole volume;
    their times are left out, because copying a volume changes them and nothing else. Order of columns and files is not
    part of it. Not-a-number in a FLOAT column is hashed as the text "NaN".
    """
    stamps = sorted((stamp.name, stamp.size, stamp.etag or "") for stamp in files)
    try:
        text = canonical_bytes([row, stamps])
    except ValueError:
        text = canonical_bytes([_without_nan(row), stamps])
    return hashlib.sha256(text).hexdigest()


def sample_key(item_ref: str, seed: str) -> str:
    """Where an item stands in the sample order: the items with the n smallest keys are the sample of n.

    A bigger sample therefore holds every smaller one of the same seed. Equals `sample_key_sql` on the lakehouse.
    """
    return hashlib.sha256(f"{seed}{item_ref}".encode()).hexdigest()


def sample_key_sql(item_ref_sql: str, seed_marker: str = "?") -> str:
    """`sample_key` as Databricks SQL over an expression that gives the item_ref; the seed is bound to the marker."""
    return f"sha2(concat({seed_marker}, CAST({item_ref_sql} AS STRING)), 256)"


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return value
