"""Agreement of two experts, on random answers and against formulas written out by hand."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labels.opinions.comparing import Rule, are_same, compare
from labels.opinions.deciding import FIRST, OWN, SECOND, differences, in_words, merged, value_of
from labels.opinions.matching import iou, match_shapes, polygon_of
from labels.opinions.measures import Tally, kappa
from labels.opinions.sides import shown_differences
from templates_app.annotations import annotations_schema

SCHEMA = {
    "type": "object",
    "required": ["defect", "count"],
    "properties": {
        "defect": {"enum": ["scratch", "crack", "none"]},
        "count": {"type": "number"},
        "seen": {"type": "boolean"},
        "words": {"type": "string"},
        "rows": {"type": "array", "items": {"type": "object", "properties": {"code": {"type": "string"}}}},
        "marks": annotations_schema(["scratch", "crack"]),
    },
}
SIDE = st.integers(0, 60)
BOX = st.fixed_dictionaries(
    {"x": SIDE, "y": SIDE, "width": st.integers(1, 40), "height": st.integers(1, 40)}
)  # fmt: skip
POLYGON = st.lists(st.tuples(SIDE, SIDE).map(list), min_size=3, max_size=6)
LABEL = st.sampled_from(["scratch", "crack"])
SHAPE = st.one_of(
    st.fixed_dictionaries({"label": LABEL, "box": BOX}), st.fixed_dictionaries({"label": LABEL, "polygon": POLYGON})
)
MARKS = st.fixed_dictionaries(
    {"image": st.just("a.jpg"), "width": st.just(100), "height": st.just(100), "shapes": st.lists(SHAPE, max_size=4)}
)
ANSWER = st.fixed_dictionaries(
    {},
    optional={
        "defect": st.sampled_from(["scratch", "crack", "none"]),
        "count": st.one_of(st.integers(-3, 3), st.sampled_from([0.5, 1.0])),
        "seen": st.one_of(st.booleans(), st.none()),
        "words": st.text("ab ", max_size=5),
        "rows": st.lists(st.fixed_dictionaries({"code": st.text("xy", max_size=2)}), max_size=3),
        "marks": MARKS,
        "strange": st.one_of(st.lists(st.integers(0, 2), max_size=2), st.text("q", max_size=1)),
    },
)
TABLES = st.dictionaries(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), st.integers(1, 9))


@settings(deadline=None, max_examples=50)
@given(ANSWER)
def test_the_same_answer_agrees_in_everything(answer: Any) -> None:
    units = compare(SCHEMA, answer, answer)
    tally = Tally()
    tally.add("ana", "ben", units)
    assert are_same(units)
    assert all((found.percent, found.similarity) == (100, 1) for found in tally.fields)
    assert {found.kappa for found in tally.fields} <= {None, 1.0}


@settings(deadline=None, max_examples=50)
@given(ANSWER, ANSWER, st.sampled_from([0.0, 0.5, 2.0]))
def test_swapping_the_experts_changes_nothing(first: Any, second: Any, tolerance: float) -> None:
    rule = Rule(tolerance)
    there, back = Tally(), Tally()
    there.add("ana", "ben", compare(SCHEMA, first, second, rule))
    back.add("ben", "ana", compare(SCHEMA, second, first, rule))

    def figures(tally: Tally) -> Any:
        return [
            (found.name, found.kind, found.percent, found.similarity, found.kappa, found.mean_iou, found.f1)
            for found in tally.fields
        ]

    assert figures(there) == figures(back)
    assert there.pairs == back.pairs


@settings(deadline=None, max_examples=50)
@given(ANSWER, ANSWER)
def test_what_is_chosen_makes_either_answer(first: Any, second: Any) -> None:
    found = differences(SCHEMA, first, second, Rule())
    firsts, seconds = ({each.name: choice for each in found} for choice in (FIRST, SECOND))
    assert merged(first, found, firsts, {}) == first
    assert are_same(compare(SCHEMA, merged(first, found, seconds, {}), second))
    assert bool(found) != are_same(compare(SCHEMA, first, second))
    assert len(shown_differences(found, {}, {}, {"a.jpg": "/a.jpg"})) == len(found)


@settings(deadline=None, max_examples=50)
@given(TABLES)
def test_kappa_is_the_published_formula(table: dict[tuple[str, str], int]) -> None:
    found, n = kappa([table]), sum(table.values())
    if not n:
        assert found is None
        return
    observed = sum(count for (one, other), count in table.items() if one == other) / n
    share = [dict.fromkeys("abc", 0.0) for _ in range(2)]
    for pair, count in table.items():
        for rater in (0, 1):
            share[rater][pair[rater]] += count / n
    expected = sum(share[0][said] * share[1][said] for said in "abc")
    assert found == (pytest.approx((observed - expected) / (1 - expected)) if expected < 1 - 1e-12 else 1.0)
    assert found == kappa([{(other, one): count for (one, other), count in table.items()}])


def test_kappa_of_a_table_worked_out_on_paper() -> None:
    # 50 items, both yes 20, both no 15: observed 0.7, by chance 0.5 · 0.6 + 0.5 · 0.4 = 0.5.
    assert kappa([Counter({("y", "y"): 20, ("y", "n"): 5, ("n", "y"): 10, ("n", "n"): 15})]) == pytest.approx(0.4)
    assert kappa([{("y", "y"): 3}]) == 1.0
    assert kappa([{("y", "n"): 3}]) == 0.0
    assert kappa([{}]) is None
    # With 20 more, of which 10 differ and all were chance: observed 45/70, by chance (25 + 10)/70.
    assert kappa(
        [{("y", "y"): 20, ("y", "n"): 5, ("n", "y"): 10, ("n", "n"): 15}, {("y", "y"): 10, ("y", "n"): 10}]
    ) == (pytest.approx((45 - 35) / (70 - 35)))


def test_kappa_is_of_two_experts_whoever_answered_first() -> None:
    tally = Tally()
    for at in range(10):
        minor, major = ("ana", "scratch"), ("ben", "crack")
        (first, one), (second, other) = (minor, major) if at % 2 else (major, minor)
        tally.add(first, second, compare(SCHEMA, {"defect": one}, {"defect": other}))
    tally.add("cara", "ana", compare(SCHEMA, {"defect": "scratch"}, {"defect": "scratch"}))
    defect = next(found for found in tally.fields if found.name == "defect")
    # Each always says the same, so that chance explains all: 0.0, not -1.0 as of first and second answers.
    assert [(pair.first, pair.second, pair.kappas[0].kappa) for pair in tally.pairs] == [
        ("ana", "ben", 0.0), ("ana", "cara", 1.0),
    ]  # fmt: skip
    assert (defect.places, defect.same, defect.kappa) == (11, 1, 0.0)


@settings(deadline=None, max_examples=50)
@given(BOX, BOX)
def test_boxes_overlap_as_their_sides_say(one: Any, other: Any) -> None:
    wide, high = (
        max(0, min(one[at] + one[side], other[at] + other[side]) - max(one[at], other[at]))
        for at, side in (("x", "width"), ("y", "height"))
    )
    shared, areas = wide * high, one["width"] * one["height"] + other["width"] * other["height"]
    assert iou(polygon_of({"box": one}), polygon_of({"box": other})) == pytest.approx(shared / (areas - shared))


@settings(deadline=None, max_examples=50)
@given(POLYGON, POLYGON)
def test_polygons_overlap_from_none_to_wholly(one: Any, other: Any) -> None:
    areas = polygon_of({"polygon": one}), polygon_of({"polygon": other})
    assert 0 <= iou(*areas) <= 1
    assert iou(*areas) == pytest.approx(iou(*areas[::-1]))
    assert iou(areas[0], areas[0]) == pytest.approx(1)


def test_shapes_find_the_partner_that_they_cover_best() -> None:
    def marks(*boxes: tuple[int, str]) -> dict[str, Any]:
        made = [{"label": label, "box": {"x": x, "y": 0, "width": 10, "height": 10}} for x, label in boxes]
        return {"image": "a.jpg", "shapes": made}

    match = match_shapes(marks((0, "scratch"), (2, "scratch"), (50, "crack")), marks((2, "scratch"), (50, "scratch")))
    assert (match.ious, match.f1, match.is_whole) == ([1.0], 2 / 5, False)
    assert match_shapes(marks((0, "scratch")), marks((3, "scratch"))).ious == [pytest.approx(7 / 13)]
    assert match_shapes(marks(), marks()).is_whole
    assert match_shapes(marks((0, "crack")), marks((0, "crack")) | {"image": "b.jpg"}).f1 == 0


def test_nothing_said_is_the_same_however_it_is_said() -> None:
    assert are_same(compare(SCHEMA, {"words": " ", "seen": None}, {}))
    assert are_same(compare(SCHEMA, {"words": "two  words\n"}, {"words": "two words"}))
    (unit,) = (each for each in compare(SCHEMA, {"rows": [{"code": "x"}]}, {"rows": []}) if not each.is_same)
    assert (unit.field, unit.is_same, unit.first, unit.second) == ("rows[].code", False, "x", None)
    assert not are_same(compare(SCHEMA, {"count": 1}, {"count": 1.5}))
    assert are_same(compare(SCHEMA, {"count": 1}, {"count": 1.5}, Rule(tolerance=0.5)))
    assert not are_same(compare({}, {"a": 1}, {"a": True}))


def test_that_both_say_nothing_counts_however_it_is_said() -> None:
    said = {"defect": "none", "count": 1}
    places = [unit.field for unit in compare(SCHEMA, said, said)]
    assert places == ["defect", "count", "marks", "rows[].code", "seen", "words"]
    ways = ({}, {"seen": None, "words": "", "rows": []}, {"rows": None})
    for one, other in product(ways, ways):
        units = compare(SCHEMA, said | one, said | other)
        assert ([unit.field for unit in units], are_same(units)) == (places, True)
    below = {"type": "array", "items": {"$ref": "#/$defs/part"}}
    tree = {"$defs": {"part": {"properties": {"name": {"enum": ["a"]}, "below": below}}}, "$ref": "#/$defs/part"}
    assert [unit.field for unit in compare(tree, {"name": "a"}, {})] == ["below[].name", "name"]


def test_one_answer_from_several() -> None:
    first = {"defect": "scratch", "count": 2, "rows": [{"code": "a"}], "words": "left"}
    second = {"defect": "crack", "count": 3, "rows": [{"code": "b"}, {"code": "a"}]}
    found = differences(SCHEMA, first, second, Rule())
    assert [each.name for each in found] == ["defect", "count", "rows", "words"]
    chosen = {"defect": SECOND, "count": OWN, "rows": FIRST, "words": SECOND}
    typed = {"count": value_of(found[1], " 4 ")}
    assert merged(first, found, chosen, typed) == {"defect": "crack", "count": 4, "rows": [{"code": "a"}]}
    assert in_words(chosen, "ana", "ben") == "defect from ben, count another answer, rows from ana, words from ben"
    assert in_words({"defect": SECOND, "count": SECOND}, "ana", "ben") == "all from ben"
