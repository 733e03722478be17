"""Which Delta tables this engine reads and writes: judged by what a table uses, not by what it declares."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from . import errors
from .datatypes import to_sql
from .names import TableName

if TYPE_CHECKING:
    from .snapshot import Column, Snapshot

_READER_FEATURES = {"timestampNtz"}
_WRITER_FEATURES = _READER_FEATURES | {"appendOnly", "invariants", "checkConstraints", "changeDataFeed"}
_VARIANT = re.compile(r'"(?:type|elementType|keyType|valueType)":\s*"variant"')
_COMPUTED = ("delta.generationExpression", "delta.identity.")
_ADVICE = {
    "deletionVectors": "Where it is written, set 'delta.enableDeletionVectors' = 'false' and purge it (REORG TABLE … APPLY (PURGE)).",
    "columnMapping": "Write it anew with 'delta.columnMapping.mode' = 'none'.",
    "changeDataFeed": "Write it with the tool that reads the feed, or set 'delta.enableChangeDataFeed' = 'false' there.",
}


def check_readable(name: TableName, delta: DeltaTable) -> None:
    """NotSupportedError where a plain reading of the files would answer wrongly."""
    protocol = delta.protocol()
    declared = set(protocol.reader_features or ()) | ({"columnMapping"} if protocol.min_reader_version == 2 else set())
    _refuse(name, "reader", (feature for feature in declared - _READER_FEATURES if _used(feature, delta)))


def check_writable(snapshot: Snapshot) -> None:
    """NotSupportedError where the table demands of its writers what this engine does not do."""
    delta = snapshot.delta
    declared = set(delta.protocol().writer_features or ())
    refused = {feature for feature in declared - _WRITER_FEATURES if _used(feature, delta)}
    if snapshot.properties.get("delta.enableChangeDataFeed") == "true":
        refused.add("changeDataFeed")
    if any(key.startswith(_COMPUTED) for column in snapshot.columns for key in column.metadata):
        refused.add("generatedColumns")
    _refuse(snapshot.name, "writer", refused)
    for column in snapshot.columns:
        if column.name in snapshot.partitioned_by:
            check_partition(snapshot.name, column)


def check_partition(name: TableName, column: Column) -> None:
    """NotSupportedError for a partition column whose values other readers would take for others."""
    if column.type == "binary" or not isinstance(column.type, str):
        raise errors.NotSupportedError(
            f"Found {column.name} of type {to_sql(column.type)} as a partition of {name}; the local engine writes "
            "partitions by text, numbers, booleans, dates and times."
        )


def _used(feature: str, delta: DeltaTable) -> bool:
    """Whether something in the table makes use of a feature: delta-rs itself declares variantType for no variant."""
    if feature == "columnMapping":
        return bool(delta.metadata().configuration.get("delta.columnMapping.mode", "none") != "none")
    if feature.startswith("variantType"):
        return bool(_VARIANT.search(delta.schema().to_json()))
    if feature == "deletionVectors":
        return _has_deletion_vectors(delta)
    return True


def _has_deletion_vectors(delta: DeltaTable) -> bool:
    try:
        return any(batch.num_rows for batch in delta.deletion_vectors())
    except DeltaError:  # it names one that cannot be read
        return True


def _refuse(name: TableName, side: str, features: Iterable[str]) -> None:
    found = sorted(features)
    if not found:
        return
    advice = [_ADVICE.get(feature, f"Write it anew without {feature}.") for feature in found]
    raise errors.NotSupportedError(
        f"The table {name} uses the {side} features {', '.join(found)}, which the local engine does not know. "
        + " ".join(advice)
    )
