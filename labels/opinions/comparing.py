"""Two answers to one item, compared field by field as experts would. No database inside.

What a schema calls an enum or a boolean is compared as a category, numbers within a tolerance, texts after their white
space is folded, shapes by how far they cover each other, all else as JSON. Nothing said is the same however it is said:
a field that is missing, null or an empty text, a list without rows. That both say nothing is agreement too, and counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import Indel

from labels.opinions.matching import MIN_IOU, Match, match_shapes
from templates_app.annotations import is_annotations
from templates_app.changes import folded, written
from templates_app.plain_schema import DEEPEST, Schema, plain
from workbench.canonical import canonical_json

CATEGORY, NUMBER, TEXT, SHAPES, OTHER = "category", "number", "text", "shapes", "other"
_KINDS = {"boolean": CATEGORY, "integer": NUMBER, "number": NUMBER, "string": TEXT}
# What decimals lose when they become binary.
_HAIR = 1e-9

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """When two values count as the same: numbers that differ by at most `tolerance`, shapes from `min_iou` on."""

    tolerance: float = 0.0
    min_iou: float = MIN_IOU


@dataclass(frozen=True, slots=True)
class Unit:
    """One place of both answers. `closeness` is 1.0 for the same: similarity of texts, F1 of shapes, else 0.0."""

    path: Path
    kind: str
    first: Any
    second: Any
    is_same: bool
    closeness: float
    match: Match | None = None

    @property
    def field(self) -> str:
        """The field, whatever row of a list it is in: `personel[].nrp`, `$` for a whole answer."""
        return folded(written(self.path))

    @property
    def categories(self) -> tuple[str, str]:
        return canonical_json([self.first]), canonical_json([self.second])


def compare(output_schema: Schema, first: Any, second: Any, rule: Rule = Rule()) -> list[Unit]:
    """Return every place that the schema has or either answer adds, in the order of the schema, also where both say nothing.

    Rows of lists are compared by their position; where both lists are empty, that is one place. Swapping the answers swaps `first` and `second` and changes nothing else.
    """
    return list(_Comparison(output_schema, rule).units((), output_schema, first, second))


def are_same(units: list[Unit]) -> bool:
    """Return whether the answers say the same at every place."""
    return all(unit.is_same for unit in units)


def is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


@dataclass(frozen=True)
class _Comparison:
    root: Schema
    rule: Rule

    def units(
        self, path: Path, schema: Any, first: Any, second: Any, unsaid: frozenset[int] = frozenset()
    ) -> Iterator[Unit]:
        """`unsaid` are the parts of the schema that led here since both said nothing: one that contains itself has no end."""
        schema, _ = plain(self.root, schema)
        said = [value for value in (first, second) if not is_nothing(value)]
        inside = schema.get("properties", schema.get("items"))
        if not said and (id(inside) in unsaid or len(unsaid) == DEEPEST):
            return
        unsaid = frozenset() if said or inside is None else unsaid | {id(inside)}
        if is_annotations(schema) and all(isinstance(value, Mapping) for value in said):
            yield self._shapes(path, first, second)
        elif all(isinstance(value, Mapping) for value in said) and (said or "properties" in schema):
            for key in _keys(schema, first or {}, second or {}):
                member = schema.get("properties", {}).get(key, {})
                yield from self.units((*path, key), member, (first or {}).get(key), (second or {}).get(key), unsaid)
        elif all(isinstance(value, list) for value in said) and (said or schema.get("type") == "array"):
            rows = schema.get("items", {})
            # Where both are empty or missing, experts agree that there is no row.
            for at in range(max([1, *map(len, said)])):
                yield from self.units((*path, at), rows, _row(first, at), _row(second, at), unsaid)
        else:
            yield self._leaf(path, schema, first, second)

    def _leaf(self, path: Path, schema: Schema, first: Any, second: Any) -> Unit:
        first, second = _said(first), _said(second)
        kind, same = _kind(schema, first, second), self._same(first, second)
        both_texts = isinstance(first, str) and isinstance(second, str)
        if kind == TEXT and both_texts:
            return Unit(path, kind, first, second, same, Indel.normalized_similarity(_fold(first), _fold(second)))
        return Unit(path, kind, first, second, same, float(same))

    def _shapes(self, path: Path, first: Any, second: Any) -> Unit:
        match = match_shapes(first or {}, second or {}, self.rule.min_iou)
        same = match.is_whole and is_nothing(first) == is_nothing(second)
        return Unit(path, SHAPES, first, second, same, match.f1, match)

    def _same(self, first: Any, second: Any) -> bool:
        if isinstance(first, str) and isinstance(second, str):
            return _fold(first) == _fold(second)
        if _is_number(first) and _is_number(second):
            return bool(first == second or abs(first - second) <= self.rule.tolerance * (1 + _HAIR))
        return canonical_json([first]) == canonical_json([second])


def _keys(schema: Schema, first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """The keys of schema and answers as a form shows them: the required ones in their author's order, then the others."""
    needed = list(schema.get("required", []))
    return sorted(
        {*schema.get("properties", {}), *first, *second},
        key=lambda key: (needed.index(key) if key in needed else len(needed), key),
    )


def _kind(schema: Schema, first: Any, second: Any) -> str:
    if "enum" in schema or "const" in schema:
        return CATEGORY
    if known := _KINDS.get(str(schema.get("type"))):
        return known
    said = [value for value in (first, second) if value is not None]
    if said and all(isinstance(value, bool) for value in said):
        return CATEGORY
    if said and all(map(_is_number, said)):
        return NUMBER
    return TEXT if said and all(isinstance(value, str) for value in said) else OTHER


def _row(rows: Any, at: int) -> Any:
    return rows[at] if isinstance(rows, list) and at < len(rows) else None


def _said(value: Any) -> Any:
    return None if is_nothing(value) else value


def _fold(text: str) -> str:
    return " ".join(text.split())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
