"""An enriched conversation as JSON to its row. No database inside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from training.files.checking import import_problems
from training.files.quality import STANDS_FOR, score_of, tier_of
from training.models.conversations import SCAFFOLDING, Conversation

Document = Mapping[str, Any]


def conversations_in(found: Any) -> list[Any]:
    """Return the conversations of a file: one, a list of them, or those of a full training file."""
    if isinstance(found, Mapping) and isinstance(found.get("conversations"), list):
        found = found["conversations"]
    return found if isinstance(found, list) else [found]


def problems_of(document: Any) -> list[str]:
    """Return the first problems of a conversation, each with its place; empty where it can be imported."""
    if problems := import_problems(document):
        return problems
    key = document["conversation_metadata"]["conversation_id"]
    pairs = document.get("training_pairs", [])
    others = sorted({pair["conversation_id"] for pair in pairs if pair.get("conversation_id", key) != key})
    found = [f".training_pairs: found the conversation_id {other!r}; allowed is {key!r}" for other in others]
    if twice := sorted(each for each, count in Counter(pair["id"] for pair in pairs).items() if count > 1):
        found.append(f".training_pairs: the id {twice[0]!r} stands twice; give each pair its own")
    return found + list(_blanks(document))


def _blanks(document: Document) -> Iterator[str]:
    """Yield where text that is needed is there, but blank."""
    for name, text in document["conversation_metadata"]["scaffolding"].items():
        if isinstance(text, str) and not text.strip():
            yield f".conversation_metadata.scaffolding.{name}: found blank text; give a name that can be seen"
    for at, pair in enumerate(document.get("training_pairs", [])):
        if pair["target_response"] is not None and not pair["target_response"].strip():
            yield f".training_pairs[{at}].target_response: found blank text; give an answer, or null where the turn has none"
            return


def row_of(document: Document, default_name: str, today: date, before: Conversation | None = None) -> dict[str, Any]:
    """Return the columns of a conversation that follow from its document, which has no problems, and the row that it replaces."""
    metadata, pairs = document["conversation_metadata"], document.get("training_pairs", [])
    answered = [pair for pair in pairs if pair["target_response"] is not None]
    score = score_of(metadata, pairs)
    given_tier = metadata.get("quality_tier")
    if score is None and before and before.quality_tier == given_tier:
        # Files that the workbench writes tell the tier, and not the score.
        score = before.quality_score
    elif score is None and given_tier:
        score = STANDS_FOR[given_tier]
    key = metadata["conversation_id"]
    given = metadata.get("created_date")
    return {
        "id": key,
        "enrichment_status": document.get("enrichment_status", Conversation.Enrichment.COMPLETED),
        "source_file": metadata.get("source_file") or default_name or f"fp_conversation_{key}.json",
        "created_date": date.fromisoformat(given) if given else today,
        "total_turns": metadata.get("total_turns", len(pairs)),
        "training_pairs": len(answered),
        "human_reviewed_pairs": sum(bool(pair.get("training_metadata", {}).get("human_reviewed")) for pair in answered),
        "quality_score": score,
        "quality_tier": given_tier or "experimental" if score is None else tier_of(score),
        **dict(_scaffolding(metadata["scaffolding"])),
    }


def _scaffolding(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield keys and names; a name that is not given is its key in words."""
    for name in SCAFFOLDING:
        yield name, given.get(name) or given[key_of(name)].replace("_", " ")


def key_of(name: str) -> str:
    """Return which of SCAFFOLDING is the key of a name, or the key itself: persona_name has persona_key."""
    return name if name.endswith("_key") else f"{name.removesuffix('_name')}_key"
