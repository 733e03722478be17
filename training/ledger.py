"""Why pairs stay: every pair of a training sheet is exported or counted under exactly one exclusion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from governance.uses import Decision
from training.chat import assistant_answer, line_problems, shape_problems

WAITING = "unlabeled: waiting for review"
# Pairs that are named of one exclusion; different flaws of chat lines that are told apart; characters of one.
EXAMPLES, MOST_FLAWS, MOST_WORDS = 5, 20, 200
_BY_STATUS = {"labeled": None, "unlabeled": WAITING, "rejected": "rejected", "flagged": "flagged"}

Key = tuple[str, str, str, str]


class Exclusion(str):
    """Why a pair stays, in words, with the rule behind them.

    `rule` is quality, governance, split, chat, format, since or download; `source` is what carries the rule ("table tag PHI",
    "status"), and `where` its full name, where it has one.
    """

    rule: str
    source: str
    where: str

    def __new__(cls, words: str, rule: str = "", source: str = "", where: str = "") -> Exclusion:
        made = super().__new__(cls, words)
        made.rule, made.source, made.where = rule, source, where
        return made

    @property
    def key(self) -> Key:
        """What tells it from others: the same words may come from several places."""
        return str(self), self.rule, self.source, self.where


EMPTY = Exclusion("empty answer", "quality", "answer")
# Where the text breaks off is another place in each pair.
NOT_JSON = Exclusion("not valid JSON", "chat", "messages")
NOT_READ = Exclusion("not read: the download was broken off before", "download", "its reader")
OTHER_FLAWS = Exclusion("not a valid chat line: other flaws", "chat", "messages")


def bucket(pair_status: str, decision: Decision, use: str, answer: str | None) -> Exclusion | None:
    """None for a pair that passes both gates and is exported for `use`, else the one exclusion it is counted under.

    Quality is asked first, then governance, then whether there is an answer at all. Raises ValueError for a status or
    use that does not exist.
    """
    if pair_status not in _BY_STATUS:
        raise ValueError(f"Unknown pair status '{pair_status}'. Allowed: {', '.join(_BY_STATUS)}.")
    forbidden = decision.why_not(use)
    if words := _BY_STATUS[pair_status]:
        return Exclusion(words, "quality", "status")
    if forbidden:
        limit = decision.provenance[use][0]
        return Exclusion(forbidden, "governance", limit.source, limit.where)
    return None if answer and answer.strip() else EMPTY


def malformed(messages: Any) -> Exclusion | None:
    """Return why a value is no messages at all, which no other question can be asked of; None where it is."""
    return _no_line(shape_problems(messages))


def flaw_of(messages: Any) -> Exclusion | None:
    """Return why messages are no line to train on, whatever the gates say; None where they are."""
    if flaw := malformed(messages):
        return flaw
    if not (assistant_answer(messages) or "").strip():
        return EMPTY
    return _no_line(line_problems({"messages": messages}))


def _no_line(problems: Sequence[str]) -> Exclusion | None:
    if not problems:
        return None
    words = problems[0] if len(problems[0]) <= MOST_WORDS else f"{problems[0][:MOST_WORDS]}…"
    return Exclusion(f"not a valid chat line: {words}", "chat", "messages")


def answer_in(stored: str | bytes) -> str | None:
    """Return the answer in messages as they are stored; None where it is missing, an Exclusion where they are malformed."""
    try:
        messages = orjson.loads(stored)
    except orjson.JSONDecodeError:
        return NOT_JSON
    return malformed(messages) or assistant_answer(messages)


class Ledger:
    """Counts of an export. Every pair is added once, so total is always exported and excluded together."""

    def __init__(self) -> None:
        self._counts: Counter[Key | None] = Counter()
        self._examples: dict[Key, list[str]] = {}

    def add(self, exclusion: str | None, pairs: int = 1, *, example: str = "") -> None:
        """Counts pairs under what `bucket` said of them; `example` is the id of one that is named."""
        if exclusion is None:
            self._counts[None] += pairs
            return
        known = exclusion if isinstance(exclusion, Exclusion) else Exclusion(exclusion)
        key = self._bounded(known)
        self._counts[key] += pairs
        named = self._examples.setdefault(key, [])
        if example and len(named) < EXAMPLES:
            named.append(example)

    def _bounded(self, exclusion: Exclusion) -> Key:
        """Return what an exclusion is counted under: each malformed pair may be malformed in a way of its own."""
        if exclusion.rule != "chat" or exclusion.key in self._counts:
            return exclusion.key
        known = sum(key is not None and key[1] == "chat" for key in self._counts)
        return exclusion.key if known < MOST_FLAWS else OTHER_FLAWS.key

    def include(self, other: Ledger) -> None:
        """Count what the other has counted as well."""
        self._counts.update(other._counts)
        for key, named in other._examples.items():
            self._examples[key] = [*self._examples.get(key, ()), *named][:EXAMPLES]

    @property
    def total(self) -> int:
        return self._counts.total()

    @property
    def exported(self) -> int:
        return self._counts[None]

    @property
    def excluded(self) -> int:
        return self.total - self.exported

    def summary(self) -> dict[str, Any]:
        """`{"total", "exported", "excluded", "exclusions": [{"reason", "count", "rule", "source", "where"}, …]}`.

        The largest exclusion comes first. Where what is wrong is in the pair itself, `pair_ids` are a few of them.
        """
        exclusions = [(key, count) for key, count in self._counts.items() if key is not None and count]
        ordered = sorted(exclusions, key=lambda entry: (-entry[1], entry[0]))
        return {
            "total": self.total,
            "exported": self.exported,
            "excluded": self.excluded,
            "exclusions": [
                {"reason": words, "count": count, "rule": rule, "source": source, "where": where}
                | ({"pair_ids": named} if (named := self._examples.get((words, rule, source, where))) else {})
                for (words, rule, source, where), count in ordered
            ],
        }
