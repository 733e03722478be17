from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from templates_app.problems import TemplateProblem
from templates_app.rendering import render, render_messages, token_estimate, variables

ROW: dict[str, Any] = {
    "image_id": "pcb_001",
    "temp": Decimal("245.50"),
    "tags": ["a", "é"],
    "order": {"items": 3, "count": 2},
    "seen": date(2026, 1, 15),
    "html": "<b>",
    "gap": None,
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Board {{ image_id }}", "Board pcb_001"),
        ("{{ temp }} on {{ seen.isoformat() }} {{ seen.strftime('%d.%m.%Y') }}", "245.50 on 2026-01-15 15.01.2026"),
        ("{{ tags }} {{ order }}", '["a","é"] {"count":2,"items":3}'),
        ("{{ order.items }}/{{ order['count'] }}", "3/2"),
        ("{{ html }} {{ html | tojson }}", '<b> "<b>"'),
        ("{% for t in tags %}{{ loop.index }}/{{ loop.length }}:{{ t }};{% endfor %}", "1/2:a;2/2:é;"),
        ("{% for t in tags if t != 'a' %}{{ t }}{% else %}none{% endfor %}", "é"),
        ("{{ tags | map('upper') | join('+') }}", "A+É"),
        ("{{ '%.1f' % temp }} {{ '%s!' | format(image_id) }} {{ image_id ~ '-' ~ 1 }}", "245.5 pcb_001! pcb_001-1"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) }}{{ m(image_id.upper()) }}", "<1><PCB_001>"),
        ("{{ absent | default('-') }} {{ gap is none }} {{ absent is defined }}", "- True False"),
        ("{% set ns = namespace(n=0) %}{% for t in tags %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}", "2"),
        ("{{ order | dictsort | length }}", "2"),
    ],
)
def test_what_a_prompt_may_do(template: str, text: str) -> None:
    assert render(template, ROW) == text


def test_a_missing_variable_is_named_with_its_line_and_near_misses() -> None:
    with pytest.raises(
        TemplateProblem, match=r"line 3: The variable 'image_ids' is missing.*Did you mean 'image_id'"
    ) as caught:
        render("Look at\n{{ image_id }}\n  {{ image_ids }}", ROW)
    assert (caught.value.line, caught.value.variable) == (3, "image_ids")


def test_a_missing_field_is_named_with_its_line() -> None:
    with pytest.raises(TemplateProblem, match="line 2: A value has no field 'price'"):
        render("x\n{{ order.price }}", ROW)


@pytest.mark.parametrize(
    ("template", "line"), [("a\nb {% if %}", 2), ("{{ x", 1), ("\n{% for a in b %}", 2), ("\n\n{{ a | uper }}", 3)]
)
def test_a_syntax_error_has_its_line(template: str, line: int) -> None:
    with pytest.raises(TemplateProblem) as caught:
        render(template, ROW)
    assert caught.value.line == line


def test_an_unknown_filter_names_the_near_one() -> None:
    with pytest.raises(TemplateProblem, match=r"No filter named 'uper'.*Did you mean 'upper'"):
        variables("{{ a | uper }}")


def test_the_rest_of_an_error_is_passed_on_with_the_line() -> None:
    with pytest.raises(TemplateProblem, match="line 1: ZeroDivisionError"):
        render("{{ 1 / 0 }}", ROW)
    with pytest.raises(TemplateProblem, match="generator cannot be printed"):
        render("{{ tags | map('upper') }}", ROW)


def test_variables_are_the_columns_asked_for_with_their_lines() -> None:
    template = "{{ a.b }}\n{% for t in tags %}{{ t.x }} {{ a }}{% endfor %}{% set z = 1 %}{{ z }}\n{{ range(n) }}"
    assert variables(template) == {"a": [1, 2], "n": [3], "tags": [2]}


def test_messages_are_system_examples_as_turns_and_user() -> None:
    examples: list[dict[str, Any]] = [
        {"input": {"image_id": "x"}, "output": {"b": 1, "a": "é"}},
        {"input": "Plain", "output": "none"},
    ]
    messages = render_messages("You see {{ temp }}", "Board {{ image_id }}", examples, ROW)
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [message["content"] for message in messages] == [
        "You see 245.50", "Board x", '{"a":"é","b":1}', "Plain", "none", "Board pcb_001",
    ]  # fmt: skip


def test_without_a_system_prompt_there_is_no_system_message() -> None:
    assert render_messages("", "{{ image_id }}", [], ROW) == [{"role": "user", "content": "pcb_001"}]
    assert render_messages("{# note #} ", "q", [], ROW, user_example_template="e") == [{"role": "user", "content": "q"}]


def test_the_token_estimate_grows_with_bytes() -> None:
    assert token_estimate([{"role": "user", "content": "a" * 400}]) == 107
    assert token_estimate([{"role": "user", "content": "é" * 400}]) == 207


def test_digits_and_signs_are_nearly_a_token_each() -> None:
    """Real counts are those of OpenAI's o200k."""
    boxes = json.dumps([{"label": "scratch", "box": [number, 3 * number, 40, 17]} for number in range(1000, 1040)])
    for text, real in ((boxes, 922), ("The board has a scratch near its connector. " * 10, 91)):
        assert 0.9 < token_estimate([{"role": "user", "content": text}]) / real < 1.4
