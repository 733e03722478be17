"""Boxes and polygons: the schema that asks for them, what a value must be, and the form that a person fills in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheets.pictures import Picture
from templates_app.annotations import annotations_in, annotations_schema
from templates_app.answer_form import MISSING, FormField, answer_of, form_of
from templates_app.schemas import SchemaProblem, check_output_schema, misfits, normalise_output_schema
from templates_app.shape_fields import points_of
from templates_app.shapes import area_of, bounds_of, picture_faults

LABELS = ["scratch", "bridge"]
SCHEMA = {"type": "object", "properties": {"marks": annotations_schema(LABELS)}, "required": ["marks"]}
SHORT = {
    "type": "object",
    "format": "image-annotations",
    "properties": {"shapes": {"items": {"properties": {"label": {"enum": LABELS}}}}},
}
BOARD = Picture("a.jpg", 800, 600)
BOX = {"label": "scratch", "box": {"x": 10, "y": 20.5, "width": 30, "height": 40}}
POLYGON = {"label": "bridge", "polygon": [[0, 0], [800, 0], [400, 600]]}


def marked(*shapes: Any, **more: Any) -> dict[str, Any]:
    return {"marks": {"image": "a.jpg", "width": 800, "height": 600, "shapes": list(shapes), **more}}


def test_shapes_inside_the_picture_fit() -> None:
    assert misfits(SCHEMA, marked(BOX, POLYGON)) == []
    assert misfits(SCHEMA, marked()) == []
    assert misfits(SHORT, marked(BOX, POLYGON)["marks"]) == []


@pytest.mark.parametrize(
    ("shape", "fault"),
    [
        ({"label": "dent", "box": BOX["box"]}, "shapes[0].label: found \"dent\"; allowed are \"scratch\", \"bridge\""),
        ({"box": BOX["box"]}, "shapes[0].label: found nothing; it is required"),
        ({"label": "scratch"}, "shapes[0]: found no shape; allowed is box or polygon"),
        ({**BOX, **POLYGON}, "shapes[0]: found box and polygon; allowed is box or polygon"),
        ({"label": "scratch", "box": {"x": 790, "y": 0, "width": 20, "height": 5}}, "width: found x + width = 810; the"),
        ({"label": "scratch", "box": {"x": -1, "y": 0, "width": 20, "height": 5}}, "box.x: found -1; allowed is 0 or"),
        ({"label": "scratch", "box": {"x": 1, "y": 0, "width": 0, "height": 5}}, "found 0; allowed is more than 0"),
        ({"label": "scratch", "box": {"x": 1, "y": 0, "width": 4}}, "box.height: found nothing; it is required"),
        ({"label": "scratch", "polygon": [[0, 0], [1, 1]]}, "polygon: found 2 points; allowed are 3 or more"),
        ({"label": "scratch", "polygon": [[0, 0], [1, 1], [2, 2]]}, "polygon: found points on one line"),
        ({"label": "scratch", "polygon": [[0, 0], [9, 9], [9, 0], [0, 9]]}, "or a line that crosses itself and leaves no"),
        ({"label": "scratch", "polygon": [[0, 0], [801, 1], [2, 9]]}, "polygon[1]: found [801,1]; the picture has 800"),
        ({"label": "scratch", "polygon": "10,x"}, "polygon: found \"10,x\"; allowed is a list of points"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_at_its_place(shape: Any, fault: str) -> None:
    found = misfits(SCHEMA, marked(shape))
    assert any(fault in words for words in found)
    assert len(found) == len(set(found))


def test_the_size_and_the_name_are_those_of_the_file() -> None:
    assert picture_faults(SCHEMA, marked(BOX), [BOARD]) == []
    assert picture_faults(SCHEMA, marked(BOX, width=600, height=800), [BOARD]) == [
        "answer.marks.width: found 600 × 800; the picture has 800 × 600 pixels"
    ]
    assert picture_faults(SCHEMA, marked(BOX, image="b.jpg"), [BOARD]) == [
        "answer.marks.image: found 'b.jpg'; the pictures of the item are a.jpg"
    ]


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({**SHORT, "type": "array"}, "allowed is 'object'"),
        ({"type": "object", "format": "image-annotations"}, "label.enum; found nothing"),
        (annotations_schema(["a", "a"]), 'found ["a","a"]'),
        (annotations_schema(["a\n"]), "each on one line"),
        ({"type": "array", "items": SHORT}, "inside an array"),
    ],
)
def test_a_schema_without_labels_is_not_published(schema: Any, fault: str) -> None:
    with pytest.raises(SchemaProblem) as problem:
        check_output_schema(schema)
    assert fault in str(problem.value)


def test_a_list_of_fields_asks_for_shapes_by_its_labels() -> None:
    field = {"name": "marks", "type": "image_annotations", "enum": LABELS}
    assert normalise_output_schema([field])["properties"]["marks"] == annotations_schema(LABELS)
    with pytest.raises(SchemaProblem, match="needs the labels"):
        check_output_schema([{"name": "marks", "type": "image_annotations"}])


def test_shapes_are_found_inside_objects_and_behind_references() -> None:
    schema = {
        "type": "object",
        "$defs": {"m": SHORT},
        "properties": {"board": {"type": "object", "properties": {"marks": {"$ref": "#/$defs/m"}}}},
    }
    check_output_schema(schema)
    (found,) = annotations_in(schema, {"board": marked(BOX)})
    assert (found.path, found.schema["format"], found.value["shapes"]) == ("board.marks", "image-annotations", [BOX])


def posted(field: FormField) -> dict[str, str]:
    """What a browser without scripts sends of the form."""
    (marks,) = (child for child in field.children if child.kind == "shapes")
    found = {f"{marks.name}.picture": next(option.value for option in marks.options if option.chosen)}
    for row in (*marks.children, *marks.blanks):
        found[f"{row.name}.kind"] = row.kind
        found[f"{row.name}.label"] = next((option.value for option in row.options if option.chosen), "")
        if row.kind == "box":
            found |= {f"{row.name}.{side}": text for side, text in row.numbers.items()}
        else:
            found[f"{row.name}.points"] = row.text
    return found | ({f"{marks.name}.nothing": "yes"} if marks.is_empty else {})


@pytest.mark.parametrize("answer", [marked(BOX, POLYGON), marked(), marked(POLYGON, BOX, width=1, image="b.png")])
def test_the_form_gives_back_what_it_shows(answer: Any) -> None:
    assert answer_of(SCHEMA, posted(form_of(SCHEMA, answer, pictures=[BOARD]))) == answer


def test_a_new_row_is_a_shape_once_it_is_filled_in() -> None:
    sent = posted(form_of(SCHEMA, MISSING, pictures=[BOARD]))
    assert answer_of(SCHEMA, sent) == {}
    sent |= {f"answer.marks.shapes[0].{side}": "10" for side in ("x", "y", "width", "height")}
    sent["answer.marks.shapes[0].label"] = "bridge"
    answer = answer_of(SCHEMA, sent)
    assert misfits(SCHEMA, answer) == []
    assert answer == marked({"label": "bridge", "box": dict.fromkeys(("x", "y", "width", "height"), 10)})
    assert (
        answer_of(SCHEMA, posted(form_of(SCHEMA, MISSING, pictures=[BOARD])) | {"answer.marks.nothing": "yes"})
        == marked()
    )


def test_faults_stand_at_their_row_and_what_rows_cannot_hold_is_json() -> None:
    wrong = marked(BOX, {"label": "dent", "box": BOX["box"]})
    (marks,) = (child for child in form_of(SCHEMA, wrong, misfits(SCHEMA, wrong)).children if child.key == "marks")
    assert [bool(row.faults) for row in marks.children] == [False, True]
    (marks,) = (
        child for child in form_of(SCHEMA, {"marks": {"shapes": [{"circle": 3}]}}).children if child.key == "marks"
    )
    assert marks.kind == "json"
    assert answer_of(SCHEMA, {"answer.marks": '{"shapes": []}'}) == {"marks": {"shapes": []}}


@given(st.lists(st.tuples(st.integers(0, 9999), st.floats(0, 9999).map(lambda number: round(number, 3))), min_size=1))
def test_points_are_read_as_they_are_written(points: list[tuple[float, float]]) -> None:
    assert points_of(" ".join(f"{x},{y}" for x, y in points)) == [list(point) for point in points]


def test_bounds_and_area() -> None:
    assert (bounds_of(POLYGON), area_of(POLYGON)) == ((0, 0, 800, 600), 240_000)
    assert (bounds_of(BOX), area_of(BOX)) == ((10, 20.5, 30, 40), 1200)
