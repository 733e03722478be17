"""Both gates for conversations: what their own row limits and, for those made from pairs, what limits these now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import F

from governance.uses import Limit, decide
from sheets import source_uses
from sheets.item_limits import ItemLimits, limits_of_items
from training.chat import assistant_answer
from training.exporting import LISTS, TEXTS, limits_of
from training.models import QAPair, TrainingSheet

CHUNK = 500
OWN = ("allowed_uses", "prohibited_uses", "usage_reason", "data_classification", "answer_sha256")
AGAIN = "make it again from its training sheet, and build anew the files that it is in"
CORRECTED = f"the pair that it was made from has another answer now: {AGAIN}"
UNKNOWN = f"an older version made it, which did not keep of which answer: {AGAIN}"

Row = Mapping[str, Any]


def forbidden(conversations: Sequence[Row], use: str = "training") -> dict[str, str]:
    """Return why a conversation may not be used, by its id; those that may are left out.

    One that was made from a pair is asked for with the answer that it was made from: what a reviewer corrected since does not
    leave as reviewed.
    """
    pairs = _pairs([each["qa_pair_id"] for each in conversations if each["qa_pair_id"]])
    sources = _sources({each["training_sheet_id"] for each in conversations if each["training_sheet_id"]})
    reasons = {}
    for each in conversations:
        source_limits, items = sources.get(each["training_sheet_id"], ((), {}))
        limits = [_own(each), *source_limits]
        if each["qa_pair_id"]:
            pair = pairs.get(each["qa_pair_id"])
            if pair is None or pair["status"] != QAPair.Status.LABELED:
                reasons[each["id"]] = "the pair that it was made from is not approved any more"
                continue
            if pair["answer_sha256"] != each["answer_sha256"]:
                reasons[each["id"]] = CORRECTED if each["answer_sha256"] else UNKNOWN
                continue
            limits += [*limits_of(pair), *items.get(pair["item_ref"], ())]
        if why := decide(limits).why_not(use):
            reasons[each["id"]] = why
    return reasons


def answer_sha256(messages: Sequence[Mapping[str, str]]) -> str:
    """Return the SHA-256 of the answer in the messages of a pair, by which it is known later whether it was changed."""
    return hashlib.sha256((assistant_answer(messages) or "").encode()).hexdigest()


def in_words(reasons: Mapping[str, str], most: int = 5) -> str:
    """Return the reasons in one line, the ids of the first few with each."""
    by_reason: dict[str, list[str]] = {}
    for key, why in reasons.items():
        by_reason.setdefault(why, []).append(key)
    return "; ".join(
        f"{why} ({', '.join(keys[:most])}{f' and {len(keys) - most} more' if len(keys) > most else ''})"
        for why, keys in by_reason.items()
    )


def _own(row: Row) -> Limit:
    allowed, prohibited = frozenset(row["allowed_uses"]), frozenset(row["prohibited_uses"])
    return Limit("conversation", row["usage_reason"], allowed, prohibited, row["data_classification"])


def _pairs(ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    own = {name: name for name in ("item_ref", "messages")}
    read = {f"_{name}": F(path) for name, path in (TEXTS | LISTS | own).items()}
    found = {}
    for start in range(0, len(ids), CHUNK):
        rows: Any = QAPair.objects.filter(pk__in=ids[start : start + CHUNK]).values("pk", **read)
        for row in rows:
            digest = answer_sha256(row.pop("_messages"))
            found[row["pk"]] = {name.removeprefix("_"): value for name, value in row.items()} | {
                "answer_sha256": digest
            }
    return found


def _sources(training_sheet_ids: Iterable[str]) -> dict[str, tuple[Sequence[Limit], ItemLimits]]:
    found = TrainingSheet.objects.filter(pk__in=list(training_sheet_ids)).select_related("sheet")
    return {each.pk: (source_uses.limits_of(each.sheet), limits_of_items(each.sheet)) for each in found}
