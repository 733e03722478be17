from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from templates_app.schemas import (
    SchemaProblem,
    check_input_schema,
    check_output_schema,
    check_template,
    misfits,
    normalise_output_schema,
)

FIELDS: list[dict[str, Any]] = [
    {"name": "defect_type", "type": "string", "enum": ["scratch", "none"]},
    {"name": "found", "type": "date"},
    {"name": "amount", "type": "decimal", "required": False},
    {"name": "codes", "type": "array", "items": "string"},
]
GOOD = {"defect_type": "none", "found": "2026-01-15", "amount": 1.5, "codes": ["a"]}


def template(**changes: Any) -> dict[str, Any]:
    return {
        "system_prompt": "You inspect boards.",
        "user_prompt_template": "Board {{ image_id }}",
        "input_schema": [{"name": "image_id", "type": "string"}],
        "output_schema": FIELDS,
        "examples": [{"input": {"image_id": "x"}, "output": GOOD}],
    } | changes


def test_a_list_of_fields_becomes_a_json_schema() -> None:
    schema = normalise_output_schema(FIELDS)
    assert schema["properties"]["found"] == {"type": "string", "format": "date"}
    assert schema["required"] == ["defect_type", "found", "codes"]
    assert schema["additionalProperties"] is False
    check_output_schema(schema)


def test_a_json_schema_stays_and_nothing_is_anything() -> None:
    assert normalise_output_schema({"type": "string"}) == {"type": "string"}
    assert misfits([], "any text") == misfits({}, {"a": 1}) == []


@pytest.mark.parametrize(
    "answer", [GOOD, GOOD | {"amount": Decimal("1.50")}, '{"defect_type":"none","found":"2026-01-15","codes":[]}']
)
def test_answers_that_fit(answer: Any) -> None:
    assert misfits(FIELDS, answer) == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (GOOD | {"defect_type": "scrach"}, 'answer.defect_type: found "scrach"; allowed are "scratch", "none"'),
        (GOOD | {"found": "15.1.2026"}, 'answer.found: found "15.1.2026"; allowed is a date, as 2026-01-31'),
        (GOOD | {"amount": "1.5"}, 'answer.amount: found "1.5"; allowed is number'),
        (GOOD | {"codes": ["a", 1]}, "answer.codes[1]: found 1; allowed is string"),
        ({k: v for k, v in GOOD.items() if k != "codes"}, "answer.codes: found nothing; it is required"),
        (GOOD | {"code": 1}, "Did you mean 'codes'?"),
        (
            '{"amount":' + "9" * 30 + "}",
            f"answer: found the whole number {'9' * 30}; allowed are -9223372036854775808 to",
        ),
        ("not json", 'answer: found text that is not JSON ("not json"); allowed is JSON of object'),
        ("[1]", "answer: found [1]; allowed is object"),
    ],
)
def test_misfits_name_path_found_and_allowed(answer: Any, words: str) -> None:
    assert words in " ".join(misfits(FIELDS, answer))


def test_every_missing_field_is_named() -> None:
    assert [fault.split(":")[0] for fault in misfits(FIELDS, {})] == [
        "answer.defect_type",
        "answer.found",
        "answer.codes",
    ]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "strin"}, "output_schema.type: found"),
        ({"properties": {"a": {"$ref": "http://127.0.0.1:9/schema"}}}, "leads to nothing inside the schema"),
        ({"$ref": "#/$defs/absent"}, "leads to nothing inside the schema"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "output_schema.$schema"),
        ([{"name": "a", "type": "strng"}], "output_schema[0].type: found \"strng\".*Did you mean 'string'"),
        ([{"name": "a", "type": "string"}, {"name": "a", "type": "date"}], "the field 'a' stands twice"),
        ([{"name": "a", "type": "string", "enmu": []}], "Did you mean 'enum'"),
        ("text", 'output_schema: found "text"'),
    ],
)
def test_a_wrong_output_schema_says_what(schema: Any, words: str) -> None:
    with pytest.raises(SchemaProblem) as caught:
        check_output_schema(schema)
    assert all(part in str(caught.value) for part in words.split(".*"))


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SchemaProblem) as caught:
        check_input_schema([{"type": "string"}, {"name": "b", "type": "?"}, 3])
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "input_schema[0].name", "input_schema[1].type", "input_schema[2]",
    ]  # fmt: skip


def test_a_local_reference_works_and_an_endless_one_is_told() -> None:
    tree = {"$defs": {"n": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/n"}}}
    check_output_schema(tree)
    assert misfits(tree, {"a": "x"}) == ['answer.a: found "x"; allowed is integer']
    assert misfits({"$ref": "#"}, 1) == ["output_schema: it refers to itself without end"]


def test_a_good_template_may_be_published() -> None:
    assert check_template(template()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"user_prompt_template": "a\n{{ image_ids }}"},
            "line 2: the variable 'image_ids' is not in input_schema.*'image_id'?",
        ),
        ({"system_prompt": "{{ plant }}"}, "system_prompt: line 1: the variable 'plant' is not in input_schema"),
        ({"user_prompt_template": "{% if %}"}, "user_prompt_template: line 1: Expected an expression"),
        ({"user_prompt_template": " "}, "user_prompt_template: found nothing"),
        ({"output_schema": {"type": "strin"}}, "output_schema.type"),
        ({"examples": [{"input": {}, "output": GOOD}]}, "examples[0].input.image_id: found nothing"),
        ({"examples": [{"input": {"image_id": 3}, "output": GOOD}]}, "examples[0].input.image_id: found 3"),
        ({"examples": [{"input": {"image_id": "x"}, "output": {}}]}, "examples[0].output.codes: found nothing"),
        ({"examples": ["x"]}, "examples[0]: found"),
    ],
)
def test_what_keeps_a_template_from_being_published(changes: dict[str, Any], words: str) -> None:
    faults = " ".join(check_template(template(**changes)))
    assert all(part in faults for part in words.split(".*")), faults


def test_a_pattern_takes_no_longer_than_its_text() -> None:
    schema = {"type": "string", "pattern": "^(a+)+$"}
    check_output_schema(schema)
    assert misfits(schema, "a" * 10_000) == []
    assert misfits(schema, "a" * 10_000 + "!") != []
    assert misfits({"properties": {"x": schema}}, {"x": "b"}) == ['answer.x: found "b"; allowed is pattern "^(a+)+$"']


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "pattern": "(?=a)a"}, "no look-around"),
        ({"properties": {"a": {"pattern": r"(a)\1"}}}, "RE2"),
        ({"patternProperties": {"^a": {}}}, "patternProperties is not allowed"),
    ],
)
def test_a_pattern_that_could_run_for_ever_is_refused(schema: dict[str, Any], words: str) -> None:
    with pytest.raises(SchemaProblem, match=words):
        check_output_schema(schema)


def test_a_field_may_be_called_pattern() -> None:
    check_output_schema({"properties": {"pattern": {"type": "string"}, "patternProperties": {}}})
