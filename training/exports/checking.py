"""What to know of a file before it is written: size, tokens, duplicates, balance of answers, answers that broke off.

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

from templates_app.rendering import token_estimate
from templates_app.schemas import normalise_output_schema
from training.exports.batches import Kept
from training.exports.profiles import PROFILES, Profile
from training.exports.run import ExportRun
from training.exports.shapes import Messages, Record
from training.models import QAPair, TrainingSheet
from workbench.problems import Conflict

EXAMPLES = 5
MOST_VALUES = 50
MOST_CHARACTERS = 60
# A value that stands in this share of the answers teaches little else.
LOPSIDED = 0.9
LONG_TEXT = 200
ENDS = tuple(".!?)]}>\"'`”»*|:;")


@dataclass
class Over:
    """The lines with more tokens than a limit, as far as there is one."""

    limit: int | None
    count: int = 0
    pair_ids: list[str] = field(default_factory=list)

    def look_at(self, tokens: int, pair: str) -> None:
        if self.limit and tokens > self.limit:
            self.count += 1
            self.pair_ids += [pair] * (len(self.pair_ids) < EXAMPLES)


class Checks:
    """Looks at the records of a run one batch after the other; `report` says what was found."""

    def __init__(self, training_sheet: TrainingSheet, run: ExportRun, max_tokens: int | None = None) -> None:
        self.run = run
        self.profile: Profile | None = PROFILES.get(run.options.profile)
        # What was asked for may be more or less than the trainer takes, which refuses a line all the same.
        self._over_profile = Over(self.profile.max_tokens if self.profile else None)
        self._over = Over(max_tokens or self._over_profile.limit)
        schema = normalise_output_schema(training_sheet.template.output_schema)
        self._structured = schema.get("type") == "object"
        self._bytes = 0
        self._tokens: Counter[int] = Counter()
        self._values: dict[str, Counter[str] | None] = {}
        self._prompts, self._answers, self._positions = array("Q"), array("Q"), array("q")
        self._clipped_count = 0
        self._clipped: list[str] = []

    def look_at(self, kept: Kept) -> None:
        """Take the records of a batch."""
        ids, positions = kept.pairs["id"].to_pylist(), kept.pairs["position"].to_pylist()
        for record, pair, position in zip(kept.records, ids, positions, strict=True):
            line = orjson.dumps(record)
            self._bytes += len(line) + 1
            messages = messages_of(record)
            tokens = token_estimate(messages)
            self._tokens[tokens] += 1
            self._over.look_at(tokens, pair)
            self._over_profile.look_at(tokens, pair)
            answer = messages[-1]["content"]
            self._prompts.append(_hash(orjson.dumps(messages[:-1])))
            self._answers.append(_hash(answer.encode()))
            self._positions.append(position)
            self._answer(answer, pair)

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
            "clipped": {"count": self._clipped_count, "pair_ids": self._clipped},
        }
        found["problems"] = list(_problems(found, self.profile, self._over_profile))
        return found

    def _answer(self, answer: str, pair: str) -> None:
        try:
            value = orjson.loads(answer)
        except orjson.JSONDecodeError:
            value = None
        if _broke_off(answer, value, structured=self._structured):
            self._clipped_count += 1
            self._clipped += [pair] * (len(self._clipped) < EXAMPLES)
        fields: Mapping[str, Any] = value if isinstance(value, dict) else {"$": answer}
        for name, each in fields.items():
            if isinstance(each, str | bool | int) and len(str(each)) <= MOST_CHARACTERS:
                counter = self._values.setdefault(name, Counter())
                if counter is not None:
                    counter[str(each)] += 1
                    if len(counter) > MOST_VALUES:
                        self._values[name] = None  # no classes

    def _token_figures(self) -> dict[str, Any]:
        ordered, total = sorted(self._tokens.items()), self._tokens.total()
        seen, p95 = 0, 0
        for tokens, count in ordered:
            seen, p95 = seen + count, tokens
            if seen >= 0.95 * total:
                break
        return {
            "is_estimate": True,
            "method": "a token for 4 bytes of UTF-8, and 4 for each message",
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


def refuse_broken(report: Mapping[str, Any]) -> None:
    """Raise Conflict with every error of a report."""
    if errors := [each["message"] for each in report["problems"] if each["level"] == "error"]:
        raise Conflict(f"{PROFILES[report['profile']].name} would refuse the file: {' '.join(errors)}")


def _problems(found: Mapping[str, Any], profile: Profile | None, over_profile: Over) -> Sequence[dict[str, Any]]:
    errors: list[dict[str, Any]] = []
    warnings: list[dict[str, Any]] = []
    lines, tokens, twins = found["lines"], found["tokens"], found["duplicates"]

    def add(level: list[Any], code: str, message: str, pairs: Sequence[str] = ()) -> None:
        name = "error" if level is errors else "warning"
        level.append({"level": name, "code": code, "message": message, "pair_ids": list(pairs)})

    # Sides that are decided by the export itself may all be of this one.
    if profile and lines + found["undecided"] < profile.min_lines:
        add(errors, "too_few", f"{lines} lines; it takes {profile.min_lines} at least: approve more pairs.")
    elif profile and lines < profile.advised_lines:
        add(warnings, "few", f"{lines} lines; {profile.name} advises {profile.advised_lines} at least.")
    if profile and profile.max_bytes and found["size_bytes"] > profile.max_bytes:
        add(
            errors,
            "too_large",
            f"{found['size_bytes']:,} bytes; it takes {profile.max_bytes:,} at most: split the export.",
        )
    too_long = "{} lines have more than {:,} tokens, as estimated."
    if over_profile.count:
        words = too_long.format(over_profile.count, over_profile.limit)
        add(errors, "too_long", words, over_profile.pair_ids)
    if tokens["over_limit"] and tokens["limit"] != over_profile.limit:
        add(warnings, "too_long", too_long.format(tokens["over_limit"], tokens["limit"]), tokens["pair_ids"])
    if count := twins["prompts_with_different_answers"]:
        words = f"{count} prompts have different answers: a model cannot learn both."
        add(warnings, "contradictions", words, twins["pair_ids"]["different_answers"])
    if count := twins["repeated_lines"]:
        add(warnings, "repeated", f"{count} lines repeat another one exactly.", twins["pair_ids"]["repeated"])
    if count := found["clipped"]["count"]:
        add(warnings, "clipped", f"{count} answers look as if they broke off.", found["clipped"]["pair_ids"])
    for each in found["balance"]:
        most, total = each["values"][0], sum(value["count"] for value in each["values"])
        if total >= 10 and most["count"] > LOPSIDED * total:
            share = f"{most['count'] / total:.0%}"
            add(warnings, "lopsided", f"{each['field']} is {most['value']!r} in {share} of the answers.")
    return errors + warnings


def _broke_off(answer: str, value: Any, *, structured: bool) -> bool:
    """Return whether an answer looks as if it stopped half way."""
    if structured:
        return not isinstance(value, dict)
    text = answer.rstrip()
    if text.endswith(("…", "...")) or text.count("```") % 2:
        return True
    return value is None and len(text) > LONG_TEXT and not text.endswith(ENDS)


def _hash(text: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())
