from __future__ import annotations

import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from sheets.filters import FilterProblem, parse_filter

# The first text drawn on a machine builds tables, which on a busy one looks like a slow test.
SLOW_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

COLUMNS = {"kind": "STRING", "Unit Price": "DECIMAL(10,2)", "ok": "BOOLEAN", "seen": "DATE", "tags": "ARRAY<STRING>"}


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("KIND = 'a' and `unit price` > 2.5", "`kind` = 'a' AND `Unit Price` > 2.5"),
        ("ok", "`ok`"),
        ("kind = 'x' -- or 1=1\n and ok /* c */;", "`kind` = 'x' AND `ok`"),
        ('kind = "it\'s"', "`kind` = 'it\\'s'"),
        ("lower(kind) IN ('a', 'b') OR kind LIKE 'x%'", "LOWER(`kind`) IN ('a', 'b') OR `kind` LIKE 'x%'"),
        ("seen >= date'2026-01-01'", "`seen` >= CAST('2026-01-01' AS DATE)"),
        ("seen > timestamp'2026-01-01 10:00:00'", "`seen` > CAST('2026-01-01 10:00:00' AS TIMESTAMP)"),
        ("array_contains(tags, 'phi')", "ARRAY_CONTAINS(`tags`, 'phi')"),
        ("kind is not null", "NOT `kind` IS NULL"),
        ("kind like 'a!%' escape '!'", "`kind` LIKE 'a!%' ESCAPE '!'"),
        ("if(ok, true, null)", "IF(`ok`, TRUE, NULL)"),
        ("year(seen) = 2026", "YEAR(`seen`) = 2026"),
    ],
)
def test_what_is_accepted_is_written_from_the_tree(text: str, sql: str) -> None:
    assert parse_filter(text, COLUMNS) == sql


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("kind = 'a';\ndrop table x", (1, 11), "second statement"),
        ("kind in (select 1)", (1, 10), "subquery"),
        ("exists(select 1)", (1, 1), "subquery"),
        ("select 1", (1, 1), "subquery"),
        ("ok and\n  prise > 1", (2, 3), "column 'prise' does not exist"),
        ("ok and knd = 'a'", (1, 8), "Did you mean 'kind'"),
        ("ok and read_files('/etc/passwd') = 1", (1, 8), "function 'read_files' is not allowed"),
        ("lwer(kind) = 'a'", (1, 1), "Did you mean 'lower'"),
        ("`rand`() > 1", (1, 1), "function 'rand' is not allowed"),
        ("seen = current_date", (1, 8), "this function is not allowed"),
        ("count(*) over () > 1", (1, 1), "function 'count'"),
        ("kind = ?", (1, 8), "placeholder"),
        ("kind = :x", (1, 9), "placeholder"),
        ("t.kind = 'a'", (1, 1), "names a table or a field"),
        ("*", (1, 1), "is not allowed"),
        ("drop table x", (1, 1), "is not allowed"),
        ("set a = 1", (1, 1), "is not allowed"),
        ("kind", (1, 1), "true or false"),
        ("ok and kind", (1, 1), "true or false"),
        ("kind || 'x'", (1, 1), "true or false"),
        ("kind in ok", (1, 1), "IN takes a list"),
        ("kind = 'a", (1, 8), "not closed"),
        ("(ok", (1, 2), "Expecting )"),
        ("kind = 1e", (1, 8), "is not a number"),
        ("", (1, 1), "empty"),
    ],
)
def test_what_is_refused_has_its_place_and_words(text: str, place: tuple[int, int], words: str) -> None:
    with pytest.raises(FilterProblem) as caught:
        parse_filter(text, COLUMNS)
    assert words in str(caught.value)
    assert (caught.value.line, caught.value.column) == place


@pytest.mark.parametrize("text", ["(" * 5000 + "ok" + ")" * 5000, "not " * 20000 + "ok", "ok and " * 1400 + "ok"])
def test_size_and_depth_are_bounded(text: str) -> None:
    try:
        assert parse_filter(text, COLUMNS)
    except FilterProblem as problem:
        assert "deep" in problem.message or "characters" in problem.message


values = st.sampled_from(
    ["kind", "`Unit Price`", "ok", "seen", "tags", "1", "2.5", "'a''b'", '"q"', "null", "true", "x", "-1", "''"]
)
SHAPES = (
    "{} = {}", "{} and {}", "{} or {}", "not {}", "({})", "{} in ({}, {})", "{} like {}", "lower({})",
    "coalesce({}, {})", "if({}, {}, {})", "{} between {} and {}", "{} + {}", "cast({} as string)", "rand({})",
    "{} is null", "(select {})", "{}[{}]", "{}.{}", "case when {} then {} end", "{} <=> {}", "{} :: int",
    "{} -- {}\n", "sum({}) over ()", "concat({}, {})", "{}; {}", "date {}", "{} {}",
)  # fmt: skip
shapes = st.sampled_from(SHAPES)


def _filled(shape: str, parts: list[str]) -> str:
    return shape.format(*parts)


expressions = st.recursive(
    values, lambda inner: st.builds(_filled, shapes, st.lists(inner, min_size=3, max_size=3)), max_leaves=8
)


@settings(SLOW_MACHINE, max_examples=400)
@given(expressions | st.text(alphabet="ok kind='()1;-*?:`\"\\\n,.<>", max_size=30))
def test_what_is_accepted_reads_back_as_the_same_harmless_tree(text: str) -> None:
    try:
        sql = parse_filter(text, COLUMNS)
    except FilterProblem as problem:
        assert 0 <= problem.offset <= len(text) and problem.line >= 1 and problem.column >= 1
        return
    tree = sqlglot.parse_one(sql, dialect="databricks")
    assert tree.sql(dialect="databricks", identify=True) == sql == parse_filter(sql, COLUMNS)
    assert {column.name for column in tree.find_all(exp.Column)} <= set(COLUMNS)
    assert not list(tree.find_all(exp.Query, exp.Anonymous, exp.Star, exp.Window, exp.Placeholder, exp.Table))
