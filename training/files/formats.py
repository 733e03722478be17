"""The two shapes of a training file, format 4.0.0: one JSON document, and JSONL with a line for each answer.

Both are written conversation by conversation, each checked against the schema before its bytes exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson

from training.files.checking import first_problem
from training.files.quality import percentage
from training.models.conversations import SCAFFOLDING
from workbench.problems import Conflict

VERSION, SPEC = "4.0.0", "brightrun-lora-v4"
LINE = (
    "id", "conversation_id", "turn_number", "conversation_metadata", "system_prompt", "conversation_history",
    "current_user_input", "emotional_context", "target_response", "training_metadata",
)  # fmt: skip

Row = Mapping[str, Any]


def file_metadata(name: str, created: datetime, updated: datetime, vertical: str, totals: Row) -> dict[str, Any]:
    """Return `training_file_metadata`; `totals` as `training.files.quality.totals` gives them."""
    quality = {f"{bound}_quality_score": totals[f"{bound}_quality_score"] for bound in ("avg", "min", "max")}
    reviewed, pairs = totals["human_reviewed_count"], totals["total_training_pairs"]
    return checked(
        "metadata",
        {
            "file_name": name,
            "version": VERSION,
            "created_date": zulu(created),
            "last_updated": zulu(updated),
            "format_spec": SPEC,
            "vertical": vertical,
            "total_conversations": totals["conversation_count"],
            "total_training_pairs": pairs,
            "quality_summary": quality
            | {"human_reviewed_count": reviewed, "human_reviewed_percentage": percentage(reviewed, pairs)},
            "scaffolding_distribution": totals["scaffolding_distribution"],
        },
    )


def opening(metadata: Row, profile: Row) -> bytes:
    """Return the JSON document up to its first conversation."""
    head = orjson.dumps({"training_file_metadata": metadata, "consultant_profile": profile})
    return head[:-1] + b',"conversations":['


CLOSING = b"]}\n"


def first_line(name: str, pairs: int) -> bytes:
    """Return the first line of the JSONL, which says what the file is."""
    meta = {"_meta": {"file_name": name, "total_pairs": pairs, "version": VERSION}}
    return orjson.dumps(checked("meta_line", meta), option=orjson.OPT_APPEND_NEWLINE)


def conversation_object(row: Row, document: Row) -> dict[str, Any]:
    """Return a conversation as the JSON document holds it, from its row and its enriched file."""
    metadata = {
        "conversation_id": row["id"],
        "source_file": row["source_file"],
        "created_date": row["created_date"].isoformat(),
        "total_turns": row["total_turns"],
        "quality_tier": row["quality_tier"],
        "batch_id": row["batch_id"],
        "scaffolding": {name: row[name] for name in SCAFFOLDING},
    }
    return checked(
        "conversation", {"conversation_metadata": metadata, "training_pairs": document["training_pairs"]}, row["id"]
    )


def lines(conversation: Row) -> Iterator[bytes]:
    """Yield a line for each training pair of a conversation object that has an answer."""
    metadata = conversation["conversation_metadata"]
    defaults = {
        "conversation_id": metadata["conversation_id"],
        "conversation_metadata": metadata,
        "emotional_context": {},
        "training_metadata": {},
    }
    for pair in conversation["training_pairs"]:
        if pair.get("target_response") is not None:
            whole = defaults | pair | {"conversation_id": metadata["conversation_id"]}
            line = checked("line", {name: whole.get(name) for name in LINE}, metadata["conversation_id"])
            yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def checked(part: str, value: dict[str, Any], whose: str = "") -> dict[str, Any]:
    """Return the value; Conflict where it does not fit its part of the schema."""
    if problem := first_problem(part, value):
        where = f"The conversation {whose}" if whose else "The training file"
        raise Conflict(f"{where} does not fit the format {VERSION}: {part}{problem}. Import it again, repaired.")
    return value


def zulu(moment: datetime) -> str:
    """Return a UTC time as ISO 8601 with `Z`."""
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
