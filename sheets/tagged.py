"""A place in the catalog that can carry tags, and the tags that were found there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

LEVELS = ("catalog", "schema", "table", "column", "volume")


@dataclass(frozen=True, slots=True)
class Place:
    """A catalog, schema, table, column or volume; `parts` are those of its name, four for a column."""

    level: str
    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Tagged:
    """The tags of a place, or in `problem` why they could not be read, which is not the same as none."""

    level: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    problem: str = ""

    @property
    def words(self) -> list[str]:
        """The tags as they are shown: "PHI", "classification=phi"."""
        return [f"{key}={value}" if value else key for key, value in self.tags.items()]

    def with_tag(self, key: str, value: str, *, remove: bool = False) -> Tagged:
        """Return the place as it would be with the tag, or without it."""
        others = {name: each for name, each in self.tags.items() if name != key}
        return replace(self, tags=others if remove else {**others, key: value})
