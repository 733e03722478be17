"""A tag is put on a place of the catalog or taken away, with a reason: it holds at the next use, and the audit has a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connections

from governance import audit
from governance.changing import LOOSEN, given_back
from governance.policies import current_policy
from governance.uses import Decision
from sheets.catalog import browser, describe, need_catalog, need_schema
from sheets.hidden_sources import need_source, need_work_below
from sheets.names import TableName, VolumeName, quote
from sheets.source_uses import judged
from sheets.tagged import LEVELS, Place, Tagged
from sheets.tags_told import note_tags
from sheets.volumes import volume
from workbench.lakehouse.literals import literal
from workbench.near import listed, near_misses
from workbench.problems import Conflict, Forbidden, Invalid, NotFound
from workbench.router import LAKEHOUSE

# What Unity Catalog takes.
LONGEST_KEY, LONGEST_VALUE = 255, 1000
NOT_CHANGED = "The tag was not changed."
FORMS = {
    "catalog": "catalog", "schema": "catalog.schema", "table": "catalog.schema.table",
    "column": "catalog.schema.table.column", "volume": "catalog.schema.volume",
}  # fmt: skip


@dataclass(frozen=True)
class TagChange:
    """A key with its value on a place, or that the key is taken away from there."""

    place: Place
    key: str
    value: str = ""
    remove: bool = False

    @property
    def words(self) -> str:
        """The change as it is told: "Tag PHI set on the table a.b.c"."""
        tag = f"{self.key}={self.value}" if self.value and not self.remove else self.key
        done = "taken away from" if self.remove else "set on"
        return f"Tag {tag} {done} the {self.place.level} {self.place.name}"

    @property
    def asked(self) -> dict[str, Any]:
        """The change as `governance.foresight.foreseen` takes it."""
        named = {"level": self.place.level, "place": self.place.name}
        return {**named, "key": self.key, "value": self.value, "remove": self.remove}


@dataclass(frozen=True)
class TagEffect:
    """The tags of the place before and after, and what they alone let through."""

    before: Tagged
    after: Tagged
    was: Decision
    now: Decision
    loosens: str


def tag_change(level: str, place: str, key: str, value: str = "", *, remove: bool = False, user: Any) -> TagChange:
    """Return the change of a tag that the user asks for.

    Invalid naming each input at fault, NotFound for a place that is not there for the user, Forbidden where a sheet
    reads from there that the user may not work on.
    """
    key, value = key.strip(), "" if remove else value.strip()
    faults = {
        "level": _level_faults(level),
        "key": _faults(key, LONGEST_KEY) or ([] if key else ["Name the tag, such as PHI."]),
        "value": _faults(value, LONGEST_VALUE),
    }
    _raise(faults)
    change = TagChange(place_named(level, place, user=user), key, value, remove)
    need_work_below(user, change.place)
    return change


def place_named(level: str, name: str, *, user: Any) -> Place:
    """Return the place as the catalog spells it; Invalid for another form of name, NotFound where none is for the user."""
    if level == "volume" and name.startswith("/"):
        name = ".".join(name.removeprefix("/Volumes/").rstrip("/").split("/"))
    wanted = FORMS[level].count(".")
    parts = tuple(part.strip() for part in name.split(".", wanted))
    if len(parts) <= wanted or not all(parts) or (level != "column" and "." in parts[-1]):
        raise Invalid.of_fields(NOT_CHANGED, {"place": [f"Found {name!r}: name a {level} as {FORMS[level]}."]})
    above = tuple(part.lower() for part in parts[:3])
    NEEDED[level](user, above)
    return Place(level, (*above, _column(TableName(*above), parts[3])) if level == "column" else above)


def places_named(name: str, *, level: str = "", user: Any) -> list[Place]:
    """Return the places of this name as the catalog spells them, of this `level` or of any that has it.

    Errors as for `place_named`; NotFound where no level has it.
    """
    if level:
        _raise({"level": _level_faults(level)})
        return [place_named(level, name, user=user)]
    found = []
    for each in LEVELS:
        with suppress(Invalid, NotFound):
            found.append(place_named(each, name, user=user))
    if not found:
        raise NotFound(f"There is no {' or '.join(LEVELS)} {name!r}, or you may not see it.")
    return found


def effect_of(change: TagChange) -> TagEffect:
    """Return what the change does to the place; Conflict where it is so already, or its tags cannot be read."""
    (before,) = browser().tags([change.place])
    where = f"The {change.place.level} {change.place.name}"
    if before.problem:
        raise Conflict(f"{where} does not tell its tags, so nobody can say what changes: {before.problem}")
    after = before.with_tag(change.key, change.value, remove=change.remove)
    if after.tags == before.tags:
        has = f"It has {listed(before.words)}." if before.tags else "It has no tags."
        raise Conflict(f"{where} has {'no such tag' if change.remove else 'this tag'} already. {has}")
    policy = current_policy()
    was, now = judged([before], policy).decision, judged([after], policy).decision
    return TagEffect(before, after, was, now, _loosens(change, was, now))


def change_tag(change: TagChange, reason: str, *, actor: str, may_loosen: bool) -> TagEffect:
    """Put the tag on its place or take it away, and return what that did.

    Invalid without a reason, Conflict as for `effect_of` and where the lakehouse refuses, Forbidden for what loosens,
    without the right to: that is a row of the audit too.
    """
    need_reason(reason)
    effect = effect_of(change)
    if effect.loosens and not may_loosen:
        problem = Forbidden(f"{effect.loosens} A platform lead may do that ({LOOSEN}).")
        audit.refused(problem, actor=actor, subject=_subject(change.place))
        raise problem
    # The audit comes first: what it says and what then was not done is better than the reverse.
    _audit(change, effect.was, effect.now, f"{change.words}: {reason.strip()}", actor)
    try:
        write_tag(change)
    except DatabaseError as error:
        _audit(change, effect.now, effect.was, f"Not done, the lakehouse refused it: {change.words}", actor)
        raise Conflict(f"{NOT_CHANGED} The lakehouse refused it: {error}") from error
    note_tags(effect.after)
    return effect


def write_tag(change: TagChange) -> None:
    """Run the statement, which takes no parameters; DatabaseError where the lakehouse refuses it."""
    level, parts = change.place.level, [quote(part) for part in change.place.parts]
    kind, column = ("TABLE", f" ALTER COLUMN {parts[3]}") if level == "column" else (level.upper(), "")
    tag = literal(change.key) if change.remove else f"{literal(change.key)} = {literal(change.value)}"
    verb = "UNSET" if change.remove else "SET"
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(f"ALTER {kind} {'.'.join(parts[:3])}{column} {verb} TAGS ({tag})")


def need_reason(reason: str) -> None:
    """Raise Invalid where nobody said why."""
    _raise({"reason": [] if reason.strip() else ["Say why; it is kept in the audit."]})


def _loosens(change: TagChange, was: Decision, now: Decision) -> str:
    """Return what the change gives back, in words, "" for one that only tightens; taking a tag away always loosens."""
    if back := given_back(was, now):
        return f"This {back}, as far as the {change.place.level} {change.place.name} goes."
    return f"This takes a tag away from the {change.place.level} {change.place.name}." if change.remove else ""


def _audit(change: TagChange, was: Decision, now: Decision, reason: str, actor: str) -> None:
    about = _subject(change.place)
    audit.append([audit.entry("tag_rule", about, reason=reason, actor=actor, **audit.sides(was, now))])


def _subject(place: Place) -> str:
    return f"{place.level} {place.name}"


def _need_table(user: Any, parts: tuple[str, ...]) -> None:
    name = TableName(*parts)
    need_source(user, name)
    describe(name)


def _need_volume(user: Any, parts: tuple[str, ...]) -> None:
    name = VolumeName(*parts)
    need_source(user, name)
    volume(name)


NEEDED: Mapping[str, Callable[[Any, tuple[str, ...]], None]] = {
    "catalog": lambda _user, parts: need_catalog(*parts),
    "schema": lambda _user, parts: need_schema(*parts),
    "table": _need_table,
    "column": _need_table,
    "volume": _need_volume,
}


def _column(table: TableName, name: str) -> str:
    known = [column["name"] for column in describe(table)]
    found = [each for each in known if each.lower() == name.lower()]
    if not found:
        raise NotFound(f"There is no column {name!r} in {table}.{near_misses(name, known)} Columns: {listed(known)}.")
    return str(found[0])


def _level_faults(level: str) -> list[str]:
    return [] if level in LEVELS else [f"Found {level!r}: use {listed(LEVELS)}.{near_misses(level, LEVELS)}"]


def _faults(text: str, longest: int) -> list[str]:
    if len(text) > longest:
        return [f"Found {len(text)} characters: use {longest} at most."]
    return [] if text.isprintable() else ["Found a line break or another control character: leave it out."]


def _raise(faults: Mapping[str, list[str]]) -> None:
    if found := {name: words for name, words in faults.items() if words}:
        raise Invalid.of_fields(NOT_CHANGED, found)
