from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from workbench.near import near_misses

USES = ("training", "validation", "evaluation", "few_shot", "testing")
CLASSIFICATIONS = ("public", "internal", "confidential", "restricted")


def all_uses() -> list[str]:
    """Return the five uses, with which everything starts."""
    return list(USES)


@dataclass(frozen=True)
class Limit:
    """One rule on uses: where it comes from ("pair", "canonical label", "sheet", "table tag PHI") and what it says.

    `allowed` None says nothing about allowed uses (an empty set allows none); `classification` None likewise.
    `where` is the full name of the thing that carries the rule, for provenance only; `by_tag` marks what follows from tags.
    """

    source: str
    reason: str = ""
    allowed: frozenset[str] | None = None
    prohibited: frozenset[str] = frozenset()
    classification: str | None = None
    where: str = ""
    by_tag: bool = False

    def forbids(self, use: str) -> bool:
        return use in self.prohibited or (self.allowed is not None and use not in self.allowed)

    def words(self, use: str) -> str:
        """Why this rule forbids `use`, as an exclusion reads in a summary."""
        prohibits = use in self.prohibited
        if self.reason:
            return f"{use} {'prohibited' if prohibits else 'not allowed'}: {self.reason}"
        return f"{use} prohibited, {self.source}" if prohibits else f"{use} not allowed by the {self.source}"


@dataclass(frozen=True)
class Decision:
    """What may be done in the end; `provenance` maps a forbidden use to what forbids it, the telling one first."""

    allowed: frozenset[str]
    prohibited: frozenset[str]
    classification: str
    provenance: dict[str, tuple[Limit, ...]]

    def permits(self, use: str) -> bool:
        """True when `use` is allowed and not prohibited. ValueError for a use that does not exist."""
        _check_known([use])
        return use in self.allowed

    def why_not(self, use: str) -> str:
        """The rule that forbids `use`, "training prohibited: Contains PHI - HIPAA"; "" when it is permitted."""
        return "" if self.permits(use) else self.provenance[use][0].words(use)


@dataclass(frozen=True)
class TagRule:
    """What a Unity Catalog tag means for uses."""

    prohibited: frozenset[str] = frozenset()
    classification: str | None = None


Policy = Mapping[str, TagRule]


class Governed(Protocol):
    """A sheet, label or pair as far as its own rule on uses goes."""

    allowed_uses: Any
    prohibited_uses: Any
    usage_reason: Any
    data_classification: Any


def limit_of(source: str, row: Governed) -> Limit:
    """Return the rule that a sheet, canonical label or pair carries itself."""
    allowed, prohibited = frozenset(row.allowed_uses), frozenset(row.prohibited_uses)
    return Limit(source, row.usage_reason, allowed, prohibited, row.data_classification)


def gate(
    tags: Iterable[Limit] = (),
    sheet: Governed | None = None,
    label: Governed | None = None,
    pair: Governed | None = None,
    held_out: Iterable[Limit] = (),
) -> Decision:
    """Return what may be done in the end with a pair, or with a label or sheet where there is no pair yet.

    `tags` are the limits that follow from the tags of the sources, as they are now, `held_out` those of an item that is
    reserved for evaluation. `QAPairQuerySet.permitted` is the same rule as a filter.
    """
    own = (("sheet", sheet), ("canonical label", label), ("pair", pair))
    return decide([*tags, *held_out, *(limit_of(source, row) for source, row in own if row is not None)])


def decide(limits: Iterable[Limit]) -> Decision:
    """The strictest of all limits: allowed is the intersection less everything prohibited, classification the highest.

    Without any limit all five uses are allowed and the classification is the lowest, so that a limit can only tighten.
    Raises ValueError for a use or classification that does not exist.
    """
    # Sorted, so that the words of an exclusion do not depend on the order in which rules were read.
    rules = sorted(limits, key=_telling)
    for rule in rules:
        _check_known([*rule.prohibited, *(rule.allowed or ())])
    provenance = {use: found for use in USES if (found := _forbidding(rules, use))}
    return Decision(
        allowed=frozenset(USES) - provenance.keys(),
        prohibited=frozenset().union(*(rule.prohibited for rule in rules)),
        classification=highest(rule.classification for rule in rules),
        provenance=provenance,
    )


def highest(classifications: Iterable[str | None]) -> str:
    """The strictest classification named, "public" if none is. ValueError for one that does not exist."""
    named = [name for name in classifications if name is not None]
    for name in named:
        if name not in CLASSIFICATIONS:
            raise ValueError(
                f"Unknown data classification '{name}'. Allowed: {', '.join(CLASSIFICATIONS)}."
                + near_misses(name, CLASSIFICATIONS)
            )
    return max(named, key=CLASSIFICATIONS.index, default=CLASSIFICATIONS[0])


def validate_uses(allowed: Iterable[str], prohibited: Iterable[str]) -> None:
    """Raises ValueError for an unknown use, one named twice, and one that is both allowed and prohibited."""
    lists = {"allowed": list(allowed), "prohibited": list(prohibited)}
    for name, uses in lists.items():
        _check_known(uses)
        if twice := sorted({use for use in uses if uses.count(use) > 1}):
            raise ValueError(f"Named twice in {name} uses: {', '.join(twice)}. Name each use once.")
    if both := sorted(set(lists["allowed"]) & set(lists["prohibited"])):
        raise ValueError(f"Both allowed and prohibited: {', '.join(both)}. Take each out of one of the two lists.")


def tag_limit(level: str, name: str, tag_key: str, tag_value: str | None = "", *, policy: Policy) -> Limit | None:
    """The limit a tag of `name` means under `policy`, or None when it means nothing.

    `level` is catalog, schema, table, column or volume. A tag counts by its key or by its value in any case, because
    `PHI` is found as a key without value and as `classification = phi`.
    """
    by_fold = {word.casefold(): rule for word, rule in policy.items()}
    words = [word for word in (tag_key, tag_value or "") if word.strip().casefold() in by_fold]
    if not words:
        return None
    rules = [by_fold[word.strip().casefold()] for word in words]
    shown = tag_key if words[0] == tag_key else f"{tag_key}={tag_value}"
    named = [rule.classification for rule in rules if rule.classification is not None]
    return Limit(
        source=f"{level} tag {shown}",
        prohibited=frozenset().union(*(rule.prohibited for rule in rules)),
        classification=highest(named) if named else None,
        where=name,
        by_tag=True,
    )


def unread_limit(level: str, name: str, why: str, *, policy: Policy) -> Limit:
    """The limit of tags that could not be read: as strict as every tag of `policy` together, for any may be there."""
    named = [rule.classification for rule in policy.values() if rule.classification is not None]
    return Limit(
        source=f"{level} tags",
        reason=f"tags of {name} could not be read: {why}",
        prohibited=frozenset().union(*(rule.prohibited for rule in policy.values())),
        classification=highest(named) if named else None,
        where=name,
        by_tag=True,
    )


def _forbidding(rules: list[Limit], use: str) -> tuple[Limit, ...]:
    forbidding = [rule for rule in rules if rule.forbids(use)]
    return tuple(sorted(forbidding, key=lambda rule: use not in rule.prohibited))


def _telling(rule: Limit) -> tuple[object, ...]:
    """A rule with a reason tells more than one without; the rest makes the order total."""
    allowed = ("any",) if rule.allowed is None else tuple(sorted(rule.allowed))
    return (
        not rule.reason, rule.source, rule.where, rule.reason,
        allowed, tuple(sorted(rule.prohibited)), rule.classification or "",
    )  # fmt: skip


def _check_known(uses: Iterable[str]) -> None:
    if isinstance(uses, str):
        raise TypeError(f"Uses are a list of names, found the text '{uses}'.")
    for use in uses:
        if use not in USES:
            raise ValueError(f"Unknown use '{use}'. Allowed: {', '.join(USES)}.{near_misses(str(use), USES)}")
