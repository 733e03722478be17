"""Templates that would never end, take all memory, or reach outside are stopped in time, in any thread."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from templates_app.problems import TemplateLimitError, TemplateProblem
from templates_app.rendering import render

# The first text drawn on a machine builds tables, which on a busy one looks like a slow test.
SLOW_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ROW = {"a": "x", "items": [1, 2], "o": {"b": 1}, "t": "y" * 1_000_000, "pages": ["y" * 1000] * 900}

ENDLESS = [
    "{% for i in range(10**9) %}{% endfor %}",
    "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
    "{% for i in range(100000) if range(100000) | sum < 0 %}{% endfor %}",
    "{% for i in range(100000) %}{{ '' }}{% if t in (t ~ 'z') %}{% endif %}{% endfor %}",
    "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
    "{% macro m(n) %}{% if n < 60 %}{{ m(n + 1) }}{{ m(n + 1) }}{% endif %}{% endmacro %}{{ m(0) }}",
    "{% for x in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
]
HUGE = [
    "{{ 'a' * 10**9 }}",
    "{{ 10**9 * 'a' }}",
    "{{ [0] * 10**9 }}",
    "{{ 7 ** 9999999 }}",
    "{% set n = namespace(x=3) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "{{ '%1000000000s' % 'a' }}",
    "{{ '%.1000000000f' % 1.5 }}",
    "{{ '%*s' % (1000000000, 'a') }}",
    "{{ '%(a(b))1000000000s' % {'a(b)': 1} }}",
    "{{ '%1000000000s' | format('a') }}",
    "{{ ['a'] | map('format') | list }}{{ ['%1000000000s'] | map('format', 'a') | list }}",
    "{{ 'a'.ljust(10**9) }}",
    "{{ 'a' | center(10**9) }}",
    "{{ ('x' * 1000).join(pages) }}",
    "{{ pages | join(t) }}",
    "{{ t.replace('y', 'z' * 1000) }}",
    "{{ t | replace('', 'z' * 1000) }}",
    "{{ 'a\n' | indent(10**9) }}",
    "{{ [1] | batch(10**9, 0) | list }}",
    "{{ [1] | tojson(indent=10**9) }}",
    "{{ 1.5 | round(10**9) }}",
    "{{ [[1]] * 50000 | sum(start=[]) }}",
    "{% set n = namespace(x='ab') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=1) %}{% for i in range(99) %}{% set n.x = dict(a=n.x, b=n.x) %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=1) %}{% for i in range(60) %}{% set n.x = namespace(a=n.x, b=n.x) %}{% endfor %}{{ n.x }}",
    "".join(f"{{% set a{i + 1} %}}{{{{ a{i} }}}}{{{{ a{i} }}}}{{% endset %}}" for i in range(1, 60)).replace(
        "{{ a1 }}", "abc"
    ),
    "{% set q %}{% for i in range(100000) %}" + "A" * 50_000 + "{% endfor %}{% endset %}",
    "{{ t }}",
    "{{" + "(" * 5000 + "1" + ")" * 5000 + "}}",
    "{% for i in range(2) %}" * 30 + "{% endfor %}" * 30,
]
ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ a['__class__'] }}",
    "{{ o['__init__'] }}",
    "{{ '' | attr('__class__') }}",
    "{{ [1] | map(attribute='__class__') | list }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{0.__class__}'.format_map({}) }}",
    "{{ self.__init__.__globals__ }}",
    "{{ range.__globals__ }}",
    "{{ namespace.__init__ }}",
    "{{ joiner.__init__.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m.__init__ }}",
    "{% for x in items %}{{ loop.__class__ }}{% endfor %}",
    "{{ (1).to_bytes(8, 'big') }}",
    "{{ a.encode() }}",
    "{{ items.append(3) }}",
    "{{ o.update({}) }}",
    "{{ environment }}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% from 'x' import y %}",
    "{% extends 'x' %}",
    "{% block a %}{% endblock %}",
]


@pytest.mark.parametrize("template", ENDLESS + HUGE)
def test_what_would_never_end_or_take_all_memory_is_stopped(template: str) -> None:
    began = time.thread_time()
    with pytest.raises(TemplateLimitError, match=r"allowed|only|longer|Loop|End|takes|Split|numbers"):
        render(template, ROW)
    assert time.thread_time() - began < 2.5


@pytest.mark.parametrize("template", ESCAPES)
def test_nothing_reaches_out_of_the_sandbox(template: str) -> None:
    with pytest.raises(TemplateProblem):
        render(template, ROW)
    assert ROW["items"] == [1, 2]


def test_limits_hold_in_other_threads_and_do_not_meet() -> None:
    def outcome(template: str) -> str:
        try:
            return render(template, ROW)
        except TemplateLimitError:
            return "stopped"

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(outcome, [ENDLESS[1], "{{ a }}", "{{ a }}", ENDLESS[1]])) == [
            "stopped",
            "x",
            "x",
            "stopped",
        ]


def test_a_template_that_is_itself_too_long_is_refused() -> None:
    with pytest.raises(TemplateLimitError, match="The template has 70,000 characters"):
        render("a" * 70_000, ROW)


def test_a_large_but_plain_prompt_passes() -> None:
    assert len(render("{% for p in pages[:150] %}{{ p }}\n{% endfor %}{{ t | truncate(2000) }}", ROW)) > 150_000


PIECES = (
    "{{", "}}", "{%", "%}", "for", "in", "items", "if", "a", "t", "range", "(", ")", "10", "**", "*", "+", "~", "|",
    "join", "replace", "center", "'", "endfor", "endif", "set", "=", "[", "]", ",", ".", "o", "b", "%", "else",
)  # fmt: skip
pieces = st.sampled_from(PIECES)


@settings(SLOW_MACHINE, max_examples=150)
@given(st.lists(pieces, max_size=25).map(" ".join))
def test_any_text_renders_or_is_a_template_problem(template: str) -> None:
    try:
        assert isinstance(render(template, ROW), str)
    except TemplateProblem as problem:
        assert problem.message
