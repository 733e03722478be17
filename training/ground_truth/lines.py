"""A pair with its review events as one line of ground truth. No database inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from templates_app.changes import WHOLE, Change
from training.ground_truth.history import EMPTY, Event, by_people, corrections, initial_of
from workbench.canonical import canonical_bytes

# What reviewers did that a reader of the answer should know, and its word.
FLAGGING = {"flag": "flagged", "reject": "rejected", "reopen": "reopened"}

_WRITTEN = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z

Row = Mapping[str, Any]


def line_of(row: Row, final: Any, stands: Sequence[Event]) -> bytes:
    """Return the line: the names and their order are those of the ground-truth format, a pair being its job.

    Where the events do not lead to the final answer, `initial_result` is null and `review_flags` has `history_gap`. It is null
    as well for a label that nobody corrected: what corrections begin from stays, so that they lead forwards again.
    """
    made = list(corrections(stands))
    gap, initial = False, None
    try:
        if made or row["labeling_mode"] != "canonical":
            initial = initial_of(final, [change for change, _ in made])
    except ValueError:
        gap = True
    return orjson.dumps(
        {
            "job_id": row["id"],
            "filename": row["item_ref"],
            "source_kind": row["labeling_mode"],
            "approved": row["status"] == "labeled",
            "reviewed_by": row["reviewed_by"] or None,
            "reviewed_at": row["reviewed_at"],
            "created_at": row["created_at"],
            "initial_result": _written(initial),
            "final_result": _written(final),
            "corrections": [_correction(change, event) for change, event in made],
            "review_flags": list(_flags(row, stands, gap)),
            "confidence": row["ai_confidence"],
            "training_sheet_id": row["training_sheet_id"],
            "updated_at": row["updated_at"],
        },
        option=_WRITTEN,
    )


def has_corrections(row: Row, final: Any, stands: Sequence[Event]) -> bool | None:
    """Return whether actions that stand changed what a pipeline answered; None where none did answer."""
    changes = [change for change, _ in corrections(stands)]
    if by_people(row["labeling_mode"], changes) or (not changes and final in EMPTY):
        return None
    return bool(changes)


def _correction(change: Change, event: Event) -> dict[str, Any]:
    whole = change["field_path"] == WHOLE
    old, new = (_present(change[name]) if whole else change[name] for name in ("old_value", "new_value"))
    op = {"op": change["op"]} if "op" in change else {}
    return {
        "field_path": change["field_path"],
        "old_value": old,
        "new_value": new,
        **op,
        "corrected_by": event["actor"],
        "reason": event["reason"],
        "corrected_at": event["created_at"],
    }


def _flags(row: Row, stands: Iterable[Event], gap: bool) -> Iterable[str]:
    found = {FLAGGING[event["action"]] for event in stands if event["action"] in FLAGGING}
    version, latest = row["canonical_label_version"], row["label_latest"]
    marks = {
        "failed": bool(row["error"]),
        "misfit": row["misfits"] != "[]",
        "history_gap": gap,
        # The pair was made from an older version of its label.
        "label_changed": bool(version and latest and version < latest),
    }
    return sorted(found | {name for name, holds in marks.items() if holds})


def _present(answer: Any) -> Any:
    return None if answer in EMPTY else answer


def _written(answer: Any) -> orjson.Fragment:
    return orjson.Fragment(canonical_bytes(_present(answer)))
