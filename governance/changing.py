"""A change of what a row may be used for: what it becomes, and who may do that. No database inside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from governance.uses import CLASSIFICATIONS, USES, Decision, validate_uses
from workbench.near import listed, near_misses
from workbench.problems import Forbidden, Invalid

# What a change may touch; `tag_prohibited_uses` only follows.
LIMITS = ("allowed_uses", "prohibited_uses", "usage_reason", "data_classification")
BY_TAG = "tag_prohibited_uses"
CHANGE_USES = "governance.change_uses"
LOOSEN = "governance.loosen_tag_rule"

Fields = Mapping[str, Any]


def rights_of(user: Any) -> dict[str, Any]:
    """Return what the user may do to uses, as the verbs that record a label take it."""
    return {"may_change_uses": user.has_perm(CHANGE_USES), "may_loosen": user.has_perm(LOOSEN)}


@dataclass(frozen=True)
class UsesChange:
    """What shall become of uses and classification; what is None or empty stays as it is.

    `allowed_uses` and `prohibited_uses` are whole lists: of the one that is not given, what the other names is taken out.
    `allow` and `prohibit` change single uses and leave the others alone.
    """

    allowed_uses: Collection[str] | None = None
    prohibited_uses: Collection[str] | None = None
    data_classification: str | None = None
    allow: Collection[str] = ()
    prohibit: Collection[str] = ()
    reason: str = ""

    @classmethod
    def of(cls, given: Fields, reason: str) -> Self:
        """Return the change with the names of the API; Invalid for one that there is not, and for every other fault."""
        known = ("allowed_uses", "prohibited_uses", "data_classification", "allow", "prohibit")
        if unknown := sorted(set(given) - set(known)):
            near = near_misses(unknown[0], known)
            raise Invalid.of_fields("The uses were not changed.", {unknown[0]: [f"Use {listed(known)}.{near}"]})
        change = cls(**{name: value for name, value in given.items() if value not in (None, "")}, reason=reason.strip())
        change.check()
        return change

    def check(self) -> None:
        """Raise Invalid naming every input at fault: whatever row it is for, nothing is changed then."""
        faults = {
            "allowed_uses": _faults(self.allowed_uses or (), ()),
            "prohibited_uses": _faults((), self.prohibited_uses or ()),
            "allow": _faults(self.allow, ()),
            "prohibit": _faults((), self.prohibit),
            "data_classification": list(_classification_faults(self.data_classification)),
            "reason": [] if self.reason else ["Say why; it is kept in the audit."],
        }
        if not any(faults.values()):
            faults["prohibited_uses"] = _faults(self.allowed_uses or (), self.prohibited_uses or ())
            faults["prohibit"] = _faults(self.allow, self.prohibit)
            if self.says_nothing:
                faults["allowed_uses"] = ["Say what changes: allowed_uses, prohibited_uses or data_classification."]
        if found := {name: messages for name, messages in faults.items() if messages}:
            raise Invalid.of_fields("The uses were not changed.", found)

    @property
    def says_nothing(self) -> bool:
        given = (self.allowed_uses, self.prohibited_uses, self.data_classification, self.allow or None)
        return not self.prohibit and all(value is None for value in given)

    def applied(self, present: Fields, *, may_loosen: bool) -> dict[str, Any] | None:
        """Return uses, reason and classification after the change, None where they are so already.

        `present` has the names of `LIMITS`, and in `tag_prohibited_uses` what a tag prohibited when the row was made.
        Forbidden where one who may not loosen tag rules would allow that, or lower the classification that came with it.
        """
        allowed, prohibited = self._uses(present)
        by_tag = present.get(BY_TAG) or []
        after = {
            "allowed_uses": in_order(allowed),
            "prohibited_uses": in_order(prohibited),
            "data_classification": self.data_classification or present["data_classification"],
        }
        if all(after[name] == _plain(present[name]) for name in after):
            return None
        freed = refuse_loosening(present, after, may_loosen=may_loosen)
        return {**after, "usage_reason": self.reason, BY_TAG: [use for use in by_tag if use not in freed]}

    def _uses(self, present: Fields) -> tuple[set[str], set[str]]:
        allowed, prohibited = set(present["allowed_uses"]), set(present["prohibited_uses"])
        if self.prohibited_uses is not None:
            prohibited = set(self.prohibited_uses)
            allowed -= prohibited
        if self.allowed_uses is not None:
            allowed = set(self.allowed_uses)
            prohibited -= allowed
        allow, prohibit = set(self.allow), set(self.prohibit)
        return (allowed | allow) - prohibit, (prohibited | prohibit) - allow


def in_order(uses: Collection[str]) -> list[str]:
    """Return the uses in the one order in which they are kept."""
    return [use for use in USES if use in uses]


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else in_order(value)


def given_back(was: Decision, now: Decision) -> str:
    """Return in words what a decision gives back that an earlier one kept: uses, or a lower classification; "" for none."""
    if freed := in_order(was.prohibited - now.prohibited):
        return f"allows {listed(freed)} again"
    if CLASSIFICATIONS.index(now.classification) < CLASSIFICATIONS.index(was.classification):
        return f"lowers the classification from {was.classification} to {now.classification}"
    return ""


def refuse_loosening(present: Fields, after: Fields, *, may_loosen: bool) -> list[str]:
    """Return the uses that a tag prohibited when the row was made and that are allowed now.

    Forbidden where there are such, or the classification that came with them is lowered, and the actor may not do that.
    """
    by_tag = present.get(BY_TAG) or []
    freed = [use for use in by_tag if use in after["allowed_uses"] and use not in after["prohibited_uses"]]
    if may_loosen:
        return freed
    lower = CLASSIFICATIONS.index(after["data_classification"]) < CLASSIFICATIONS.index(present["data_classification"])
    if freed:
        raise Forbidden(
            f"A tag of the sources prohibited {listed(freed)} when this was made ({present['usage_reason']}): "
            "ask a platform lead, who may loosen that."
        )
    if lower and by_tag:
        raise Forbidden(
            f"It is {present['data_classification']} because of a tag of the sources: a platform lead may lower that."
        )
    return freed


def _classification_faults(name: str | None) -> Iterator[str]:
    if name is not None and name not in CLASSIFICATIONS:
        yield f"Found {name!r}: use {', '.join(CLASSIFICATIONS)}.{near_misses(str(name), CLASSIFICATIONS)}"


def _faults(allowed: Collection[str], prohibited: Collection[str]) -> list[str]:
    try:
        validate_uses(allowed, prohibited)
    except (TypeError, ValueError) as error:
        return [str(error)]
    return []


@dataclass
class Outcome:
    """What a change did, or would do, to many rows; refusals by their words, each with the keys that it holds for.

    `closed` and `opened` are the keys that permit a use no more, or again, by the use.
    """

    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    refused: dict[str, list[str]] = field(default_factory=dict)
    closed: dict[str, list[str]] = field(default_factory=dict)
    opened: dict[str, list[str]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.changed) + self.unchanged + sum(map(len, self.refused.values()))

    def refuse(self, key: str, words: str) -> None:
        """Count a row that stays as it is, and why."""
        self.refused.setdefault(words, []).append(key)

    def note_uses(self, key: str, before: Fields, after: Fields) -> None:
        """Count the uses that a row permits no more, or again."""
        for use in USES:
            was, now = (_standing(use, fields) == "allowed" for fields in (before, after))
            if was != now:
                (self.closed if was else self.opened).setdefault(use, []).append(key)

    def add(self, other: Outcome) -> None:
        """Count what became of further rows too."""
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.changes.update(other.changes)
        both = ((self.refused, other.refused), (self.closed, other.closed), (self.opened, other.opened))
        for mine, more in both:
            for name, keys in more.items():
                mine.setdefault(name, []).extend(keys)


def survey(rows: Iterable[tuple[str, Fields]], change: UsesChange, *, may_loosen: bool) -> Outcome:
    """Return what the change does to the rows, given as their keys and present limits; nothing is written."""
    outcome = Outcome()
    for key, present in rows:
        try:
            after = change.applied(present, may_loosen=may_loosen)
        except Forbidden as problem:
            outcome.refuse(key, problem.message)
            continue
        if after is None:
            outcome.unchanged += 1
        else:
            outcome.changed.append(key)
            outcome.changes.update(in_words(present, after))
            outcome.note_uses(key, present, after)
    return outcome


def in_words(before: Fields, after: Fields) -> list[str]:
    """Return what changed between two states: "training prohibited", "classification internal → restricted"."""
    words = use_words(before, after)
    old, new = before["data_classification"], after["data_classification"]
    return words if old == new else [*words, f"classification {old} → {new}"]


def use_words(before: Fields, after: Fields) -> list[str]:
    """Return what changed of uses alone: "training prohibited", "few_shot not allowed", "all uses prohibited"."""
    changed = {use: now for use in USES if _standing(use, before) != (now := _standing(use, after))}
    if len(changed) == len(USES) and len(set(changed.values())) == 1:
        return [f"all uses {changed[USES[0]]}"]
    return [f"{use} {now}" for use, now in changed.items()]


def _standing(use: str, fields: Fields) -> str:
    if use in fields["prohibited_uses"]:
        return "prohibited"
    return "allowed" if use in fields["allowed_uses"] else "not allowed"
