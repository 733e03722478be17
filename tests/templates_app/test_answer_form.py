"""The form of an answer: every schema has one, and what it holds is read back as it was."""

from __future__ import annotations

from typing import Any

import pytest

from templates_app.answer_form import FormField, answer_of, form_of
from templates_app.schemas import misfits

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "born": {"type": "string", "format": "date"}},
    "required": ["name"],
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["a", "b", 3]},
        "sure": {"type": "boolean"},
        "count": {"type": "integer"},
        "size": {"type": ["number", "null"]},
        "note": {"type": "string"},
        "codes": {"type": "array", "items": {"type": "string"}},
        "people": {"type": "array", "items": {"$ref": "#/$defs/person"}},
        "free": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
    },
    "required": ["sure", "kind"],
    "$defs": {"person": PERSON},
}
ANSWER = {
    "kind": 3,
    "sure": False,
    "count": 7,
    "size": None,
    "note": "one\ntwo",
    "codes": ["99214", "85025"],
    "people": [{"name": "Ana", "born": "1990-01-31"}, {"name": "Ben"}],
    "free": 5,
    "beside": {"x": 1},
}


def posted(form: FormField) -> dict[str, str]:
    """What a browser would send for the form as it is drawn, its spare rows included."""
    if form.kind in ("object", "array"):
        rows = [*form.children, *([form.spare] if form.spare else [])]
        return {name: value for child in rows for name, value in posted(child).items()}
    if form.kind == "choice":
        chosen = [option.value for option in form.options if option.chosen]
        return {form.name: chosen[0]} if chosen else {}
    return {form.name: form.text}


def test_what_is_drawn_is_read_back() -> None:
    assert answer_of(SCHEMA, posted(form_of(SCHEMA, ANSWER))) == ANSWER


def test_fields_come_in_the_order_of_required_and_have_their_kind() -> None:
    kinds = {field.key: field.kind for field in form_of(SCHEMA).children}
    assert list(kinds)[:2] == ["sure", "kind"]
    assert kinds == {
        "kind": "choice", "sure": "choice", "count": "integer", "size": "number", "note": "text", "codes": "array",
        "people": "array", "free": "json", "*": "other",
    }  # fmt: skip


def test_no_schema_is_one_text() -> None:
    assert form_of({}, "Hello").kind == "text"
    assert answer_of({}, {"answer": "Hello\r\nyou"}) == "Hello\nyou"


@pytest.mark.parametrize(("text", "read"), [("7", 7), ("seven", "seven"), ("1e3", "1e3"), ("", None)])
def test_a_number_is_read_and_anything_else_is_left_for_the_check(text: str, read: Any) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}
    found = answer_of(schema, {"answer.n": text})
    assert found == ({} if read is None else {"n": 1000.0 if text == "1e3" else read})


def test_each_fault_stands_at_its_field() -> None:
    wrong = {"kind": "c", "people": [{"name": "Ana", "born": "31.1.1990"}]}
    form = form_of(SCHEMA, wrong, misfits(SCHEMA, wrong))
    fields = {field.key: field for field in form.children}
    assert "found nothing" in fields["sure"].faults[0]
    born = fields["people"].children[0].children[1]
    assert born.name == "answer.people[0].born"
    assert 'found "31.1.1990"' in born.faults[0]
    assert form.faults == []


def test_what_its_fields_could_not_hold_is_json() -> None:
    form = form_of(SCHEMA, {"kind": "a", "sure": True, "codes": "99214"})
    codes = next(field for field in form.children if field.key == "codes")
    assert (codes.kind, codes.text) == ("json", '"99214"')


def test_a_schema_without_end_ends_in_json() -> None:
    schema = {"type": "object", "properties": {"more": {"$ref": "#"}}, "additionalProperties": False}
    field = form_of(schema)
    while field.children:
        field = field.children[0]
    assert field.kind == "json"


def test_a_whole_number_beyond_64_bits_is_refused_as_it_was_typed() -> None:
    schema = {"type": "object", "properties": {"count": {"type": "integer"}}}
    answer = answer_of(schema, {"answer.count": "9" * 30})
    assert answer == {"count": "9" * 30}
    assert misfits(schema, answer) == [f'answer.count: found "{"9" * 30}"; allowed is integer']
