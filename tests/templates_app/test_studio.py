"""A draft is looked at while it is written: marks at their lines, and the list of what publishing checks."""

from __future__ import annotations

from templates_app.models import PromptTemplate
from templates_app.studio import Study, field_type, study


def draft(**fields: object) -> PromptTemplate:
    return PromptTemplate(**{"name": "A", "label_type": "x", "user_prompt_template": "Hi {{ a }}", **fields})


def studied(template: PromptTemplate, **texts: str) -> Study:
    return study(template, None, "", texts=texts, faults={name: ["This is not JSON."] for name in texts})


def states(found: Study) -> list[str]:
    return [check.state for check in found.checks]


def test_a_variable_outside_the_input_schema_is_marked_at_its_lines() -> None:
    found = studied(
        draft(user_prompt_template="{{ a }}\nthen\n{{ b }} {{ b }}", input_schema=[{"name": "a", "type": "string"}])
    )
    assert [(mark.field, mark.line, mark.variable) for mark in found.marks] == [("user_prompt_template", 3, "b")]
    assert states(found)[0] == "bad"


def test_what_does_not_parse_is_marked_at_its_line() -> None:
    (mark,) = studied(draft(system_prompt="one\n{% if %}", user_prompt_template="What?")).marks
    assert (mark.field, mark.line) == ("system_prompt", 2)


def test_json_is_marked_where_it_stops() -> None:
    found = studied(draft(input_schema=[{"name": "a", "type": "string"}]), output_schema='{\n "type":\n}')
    assert [(mark.field, mark.line) for mark in found.marks] == [("output_schema", 3)]
    assert states(found) == ["waits", "waits", "bad", "waits", "ok"]


def test_a_draft_without_faults_is_publishable() -> None:
    found = studied(draft(input_schema=[{"name": "a", "type": "string"}]))
    assert (found.publishable, found.marks, set(states(found))) == (True, [], {"ok"})


def test_the_content_is_checked_before_there_is_a_name() -> None:
    found = studied(draft(name="", label_type="", output_schema=[{"name": "a", "type": "strin"}]))
    assert states(found) == ["waits", "waits", "bad", "waits", "bad"]
    found = studied(draft(name="", label_type="", input_schema=[{"name": "a", "type": "string"}]))
    assert (states(found), found.publishable) == (["ok", "ok", "ok", "ok", "bad"], False)


def test_an_example_that_does_not_fit_is_named() -> None:
    example = {"input": {"a": "x"}, "output": {"kind": "burnt"}}
    schema = [{"name": "kind", "type": "string", "enum": ["good", "bad"]}]
    found = studied(draft(input_schema=[{"name": "a", "type": "string"}], output_schema=schema, examples=[example]))
    assert "burnt" in found.checks[3].faults[0]


def test_columns_become_fields() -> None:
    kinds = ["string", "BIGINT", "decimal(10,2)", "timestamp", "date", "array<string>", "struct<a:int>", "binary"]
    wanted = ["string", "integer", "number", "datetime", "date", "array", "object", "any"]
    assert [field_type(kind) for kind in kinds] == wanted
