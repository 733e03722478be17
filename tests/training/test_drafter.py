from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from templates_app.schemas import misfits
from training.drafter import Drafter, Example
from training.fitting import NOTHING, fit

# The first text drawn on a machine builds tables, which on a busy one looks like a slow test.
SLOW_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

INVOICE: list[dict[str, Any]] = [
    {"name": "patient_name", "type": "string"},
    {"name": "patient_dob", "type": "date"},
    {"name": "procedure_codes", "type": "array", "items": "string"},
    {"name": "total_amount", "type": "number"},
    {"name": "provider_name", "type": "string"},
]
DEFECT: list[dict[str, Any]] = [
    {"name": "defect_type", "type": "string", "enum": ["scratch", "solder_bridge", "none"]},
    {"name": "severity", "type": "string", "enum": ["minor", "major"]},
]
BOARDS = [
    Example("pcb_001", {"note": "long scratch on mask", "temp": 240}, {"defect_type": "scratch", "severity": "minor"}),
    Example(
        "pcb_002", {"note": "pins joined by solder", "temp": 262}, {"defect_type": "solder_bridge", "severity": "major"}
    ),
    Example(
        "pcb_003", {"note": "scratch near edge on mask", "temp": 241}, {"defect_type": "scratch", "severity": "minor"}
    ),
]


def test_nothing_known_gives_an_empty_answer_that_says_so() -> None:
    draft = Drafter([], DEFECT).draft({"note": "all fine"})
    assert (draft.answer, draft.confidence, draft.based_on) == ("", 0.0, [])
    assert "nothing to draft from" in draft.explanation


def test_columns_of_the_same_name_fill_fields_in_their_type() -> None:
    row = {
        "Patient Name": "Jane Smith",
        "patientDob": date(1985, 3, 15),
        "total_amount": Decimal("285.50"),
        "provider_name": "City",
    }
    draft = Drafter([], INVOICE).draft(row | {"procedure_codes": "99213, 87426"})
    assert json.loads(draft.answer) == {
        "patient_name": "Jane Smith",
        "patient_dob": "1985-03-15",
        "procedure_codes": ["99213", "87426"],
        "total_amount": 285.5,
        "provider_name": "City",
    }
    assert misfits(INVOICE, draft.answer) == [] and 0.9 < draft.confidence < 1


def test_labels_in_a_text_are_read() -> None:
    text = "CITY MEDICAL\nPatient Name: Jane Smith\nDOB: 03/15/1985 | Procedure Codes: 99213, 87426\n"
    text += "Total: $1,285.50\nName: ?"
    answer = json.loads(Drafter([], INVOICE).draft({"extracted_text": text}).answer)
    assert answer == {
        "patient_name": "Jane Smith",
        "patient_dob": "1985-03-15",
        "procedure_codes": ["99213", "87426"],
        "total_amount": 1285.5,
    }


def test_similar_labels_give_the_value_and_are_named() -> None:
    draft = Drafter(BOARDS, DEFECT).draft({"note": "deep mark on mask near edge", "temp": 242})
    assert json.loads(draft.answer) == {"defect_type": "scratch", "severity": "minor"}
    assert draft.based_on[0] == "pcb_003" and "pcb_003" in draft.explanation
    assert 0 < draft.confidence < 0.7


def test_an_option_named_in_the_row_is_taken() -> None:
    draft = Drafter([], DEFECT).draft({"image": "pcb_009_solder_bridge.jpg"})
    assert json.loads(draft.answer) == {"defect_type": "solder_bridge"}
    assert "severity not found" in draft.explanation and "does not fit yet" in draft.explanation
    assert draft.confidence == pytest.approx(0.3)


def test_a_name_of_another_item_is_never_copied() -> None:
    people = [Example(f"i{n}", {"text": "invoice city clinic"}, {"patient_name": f"P{n}"}) for n in range(5)]
    draft = Drafter(people, INVOICE).draft({"text": "invoice town clinic"})
    assert draft.answer == ""


def test_a_column_that_held_the_answer_before_is_learned() -> None:
    seen = [Example(f"i{n}", {"who": f"P{n}", "x": "same"}, {"patient_name": f"P{n}"}) for n in range(5)]
    draft = Drafter(seen, INVOICE).draft({"who": "Omar", "x": "other"})
    assert json.loads(draft.answer) == {"patient_name": "Omar"}


def test_text_answers_come_from_the_similar_label() -> None:
    seen = [Example("a", {"t": "red car"}, "a car"), Example("b", {"t": "red bus"}, "a bus")]
    draft = Drafter(seen, {}).draft({"t": "blue car"})
    assert (draft.answer, draft.based_on) == ("a car", ["a"])


values = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.decimals() | st.datetimes()
)
rows = st.dictionaries(st.sampled_from([field["name"] for field in INVOICE] + ["text", "note", "severity"]), values)


@settings(SLOW_MACHINE)
@given(st.lists(rows, max_size=4), rows)
def test_any_row_gives_the_same_draft_twice_with_fields_that_fit(
    labelled: list[dict[str, Any]], row: dict[str, Any]
) -> None:
    fields: list[dict[str, Any]] = [*INVOICE, *DEFECT]
    schema = [{**field, "required": False} for field in fields]
    examples = [Example(str(n), seen, {"severity": "minor"}) for n, seen in enumerate(labelled)]
    draft = Drafter(examples, schema).draft(row)
    assert draft == Drafter(examples, schema).draft(row)
    assert 0 <= draft.confidence < 1
    assert draft.answer == "" or misfits(schema, draft.answer) == []


@pytest.mark.parametrize(
    ("options", "value", "fitted"),
    [
        (["A+", "A-"], "A-", "A-"),
        (["C", "C++", "C#"], "c#", "C#"),
        ([">5", "<=5"], "<=5", "<=5"),
        ([-1, 0, 1], 1, 1),
        ([1.5, 15], "15", 15),
        (["solder_bridge", "scratch"], "Solder Bridge", "solder_bridge"),
    ],
)
def test_an_option_is_taken_only_for_what_it_says(options: list[Any], value: Any, fitted: Any) -> None:
    assert fit(value, {"enum": options}) == fitted


@pytest.mark.parametrize(("options", "value"), [(["A+", "B+"], "A-"), (["a b", "a_b"], "A-B"), ([1.5, 20], 15)])
def test_what_is_no_option_gives_none(options: list[Any], value: Any) -> None:
    assert fit(value, {"enum": options}) is NOTHING


@pytest.mark.parametrize(("text", "number"), [("1,234.56", 1234.56), ("$1,200", 1200), ("1,285,", 1285)])
def test_commas_that_group_thousands_are_read_over(text: str, number: float) -> None:
    assert fit(text, {"type": "number"}) == number


@pytest.mark.parametrize("text", ["12,50", "1.234,56", "1,2,3"])
def test_other_commas_make_no_number(text: str) -> None:
    assert fit(text, {"type": "number"}) is NOTHING


OPTIONAL_NUMBER = {"anyOf": [{"type": "number", "multipleOf": 0.01}, {"type": "null"}]}
AMOUNT = {"definitions": {"amount": {"type": "number"}}}


@pytest.mark.parametrize(
    ("schema", "value", "drafted"),
    [
        ({"properties": {"a": {"$ref": "#/definitions/amount"}}, **AMOUNT}, "12.5", 12.5),
        ({"properties": {"b": {"type": "number"}, "a": {"$ref": "#/properties/b"}}}, "12.5", 12.5),
        ({"properties": {"a": OPTIONAL_NUMBER}}, Decimal("12.50"), 12.5),
        ({"properties": {"a": {"multipleOf": 0.5}}}, Decimal("12.50"), 12.5),
        (
            {"properties": {"a": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}}},
            date(2026, 1, 2),
            "2026-01-02",
        ),
    ],
)
def test_a_field_is_drafted_by_what_its_schema_refers_to(schema: Any, value: Any, drafted: Any) -> None:
    assert json.loads(Drafter([], schema).draft({"a": value}).answer) == {"a": drafted}


@pytest.mark.parametrize("schema", [{"properties": {"a": False, "b": {"type": "string"}}}, {"properties": {"a": {}}}])
def test_what_no_answer_can_hold_is_left_out(schema: Any) -> None:
    assert Drafter([], schema).draft({"a": [float("nan")]}).answer == ""


def test_labels_of_another_shape_than_the_field_teach_nothing() -> None:
    seen = [Example(str(n), {"t": f"foo {n}"}, {"a": n}) for n in (5, 6)]
    assert (
        Drafter(seen, {"properties": {"a": {"type": "array", "items": {"type": "number"}}}}).draft({"t": "foo"}).answer
        == ""
    )
