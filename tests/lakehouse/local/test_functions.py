"""Every expression with the value that Spark gives it (ANSI mode, session in UTC)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from workbench.lakehouse.engines import local

from .conftest import Run

TS = "TIMESTAMP'2024-02-29 13:14:15.678901'"  # a Thursday
UTC = dt.UTC


def at(*parts: int) -> dt.datetime:
    return dt.datetime(*parts).replace(tzinfo=UTC)  # type: ignore[arg-type]  # noqa: DTZ001


Values = list[tuple[str, Any]]

NUMBERS: Values = [
    ("7 / 2", 3.5),
    ("7 div 2", 3),
    ("-7 div 2", -3),
    ("-7 % 3", -1),
    ("mod(-7, 3)", -1),
    ("pmod(-7, 3)", 2),
    ("CAST(1.7 AS INT)", 1),
    ("CAST(-1.7 AS INT)", -1),
    ("CAST(CAST(2.5 AS DOUBLE) AS BIGINT)", 2),
    ("CAST('42' AS INT)", 42),
    ("CAST(true AS INT)", 1),
    ("TRY_CAST('x' AS INT)", None),
    ("TRY_CAST('1.7' AS INT)", None),
    ("CAST('1.005' AS DECIMAL(10,2))", Decimal("1.01")),
    ("greatest(1, NULL, 3)", 3),
    ("least(NULL, 2)", 2),
    ("round(2.5)", Decimal("3")),
    ("round(-2.5)", Decimal("-3")),
    ("ceil(1.2)", 2),
    ("floor(-1.2)", -2),
    ("abs(-3)", 3),
    ("power(2, 10)", 1024.0),
    ("sign(-2)", -1.0),
    ("1 << 3", 8),
    ("shiftleft(1, 3)", 8),
    ("shiftright(8, 2)", 2),
    ("5 & 3", 1),
    ("5 | 3", 7),
    ("5 ^ 3", 6),
    ("~5", -6),
    ("coalesce(NULL, 2)", 2),
    ("nullif(1, 1)", None),
    ("if(1 > 2, 'a', 'b')", "b"),
    ("isnan(CAST('NaN' AS DOUBLE))", True),
    ("try_divide(1, 0)", None),
    ("log(2, 8)", 3.0),
    ("1 <=> NULL", False),
    ("NULL <=> NULL", True),
]
TEXTS: Values = [
    ("'a' || 'b'", "ab"),
    ("concat('a', NULL)", None),
    ("concat_ws('-', 'a', NULL, 'b')", "a-b"),
    ("substr('hello', 2, 3)", "ell"),
    ("substring('hello', -3)", "llo"),
    ("substring('hello', -3, 2)", "ll"),
    ("substring('hello', 0, 2)", "he"),
    ("substring('ab', -5, 4)", "a"),
    ("locate('l', 'hello')", 3),
    ("locate('l', 'hello', 4)", 4),
    ("locate('z', 'hello')", 0),
    ("instr('hello', 'l')", 3),
    ("contains('hello', 'ell')", True),
    ("startswith('hello', 'he')", True),
    ("endswith('hello', 'lo')", True),
    ("'a_b' LIKE 'a\\\\_b'", True),
    ("'axb' LIKE 'a\\\\_b'", False),
    ("'axb' LIKE 'a_b'", True),
    ("'50%' LIKE '50\\\\%' ESCAPE '\\\\'", True),
    ("'HeLLo' ILIKE 'hel%'", True),
    ("'hello' NOT LIKE 'x%'", True),
    ("regexp_like('abc', 'b.')", True),
    ("'abc' RLIKE '^b'", False),
    ("regexp_like('ABC', '(?i)b')", True),
    ("regexp_replace('aab', 'a', 'x')", "xxb"),
    ("replace('abab', 'b', 'x')", "axax"),
    ("lower('ÄB')", "äb"),
    ("upper('äb')", "ÄB"),
    ("initcap('hello wORLD')", "Hello World"),
    ("trim('  a ')", "a"),
    ("ltrim('  a ')", "a "),
    ("lpad('7', 3, '0')", "007"),
    ("rpad('7', 3)", "7  "),
    ("lpad('abc', 2, 'x')", "ab"),
    ("repeat('ab', 2)", "abab"),
    ("reverse('abc')", "cba"),
    ("length('äö')", 2),
    ("left('abc', 2)", "ab"),
    ("right('abc', 2)", "bc"),
    ("ascii('A')", 65),
    ("chr(65)", "A"),
    ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
    ("sha2('a', 256)", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    ("sha1('a')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
    ("hex('a')", "61"),
    ("hex(255)", "FF"),
    ("unhex('00FF')", b"\x00\xff"),
    ("unhex('zz')", None),
    ("base64('a')", "YQ=="),
    ("CAST(1 AS STRING)", "1"),
    ("CAST(true AS STRING)", "true"),
    (f"CAST({TS} AS STRING)", "2024-02-29 13:14:15.678901"),
    ("CAST(DATE'2024-02-29' AS STRING)", "2024-02-29"),
    ("CAST('a' AS BINARY)", b"a"),
    ("length(uuid())", 36),
    ("translate('abc', 'ab', 'xy')", "xyc"),
    ("nvl(NULL, 'x')", "x"),
]
TIMES: Values = [
    (f"date_trunc('MONTH', {TS})", at(2024, 2, 1)),
    (f"date_trunc('WEEK', {TS})", at(2024, 2, 26)),
    (f"date_trunc('HOUR', {TS})", at(2024, 2, 29, 13)),
    ("date_trunc('YEAR', DATE'2024-02-29')", at(2024, 1, 1)),
    (f"CAST(date_trunc('QUARTER', {TS}) AS DATE)", dt.date(2024, 1, 1)),
    (f"extract(DAYOFWEEK FROM {TS})", 5),
    (f"extract(DAYOFWEEK_ISO FROM {TS})", 4),
    (f"dayofweek({TS})", 5),
    (f"weekday({TS})", 3),
    (f"extract(WEEK FROM {TS})", 9),
    ("extract(YEAROFWEEK FROM DATE'2021-01-01')", 2020),
    ("extract(WEEK FROM DATE'2021-01-01')", 53),
    (f"extract(SECOND FROM {TS})", Decimal("15.678901")),
    (f"second({TS})", 15),
    (f"extract(QUARTER FROM {TS})", 1),
    (f"dayofyear({TS})", 60),
    (f"year({TS})", 2024),
    (f"hour(from_utc_timestamp({TS}, 'Europe/Berlin'))", 14),
    ("from_utc_timestamp(TIMESTAMP'2024-07-01 12:00:00', 'Europe/Berlin')", at(2024, 7, 1, 14)),
    ("to_utc_timestamp(TIMESTAMP'2024-07-01 14:00:00', 'Europe/Berlin')", at(2024, 7, 1, 12)),
    ("convert_timezone('UTC', 'Europe/Berlin', TIMESTAMP'2024-07-01 12:00:00')", dt.datetime(2024, 7, 1, 14)),  # noqa: DTZ001
    (f"timestampadd(MICROSECOND, 5, {TS})", at(2024, 2, 29, 13, 14, 15, 678906)),
    (f"timestampadd(DAY, -1, {TS})", at(2024, 2, 28, 13, 14, 15, 678901)),
    (f"timestampdiff(MICROSECOND, {TS}, timestampadd(SECOND, 2, {TS}))", 2_000_000),
    ("timestampdiff(HOUR, TIMESTAMP'2024-01-01 00:59:00', TIMESTAMP'2024-01-01 01:01:00')", 0),
    ("datediff(DATE'2024-03-01', DATE'2024-02-28')", 2),
    ("date_add(DATE'2024-02-28', 2)", dt.date(2024, 3, 1)),
    ("date_sub(DATE'2024-03-01', 1)", dt.date(2024, 2, 29)),
    ("add_months(DATE'2024-01-31', 1)", dt.date(2024, 2, 29)),
    ("last_day(DATE'2024-02-01')", dt.date(2024, 2, 29)),
    ("to_date('2024-02-29')", dt.date(2024, 2, 29)),
    ("CAST('2024-02-29T01:02:03.5Z' AS TIMESTAMP)", at(2024, 2, 29, 1, 2, 3, 500000)),
    (f"CAST({TS} AS DATE)", dt.date(2024, 2, 29)),
    (f"unix_micros({TS})", 1709212455678901),
    ("timestamp_micros(1709212455678901)", at(2024, 2, 29, 13, 14, 15, 678901)),
    (f"{TS} + INTERVAL 1 DAY", at(2024, 3, 1, 13, 14, 15, 678901)),
    ("make_date(2024, 2, 29)", dt.date(2024, 2, 29)),
]
NESTED: Values = [
    ("size(array(1, 2))", 2),
    ("array_contains(array(1, 2), 2)", True),
    ("array_contains(array(1, NULL), 2)", None),
    ("array_contains(array(1), 2)", False),
    ("arrays_overlap(array(1, 2), array(2, 3))", True),
    ("arrays_overlap(array(1), array(2))", False),
    ("array_except(array(1, 2, 2, 3), array(3))", [1, 2]),
    ("array_intersect(array(1, 2, 2), array(2))", [2]),
    ("array_distinct(array(2, 1, 2))", [2, 1]),
    ("array(10, 20)[0]", 10),
    ("array(10, 20)[1]", 20),
    ("element_at(array(10, 20), 1)", 10),
    ("element_at(array(10, 20), -1)", 20),
    ("map('a', 1)['a']", 1),
    ("map('a', 1)['b']", None),
    ("map_keys(map('a', 1))", ["a"]),
    ("named_struct('x', 5).x", 5),
    ("transform(array(1, 2), x -> x + 1)", [2, 3]),
    ("filter(array(1, 2), x -> x > 1)", [2]),
    ("sort_array(array(2, NULL, 1))", [None, 1, 2]),
    ("array_sort(array(2, NULL, 1))", [1, 2, None]),
    ("array_join(array('a', 'b'), '-')", "a-b"),
    ("array_max(array(1, 3))", 3),
    ("flatten(array(array(1), array(2)))", [1, 2]),
    ("from_json('[1, 2]', 'ARRAY<BIGINT>')", [1, 2]),
    ('from_json(\'{"a": "x", "b": null}\', \'STRUCT<a: STRING, b: INT>\')', {"a": "x", "b": None}),
    ("from_json('nonsense', 'ARRAY<STRING>')", None),
    ("to_json(named_struct('a', 1, 'b', 'x'))", '{"a":1,"b":"x"}'),
    ("get_json_object('{\"a\": {\"b c\": [1, 2]}}', '$.a[\\'b c\\'][1]')", "2"),
    ("get_json_object('{\"a\": true}', '$.a')", "true"),
    ("get_json_object('{\"a\": null}', '$.a')", None),
    ("get_json_object('{\"a\": \"x\"}', '$.a')", "x"),
    ("get_json_object('{\"a.b\": 1}', '$.\"a.b\"')", "1"),
    ("get_json_object('{\"a\": 1}', '$.z')", None),
    ("get_json_object('broken', '$.a')", None),
    ("get_json_object('{\"a\":{\"b\":1}}', '$.a')", '{"b":1}'),
]


@pytest.mark.parametrize(("expression", "expected"), NUMBERS + TEXTS + TIMES + NESTED)
def test_value(sql: Run, expression: str, expected: Any) -> None:
    found = sql(f"SELECT {expression}")[0][0]
    assert found == expected
    assert type(found) is type(expected) or {type(found), type(expected)} <= {int, float, Decimal}


@pytest.mark.parametrize(
    "expression", ["CAST('x' AS INT)", "CAST('1.7' AS INT)", "1 / 0", "1 % 0", "CAST(300 AS TINYINT)"]
)
def test_ansi_errors_are_data_errors(sql: Run, expression: str) -> None:
    with pytest.raises(local.DataError):
        sql(f"SELECT {expression}")


@pytest.mark.parametrize(
    "expression", ["read_text('/etc/passwd')", "getvariable('x')", "soundex('x')", "hash(1)", "sequence(1, 3)"]
)
def test_a_function_without_a_translation_is_refused(sql: Run, expression: str) -> None:
    with pytest.raises(local.NotSupportedError, match=expression.split("(")[0]):
        sql(f"SELECT {expression}")


def test_nulls_are_smallest(sql: Run) -> None:
    values = "(SELECT explode(array(2, NULL, 1)) AS x)"
    assert sql(f"SELECT x FROM {values} ORDER BY x") == [(None,), (1,), (2,)]
    assert sql(f"SELECT x FROM {values} ORDER BY x DESC") == [(2,), (1,), (None,)]
    assert sql(f"SELECT x FROM {values} ORDER BY x DESC NULLS FIRST") == [(None,), (2,), (1,)]


def test_json_path_as_a_parameter(sql: Run) -> None:
    assert sql("SELECT get_json_object(?, ?)", '{"a b": {"c": 1}}', '$."a b".c') == [("1",)]


def test_aggregates(sql: Run) -> None:
    values = "(SELECT explode(from_json(?, 'ARRAY<INT>')) AS x)"
    text = f"SELECT count(*), count(x), sum(x), avg(x), collect_list(x), bool_and(x > 0), count_if(x > 1) FROM {values}"
    assert sql(text, "[1, null, 3]") == [(3, 2, 4, 2.0, [1, 3], True, 1)]
    assert sql(f"SELECT collect_list(x), sum(x), count(DISTINCT x) FROM {values}", "[]") == [([], None, 0)]
