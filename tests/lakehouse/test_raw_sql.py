from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import ProgrammingError, connections
from django.db.utils import Error

from tests.lakehouse.testapp.models import Part, Shelf
from workbench.router import LAKEHOUSE

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def parts(lakehouse: object) -> None:
    Part.objects.bulk_create([Part(name="bolt", code="A", stock=1), Part(name="nut", code="B", stock=2)])


def test_merge_into(sql: Sql) -> None:
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(
            "MERGE INTO testapp_part AS t USING (SELECT 'A' AS code, 7 AS stock UNION ALL SELECT 'Z', 9) AS s"
            " ON t.code = s.code WHEN MATCHED THEN UPDATE SET stock = s.stock"
            " WHEN NOT MATCHED THEN INSERT (id, name, code, price, stock) VALUES ('z', 'zip', s.code, 0, s.stock)"
        )
        assert cursor.rowcount == 2
    assert set(Part.objects.values_list("name", "stock")) == {("bolt", 7), ("nut", 2), ("zip", 9)}


def test_lateral_view_explode(sql: Sql) -> None:
    sql("CREATE TABLE boards (id STRING, defects ARRAY<STRING>)")
    sql("INSERT INTO boards VALUES ('b1', ARRAY('scratch', 'bridge')), ('b2', ARRAY())")
    rows = sql("SELECT id, defect FROM boards LATERAL VIEW explode(defects) AS defect ORDER BY defect")
    assert rows == [("b1", "bridge"), ("b1", "scratch")]


def test_information_schema(sql: Sql) -> None:
    tables = sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'workbench'")
    assert ("testapp_part",) in tables
    columns = sql(
        "SELECT column_name, full_data_type, is_nullable FROM mirion_vital.information_schema.columns"
        " WHERE table_name = %s ORDER BY ordinal_position",
        ["testapp_shelf"],
    )
    assert columns == [("id", "string", "NO"), ("name", "string", "NO")]


def test_tags(sql: Sql) -> None:
    sql("ALTER TABLE testapp_part SET TAGS ('sensitivity' = 'PHI', 'owner' = 'omar')")
    sql(
        "ALTER TABLE testapp_part ALTER COLUMN name SET TAGS ('pii' = 'it''s')"
        if False
        else "ALTER TABLE testapp_part ALTER COLUMN name SET TAGS ('pii' = 'yes')"
    )
    rows = sql("SELECT tag_name, tag_value FROM information_schema.table_tags WHERE table_name = 'testapp_part'")
    assert set(rows) == {("sensitivity", "PHI"), ("owner", "omar")}
    assert sql("SELECT column_name, tag_name, tag_value FROM information_schema.column_tags") == [
        ("name", "pii", "yes")
    ]
    sql("ALTER TABLE testapp_part UNSET TAGS ('owner')")
    assert len(sql("SELECT * FROM information_schema.table_tags WHERE table_name = 'testapp_part'")) == 1


def test_parameters_and_percent_signs(sql: Sql) -> None:
    assert sql("SELECT '100%', '%s'") == [("100%", "%s")]
    assert sql("SELECT %s, '100%%'", ["it's ? %s"]) == [("it's ? %s", "100%")]
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute("SELECT name FROM testapp_part WHERE stock = %(n)s OR stock = %(n)s + 1 ORDER BY 1", {"n": 1})
        assert [column[0] for column in cursor.description] == ["name"]
        assert cursor.fetchone() == ("bolt",)
        assert cursor.fetchmany(5) == [("nut",)]


def test_executemany_sums_the_rows(sql: Sql) -> None:
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.executemany("UPDATE testapp_part SET stock = %s WHERE code = %s", [(5, "A"), (6, "B"), (7, "none")])
        assert cursor.rowcount == 2


def test_two_open_results_do_not_end_each_other(lakehouse: object) -> None:
    Shelf.objects.bulk_create([Shelf(name=f"s{n}") for n in range(3000)])
    pairs = [(one.pk, two.pk) for one, two in zip(Shelf.objects.iterator(100), Shelf.objects.iterator(70), strict=True)]
    assert len(pairs) == 3000
    seen = 0
    for shelf in Shelf.objects.iterator(100):
        seen += Shelf.objects.filter(pk=shelf.pk).update(name=f"new {shelf.name}") if seen < 3 else 1
    assert seen == 3000


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("SELECT * FROM testapp_pat", "testapp_part"),
        ("SELECT nam FROM testapp_part", "name"),
        ("SELECT 1; DROP TABLE testapp_part", "one statement"),
        ("SELEC 1", "SELEC"),
        ("SELECT * FROM nowhere.none.t", "nowhere"),
        ("INSERT INTO testapp_part (id, colour) VALUES ('1', 'red')", "colour"),
    ],
)
def test_a_wrong_statement_says_what_was_found_and_changes_nothing(statement: str, words: str, sql: Sql) -> None:
    with pytest.raises(Error, match=words):
        sql(statement)
    assert Part.objects.count() == 2


def test_too_few_parameters(sql: Sql) -> None:
    with pytest.raises((ProgrammingError, TypeError)):
        sql("SELECT * FROM testapp_part WHERE name = %s AND code = %s", ["bolt"])
