"""Two versions side by side: lines of the prompts, fields of the schemas."""

from __future__ import annotations

from templates_app.comparing import compare, lines
from templates_app.models import PromptTemplate


def changes(old: PromptTemplate, new: PromptTemplate) -> dict[str, list[tuple[str, str]]]:
    return {
        part.part: [(field.name, field.change) for field in part.fields] for part in compare(old, new) if part.fields
    }


def test_a_changed_line_stands_beside_what_it_became() -> None:
    found = [(line.change, line.old, line.new) for line in lines("a\nb\nc", "a\nB\nc\nd")]
    assert found == [("", "a", "a"), ("changed", "b", "B"), ("", "c", "c"), ("added", "", "d")]


def test_lines_keep_the_numbers_of_their_side() -> None:
    found = [(line.old_number, line.new_number) for line in lines("a\nb\nc", "b\nc")]
    assert found == [(1, None), (2, 1), (3, 2)]


def test_fields_of_a_schema_are_compared_by_name() -> None:
    old = PromptTemplate(output_schema=[{"name": "a", "type": "string"}, {"name": "b", "type": "string"}])
    new = PromptTemplate(output_schema=[{"name": "a", "type": "number"}, {"name": "c", "type": "string"}])
    assert changes(old, new) == {"output_schema": [("a", "changed"), ("b", "removed"), ("c", "added")]}


def test_a_field_that_became_optional_is_a_change() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    new = PromptTemplate(output_schema=schema | {"required": [], "title": "Answer"})
    assert changes(PromptTemplate(output_schema=schema), new) == {
        "output_schema": [("a", "changed"), ("(title)", "added")]
    }


def test_any_json_is_compared(recwarn: object) -> None:
    odd = PromptTemplate(output_schema={"properties": ["a"]}, input_schema={"x": 1}, examples="no list")
    assert set(changes(PromptTemplate(), odd)) == {"output_schema", "input_schema", "examples"}


def test_the_same_is_the_same() -> None:
    assert all(part.is_same for part in compare(PromptTemplate(system_prompt="x"), PromptTemplate(system_prompt="x")))
