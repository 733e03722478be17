"""What to know of a file before it is written: size, tokens, duplicates, balance of answers, and what answers are like.

Memory is constant but for 24 bytes a line, by which duplicates are found.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from templates_app.rendering import COUNTED_AS, token_estimate
from templates_app.schemas import normalise_output_schema
from training.exports.answers import broke_off, comparable, is_empty, parsed, short_text
from training.exports.batches import Kept
from training.exports.problems import KINDS, problems_of
from training.exports.profiles import PROFILES, Profile
from training.exports.run import ExportRun
from training.exports.shapes import Messages, Record
from training.ledger import EXAMPLES
from training.models import QAPair, TrainingSheet

MOST_VALUES = 50
MOST_CHARACTERS = 60


@dataclass
class Named:
    """Pairs of one kind: how many, and the first few."""

    count: int = 0
    pair_ids: list[str] = field(default_factory=list)

    def add(self, pair: str) -> None:
        self.count += 1
        if len(self.pair_ids) < EXAMPLES:
            self.pair_ids.append(pair)


@dataclass
class Over(Named):
    """The lines with more tokens than a limit, as far as there is one."""

    limit: int | None = None

    def look_at(self, tokens: int, pair: str) -> None:
        if self.limit and tokens > self.limit:
            self.add(pair)


class Checks:
    """Looks at the records of a run one batch after the other; `report` says what was found."""

    def __init__(self, training_sheet: TrainingSheet, run: ExportRun, max_tokens: int | None = None) -> None:
        self.run = run
        self.profile: Profile | None = PROFILES.get(run.options.profile)
        # What was asked for may be more or less than the trainer takes, which refuses a line all the same.
        self._over_profile = Over(limit=self.profile.max_tokens if self.profile else None)
        self._over = Over(limit=max_tokens or self._over_profile.limit)
        schema = normalise_output_schema(training_sheet.template.output_schema)
        self._structured = schema.get("type") == "object"
        self._unread = self.profile.unread if self.profile else ()
        self._bytes = 0
        self._tokens: Counter[int] = Counter()
        self._values: dict[str, Counter[str] | None] = {}
        self._prompts, self._answers, self._positions = array("Q"), array("Q"), array("q")
        self._named = {kind: Named() for kind in KINDS}

    def look_at(self, kept: Kept) -> None:
        """Take the records of a batch."""
        ids, positions = kept.pairs["id"].to_pylist(), kept.pairs["position"].to_pylist()
        for record, pair, position in zip(kept.records, ids, positions, strict=True):
            line = orjson.dumps(record)
            self._bytes += len(line) + 1
            tokens = max(token_estimate(side) for side in sides_of(record))
            self._tokens[tokens] += 1
            self._over.look_at(tokens, pair)
            self._over_profile.look_at(tokens, pair)
            if any(key in record for key in self._unread):
                self._named["unread"].add(pair)
            messages = messages_of(record)
            self._prompts.append(_hash(orjson.dumps(messages[:-1])))
            self._positions.append(position)
            self._answer(messages[-1]["content"], pair)
        versions = (kept.pairs[name].to_pylist() for name in ("canonical_label_version", "label_latest"))
        for pair, made_from, latest in zip(ids, *versions, strict=True):
            if latest is not None and made_from is not None and made_from < latest:
                self._named["older_labels"].add(pair)

    def report(self) -> dict[str, Any]:
        """Return all that was found; `problems` are errors, which the profile refuses, and warnings, worst first."""
        summary, options = self.run.summary(), self.run.options
        found: dict[str, Any] = {
            "training_sheet_id": self.run.training_sheet_id,
            "use": self.run.use,
            "split": options.split,
            "format": options.format,
            "profile": options.profile,
            **summary,
            "lines": self._tokens.total(),
            "size_bytes": self._bytes,
            "tokens": self._token_figures(),
            "duplicates": self._duplicates(),
            "balance": self._balance(),
            **{kind: {"count": named.count, "pair_ids": named.pair_ids} for kind, named in self._named.items()},
        }
        found["problems"] = problems_of(found, self.profile, self._over_profile)
        return found

    def _answer(self, answer: str, pair: str) -> None:
        value = parsed(answer)
        self._answers.append(_hash(comparable(answer, value)))
        if kind := self._fault(answer, value):
            self._named[kind].add(pair)
        fields: Mapping[str, Any] = value if isinstance(value, dict) else {"$": answer}
        for name, each in fields.items():
            if (text := short_text(each, MOST_CHARACTERS)) is not None:
                counter = self._values.setdefault(name, Counter())
                if counter is not None:
                    counter[text] += 1
                    if len(counter) > MOST_VALUES:
                        self._values[name] = None  # no classes

    def _fault(self, answer: str, value: Any) -> str:
        if is_empty(answer, value):
            return "empty"
        if broke_off(answer, value):
            return "clipped"
        return "other_form" if self._structured and not isinstance(value, dict) else ""

    def _token_figures(self) -> dict[str, Any]:
        ordered, total = sorted(self._tokens.items()), self._tokens.total()
        seen, p95 = 0, 0
        for tokens, count in ordered:
            seen, p95 = seen + count, tokens
            if seen >= 0.95 * total:
                break
        return {
            "is_estimate": True,
            "method": COUNTED_AS,
            "total": sum(tokens * count for tokens, count in ordered),
            "p95": p95,
            "most": ordered[-1][0] if ordered else 0,
            "limit": self._over.limit,
            "over_limit": self._over.count,
            "pair_ids": self._over.pair_ids,
        }

    def _duplicates(self) -> dict[str, Any]:
        columns = {"prompt": self._prompts, "answer": self._answers, "position": self._positions}
        kinds = (pa.uint64(), pa.uint64(), pa.int64())
        arrays = [
            pa.Array.from_buffers(kind, len(each), [None, pa.py_buffer(each)])
            for kind, each in zip(kinds, columns.values(), strict=True)
        ]
        rows = pa.table(arrays, names=list(columns))
        grouped = rows.group_by("prompt").aggregate(
            [("answer", "count"), ("answer", "count_distinct"), ("position", "min")]
        )
        many = grouped.filter(pc.greater(grouped["answer_count"], 1))
        differing = many.filter(pc.greater(many["answer_count_distinct"], 1))
        repeated = pc.sum(pc.subtract(many["answer_count"], many["answer_count_distinct"])).as_py() or 0
        return {
            "repeated_lines": repeated,
            "prompts_with_different_answers": differing.num_rows,
            "pair_ids": {
                "repeated": self._pairs_at(many.filter(pc.less(many["answer_count_distinct"], many["answer_count"]))),
                "different_answers": self._pairs_at(differing),
            },
        }

    def _pairs_at(self, groups: pa.Table) -> list[str]:
        """Return the first pair of a few groups."""
        positions = sorted(groups["position_min"].to_pylist())[:EXAMPLES]
        if not positions:
            return []
        pairs = QAPair.objects.of(self.run.training_sheet_id).filter(position__in=positions)
        return list(pairs.values_list("id", flat=True)[:EXAMPLES])

    def _balance(self) -> list[dict[str, Any]]:
        # A field whose values are nearly all different is no class.
        classes = {name: found for name, found in self._values.items() if found and len(found) <= found.total() / 2}
        return [
            {"field": name, "values": [{"value": value, "count": count} for value, count in found.most_common()]}
            for name, found in sorted(classes.items())
        ]


def sides_of(record: Record) -> Sequence[Messages]:
    """Return what a trainer reads of a record at once: a preference is read twice, with the one answer and the other."""
    if "rejected" in record:
        return [*record["prompt"], *record["chosen"]], [*record["prompt"], *record["rejected"]]
    return (messages_of(record),)


def messages_of(record: Record) -> Messages:
    """Return the messages that a record of any format was made from, the answer last."""
    if "messages" in record:
        found: Messages = record["messages"]
        return found
    if "prompt" in record:
        return [*record["prompt"], *record["completion" if "completion" in record else "chosen"]]
    if "conversations" in record:
        return [{"role": each["from"], "content": each["value"]} for each in record["conversations"]]
    turns = [text for turn in record.get("history", ()) for text in turn]
    texts = (record["instruction"], *turns, record["input"], record["output"])
    return [{"role": "", "content": text} for text in texts if text]


def _hash(text: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())
