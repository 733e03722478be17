"""What the tags of a sheet's sources mean for uses: read at catalog, schema, table, column and volume level.

Tags that could not be read are no permission: they limit as the strictest tags would, and say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import DatabaseError

from governance.policies import current_policy
from governance.uses import USES, Decision, Limit, Policy, decide, limit_of, tag_limit, unread_limit
from sheets.catalog import Row, browser, describe
from sheets.models import Sheet
from sheets.names import TableName, VolumeName
from sheets.tagged import Place, Tagged
from sheets.volumes import volume
from workbench.problems import Problem

Found = Place | Tagged


@dataclass(frozen=True, slots=True)
class SourceUses:
    """The tags by level, the limits that follow, and what may be done under them alone."""

    tagged: Sequence[Tagged]
    limits: Sequence[Limit]
    decision: Decision

    @property
    def levels(self) -> list[Tagged]:
        """The levels worth showing: all but the columns without tags."""
        return [each for each in self.tagged if each.level != "column" or each.tags or each.problem]

    @property
    def allowed_uses(self) -> list[str]:
        return [use for use in USES if use in self.decision.allowed]

    @property
    def prohibited_uses(self) -> dict[str, list[str]]:
        """Each use that is not allowed, with the words of every rule that forbids it."""
        return {use: [rule.words(use) for rule in rules] for use, rules in self.decision.provenance.items()}

    @property
    def data_classification(self) -> str:
        return self.decision.classification


def uses_of(sheet: Sheet) -> SourceUses:
    """Return what the tags of everything that the sheet joins mean, as they are now, with the sheet's own rule."""
    return _judged((found for source in _sources(sheet) for found in source), sheet)


def uses_of_table(name: TableName, described: Row) -> SourceUses:
    """Return what the tags of a table mean as `sheets.catalog.table` describes it, with those of schema and catalog."""
    rows = [
        ("table", str(name), described),
        *(("column", f"{name}.{row['name']}", row) for row in described["columns"]),
    ]
    own = [Tagged(level, full, row["tags"], row["tags_problem"]) for level, full, row in rows]
    return _judged([*_above((name.catalog, name.schema, name.table)), *own])


def uses_of_volume(name: VolumeName) -> SourceUses:
    """Return what the tags of a volume, its schema and catalog mean."""
    return _judged(_volume(str(name)))


def limits_of(sheet: Sheet) -> Sequence[Limit]:
    """Return the limits on uses of the sheet itself and those that follow from the tags of its sources, as they are now."""
    return uses_of(sheet).limits


def own_limit(sheet: Sheet) -> Limit | None:
    """Return the rule that the sheet carries itself, None where it says nothing."""
    limit = limit_of("sheet", sheet)
    says_nothing = not limit.prohibited and limit.allowed == frozenset(USES) and limit.classification == "public"
    return None if says_nothing else limit


def _judged(found: Iterable[Found], sheet: Sheet | None = None) -> SourceUses:
    once = list(dict.fromkeys(found))
    read = iter(browser().tags([each for each in once if isinstance(each, Place)]))
    tagged = [next(read) if isinstance(each, Place) else each for each in once]
    return judged(tagged, current_policy(), sheet)


def judged(tagged: Sequence[Tagged], policy: Policy, sheet: Sheet | None = None) -> SourceUses:
    """Return what tags mean under a policy, with the sheet's own rule where one is given."""
    limits = [limit for each in tagged for limit in _limits(each, policy)]
    if sheet is not None and (own := own_limit(sheet)):
        limits.append(own)
    return SourceUses(tagged, limits, decide(limits))


def _limits(tagged: Tagged, policy: Policy) -> Iterator[Limit]:
    if tagged.problem:
        yield unread_limit(tagged.level, tagged.name, tagged.problem, policy=policy)
    for key, value in tagged.tags.items():
        if limit := tag_limit(tagged.level, tagged.name, key, value, policy=policy):
            yield limit


def _sources(sheet: Sheet) -> Iterator[Iterator[Found]]:
    yield _table(sheet.primary_table)
    for source in sheet.secondary_sources or ():
        yield _volume(str(source.get("path"))) if source.get("type") == "volume" else _table(str(source.get("table")))


def _table(text: str) -> Iterator[Found]:
    """Yield the places of a table, or in the place of what cannot be looked at why."""
    try:
        name = TableName.parse(text)
        columns = [column["name"] for column in describe(name)]
    except (Problem, DatabaseError) as error:
        yield Tagged("table", text, problem=str(error))
        return
    parts = (name.catalog, name.schema, name.table)
    yield from _above(parts)
    yield Place("table", parts)
    yield from (Place("column", (*parts, column)) for column in columns)


def _volume(text: str) -> Iterator[Found]:
    try:
        name = VolumeName.parse(text)
        volume(name)
    except Problem as error:
        yield Tagged("volume", text, problem=str(error))
        return
    parts = (name.catalog, name.schema, name.volume)
    yield from _above(parts)
    yield Place("volume", parts)


def _above(parts: tuple[str, str, str]) -> Iterator[Place]:
    yield Place("catalog", parts[:1])
    yield Place("schema", parts[:2])
