"""Two answers as the adjudication screen shows them: side by side where they differ, and what both say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labels.labeling.past import Piece, words_between
from labels.opinions.comparing import CATEGORY, NUMBER, SHAPES, TEXT, Rule, compare
from labels.opinions.deciding import FIRST, LINES, SECOND, Difference, differences
from templates_app.annotations import colour_of
from templates_app.changes import written
from templates_app.form_fields import MISSING, words_of
from templates_app.plain_schema import Schema
from templates_app.shapes import bounds_of, outline_of
from workbench.canonical import canonical_json

Shape = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A shape on its picture, in words and by the points of an SVG polygon, with the number of its label's colour."""

    words: str
    points: str
    colour: int


@dataclass(frozen=True, slots=True)
class Side:
    """One answer to a field: text in pieces, the words that only this one has marked; shapes with their picture."""

    choice: str
    pieces: Sequence[Piece]
    shapes: Sequence[Drawn] = ()
    picture: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ShownDifference:
    """A field that differs; `chosen` is one of `CHOICES` or empty, `text` what was typed instead of both."""

    at: int
    name: str
    label: str
    kind: str
    sides: tuple[Side, Side]
    options: Sequence[tuple[str, str]]
    chosen: str = ""
    text: str = ""

    @property
    def is_long(self) -> bool:
        return self.kind not in (CATEGORY, NUMBER)

    @property
    def is_list(self) -> bool:
        return self.kind == LINES

    @property
    def written_as(self) -> str:
        """How another answer is typed, where that does not go without saying."""
        return {LINES: "one a line", TEXT: "", CATEGORY: "", NUMBER: ""}.get(self.kind, "as JSON")


def shown_differences(
    found: Sequence[Difference], chosen: Mapping[str, str], typed: Mapping[str, str], urls: Mapping[str, str]
) -> list[ShownDifference]:
    """Return the differences with what was chosen and typed, by their names; `urls` are those of the item's pictures."""
    return [
        ShownDifference(
            at,
            each.name,
            _label(each.name),
            each.kind,
            _sides(each, urls),
            [(canonical_json([option])[1:-1], _option(option)) for option in each.options],
            chosen.get(each.name, ""),
            typed.get(each.name, ""),
        )
        for at, each in enumerate(found)
    ]


def agreed(output_schema: Schema, first: Any, second: Any, rule: Rule) -> list[tuple[str, str]]:
    """Return what both say the same, as the first says it, without what neither says."""
    apart = [each.path for each in differences(output_schema, first, second, rule)]
    units = compare(output_schema, first, second, rule)
    return [
        (_label(written(unit.path)), _plain(unit.first))
        for unit in units
        if not (unit.first is None and unit.second is None)
        and not any(unit.path[: len(path)] == path for path in apart)
    ]


def _sides(each: Difference, urls: Mapping[str, str]) -> tuple[Side, Side]:
    if each.kind == SHAPES:
        return _shapes(FIRST, each.first, each.labels, urls), _shapes(SECOND, each.second, each.labels, urls)
    if each.kind == CATEGORY:
        return Side(FIRST, [("", _option(each.first))]), Side(SECOND, [("", _option(each.second))])
    one, other = _plain(each.first), _plain(each.second)
    if each.kind != TEXT or MISSING in (each.first, each.second):
        return Side(FIRST, [("", one)]), Side(SECOND, [("", other)])
    pieces = list(words_between(one, other))
    first = [("mark" if kind else "", text) for kind, text in pieces if kind != "ins"]
    second = [("mark" if kind else "", text) for kind, text in pieces if kind != "del"]
    return Side(FIRST, first), Side(SECOND, second)


def _shapes(choice: str, value: Any, labels: Sequence[str], urls: Mapping[str, str]) -> Side:
    if not isinstance(value, Mapping):
        return Side(choice, [("", _plain(value))])
    shapes = value.get("shapes", [])
    pieces = [] if shapes else [("", "nothing marked")]
    name = str(value.get("image"))
    size = {"width": value.get("width"), "height": value.get("height")}
    picture = {"name": name, "url": urls[name], **size} if name in urls else None
    return Side(choice, pieces, list(_drawn(shapes, labels)), picture)


def _drawn(shapes: Sequence[Shape], labels: Sequence[str]) -> Iterator[Drawn]:
    for shape in shapes:
        flat = outline_of(shape)
        corners = zip(flat[::2], flat[1::2], strict=True)
        points = " ".join(f"{across},{down}" for across, down in corners)
        yield Drawn(_measure(shape), points, colour_of(shape["label"], labels))


def _measure(shape: Shape) -> str:
    x, y, width, height = (round(value, 1) for value in bounds_of(shape))
    kind = "box" if "box" in shape else "polygon"
    return f"{words_of(shape['label'], upper=False)}: {kind} {width:g} × {height:g} at {x:g}, {y:g}"


def _option(value: Any) -> str:
    """Return one of several given values as the forms of answers write it."""
    return words_of(value, upper=False) if isinstance(value, str) and value else _plain(value)


def _plain(value: Any) -> str:
    if value is MISSING or value in (None, ""):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "an empty list"
    if isinstance(value, Mapping):
        return "; ".join(f"{words_of(name, upper=False)} {_plain(each)}" for name, each in value.items())
    return value if isinstance(value, str) else canonical_json([value])[1:-1]


def _label(name: str) -> str:
    return "The whole answer" if name == "$" else words_of(name.replace(".", " · "))
