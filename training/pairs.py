"""From an item to a pair: which answer it gets, from where, and with which status. No database inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from governance.uses import USES, Limit, decide
from sheets.reading import VolumeFile
from templates_app.schemas import misfits
from workbench.canonical import canonical_json
from workbench.concepts import Classification

Message = dict[str, str]


@dataclass(frozen=True)
class Label:
    """What a canonical label gives to a pair."""

    id: str
    version: int
    data: Any
    allowed_uses: Sequence[str]
    prohibited_uses: Sequence[str]
    usage_reason: str
    data_classification: str
    labeled_by: str
    labeled_at: Any


@dataclass(frozen=True)
class Answer:
    """An answer with its origin; `error` says why there is none, `based_on` names the items whose labels it was copied from.

    `is_outage` marks an error that the endpoint would have with any question, as far as one call can tell, and `is_shut` one
    of them that no item can be the cause of; `heard_at` is that of its reply.
    """

    text: str = ""
    labeling_mode: str = "ai_generated"
    status: str = "unlabeled"
    model: str = ""
    confidence: float | None = None
    misfits: list[str] = field(default_factory=list)
    error: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    is_outage: bool = False
    is_shut: bool = False
    files_shown: int = 0
    based_on: Sequence[str] = ()
    heard_at: float = 0.0


@dataclass(frozen=True)
class Question:
    """An item's row and files with the messages that pose its question, or why there are none.

    `missing` are the volume paths where a file of the item should be and is not.
    """

    row: Mapping[str, Any]
    messages: list[Message]
    files: Sequence[VolumeFile] = ()
    error: str = ""
    missing: Sequence[str] = ()


# Answers a chunk of questions, one answer for each in their order, so that an endpoint can be asked many at once.
Answerer = Callable[[Sequence[Question]], list[Answer]]


def from_label(label: Label, output_schema: Mapping[str, Any]) -> Answer:
    """Return the label's answer: approved where it fits the schema, else a draft that names the misfit."""
    faults = misfits(output_schema, label.data)
    return Answer(
        text=canonical_json(label.data),
        labeling_mode="canonical",
        status="unlabeled" if faults else "labeled",
        misfits=faults,
    )


def pair_fields(label: Label | None, answer: Answer, source_limits: Sequence[Limit] = ()) -> dict[str, Any]:
    """Return the columns of a pair that depend on its answer, its label and the limits of its sources.

    A pair without a label and limits starts with all uses.
    """
    reviewed = label if answer.status == "labeled" else None
    fields: dict[str, Any] = {
        "status": answer.status,
        "labeling_mode": answer.labeling_mode,
        "model": answer.model,
        "ai_confidence": answer.confidence,
        "files_shown": answer.files_shown,
        "based_on": list(answer.based_on),
        "misfits": answer.misfits,
        "error": answer.error,
        "canonical_label_id": label.id if label else None,
        "canonical_label_version": label.version if label else None,
        "allowed_uses": list(label.allowed_uses if label else USES),
        "prohibited_uses": list(label.prohibited_uses) if label else [],
        "usage_reason": label.usage_reason if label else "",
        "tag_prohibited_uses": [],
        "data_classification": label.data_classification if label else Classification.INTERNAL.value,
        "reviewed_by": reviewed.labeled_by if reviewed else "",
        "reviewed_at": reviewed.labeled_at if reviewed else None,
    }
    return fields | limited(fields, source_limits)


def limited(fields: Mapping[str, Any], limits: Sequence[Limit]) -> dict[str, Any]:
    """Return the columns on uses under these limits too; nothing where there are none."""
    if not limits:
        return {}
    prohibited = frozenset(fields["prohibited_uses"])
    own = Limit("pair", "", frozenset(fields["allowed_uses"]), prohibited, fields["data_classification"])
    decision = decide([own, *limits])
    # The reason of a rule that forbids nothing ("Released for all uses") would explain the wrong thing.
    by_tag = frozenset().union(*(limit.prohibited for limit in limits if limit.by_tag))
    reasons = [fields["usage_reason"]] if any(map(own.forbids, USES)) else []
    reasons += [rules[0].reason or rules[0].source for rules in decide(limits).provenance.values()]
    return {
        "allowed_uses": [use for use in USES if use in decision.allowed],
        "prohibited_uses": [use for use in USES if use in decision.prohibited],
        "usage_reason": "; ".join(dict.fromkeys(filter(None, reasons))),
        "data_classification": decision.classification,
        "tag_prohibited_uses": [use for use in USES if use in by_tag],
    }
