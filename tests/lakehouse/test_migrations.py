from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars
import pytest
from django.core.management import call_command
from django.db import IntegrityError, NotSupportedError, connections, models
from django.db import connection as default
from django.db.models.functions import Lower

from tests.conftest import at
from tests.lakehouse.testapp.models import Line, Part
from workbench.lakehouse.fields import ArrayField
from workbench.lakehouse.ids import uuid7
from workbench.router import LAKEHOUSE

pytestmark = pytest.mark.django_db(databases=["default", LAKEHOUSE])


@pytest.fixture
def empty(tmp_path: Path, db: None) -> Iterator[Path]:
    """A lakehouse without tables."""
    with at(tmp_path / "lakehouse"):
        yield tmp_path / "lakehouse" / "mirion_vital" / "workbench"


def migrate(*target: str) -> None:
    call_command("migrate", *target, database=LAKEHOUSE, verbosity=0)


def run(sql: str) -> list[Any]:
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def test_each_database_gets_only_its_own_tables(empty: Path) -> None:
    migrate()
    ours = {path.name for path in empty.iterdir()}
    assert {"sheets", "qa_pairs", "training_sheets", "canonical_labels", "growing_gadget"} < ours
    assert not [name for name in ours if name.startswith(("auth_", "django_q", "django_session", "authtoken"))]
    theirs = set(default.introspection.table_names())
    assert {"auth_user", "django_q_task", "django_migrations"} < theirs
    assert theirs & ours == {"django_migrations"}


def test_later_migrations_change_a_table_with_data(empty: Path) -> None:
    migrate("growing", "0001")
    run("INSERT INTO growing_gadget (id, name, size, old) VALUES ('a', 'one', 1, 'x'), ('b', 'two', 2, 'y')")
    migrate("growing", "0002")
    rows = polars.read_delta(str(empty / "growing_gadget"))
    assert rows.columns == ["id", "name", "size", "old", "note", "grade", "words", "data", "checked"]
    assert rows.row(0)[1:] == ("one", 1, "x", None, 'it\'s "B"\\%', ["new", "it's"], "{}", False)
    migrate("growing", "0003")
    rows = polars.read_delta(str(empty / "growing_gadget")).sort("id")
    assert rows.columns == ["id", "title", "size", "note", "grade", "words", "data", "checked"]
    assert rows["title"].to_list() == ["one", "two"] and rows.schema["size"] == polars.Int64


def test_new_rows_must_fill_the_new_columns(empty: Path) -> None:
    migrate("growing")
    columns = run("SELECT column_name, is_nullable FROM information_schema.columns WHERE table_name = 'growing_gadget'")
    assert {name for name, nullable in columns if nullable == "YES"} == {"note"}


def test_migrations_go_backwards(empty: Path) -> None:
    migrate("growing", "0003")
    run("INSERT INTO growing_gadget VALUES ('a', 'one', 1, NULL, 'A', ARRAY('w'), '{}', true)")
    migrate("growing", "0001")
    assert run("SELECT * FROM growing_gadget") == [("a", "one", 1, "")]
    migrate("growing", "zero")
    assert not (empty / "growing_gadget").exists()


def test_plan_and_sql(empty: Path) -> None:
    plan, text = io.StringIO(), io.StringIO()
    call_command("migrate", "growing", database=LAKEHOUSE, plan=True, stdout=plan)
    assert "growing.0002_columns" in plan.getvalue()
    for statement in (
        "CREATE TABLE `growing_gadget` (`id` STRING NOT NULL, `name` STRING NOT NULL",
        "CONSTRAINT `growing_gadget_pk` PRIMARY KEY (`id`) NOT ENFORCED) USING DELTA TBLPROPERTIES ('delta.columnMapping.mode' = 'none', 'delta.enableDeletionVectors' = 'false');",
        "ADD CONSTRAINT `growing_gadget_state_check` CHECK (`state` IN ('new', 'used'));",
        "FOREIGN KEY (`maker_id`) REFERENCES `growing_maker` (`id`) NOT ENFORCED;",
        "ALTER TABLE `growing_gadget` DROP CONSTRAINT `growing_gadget_state_check`;",
        "ALTER TABLE `growing_gadget` DROP CONSTRAINT `growing_gadget_maker_id_",
    ):
        assert statement in plan.getvalue()
    assert not (empty / "growing_gadget").exists()
    call_command("sqlmigrate", "growing", "0002", database=LAKEHOUSE, stdout=text)
    assert "ALTER TABLE `growing_gadget` ADD COLUMN `note` STRING;" in text.getvalue()
    call_command("sqlmigrate", "growing", "0003", database=LAKEHOUSE, stdout=text)
    assert "RENAME COLUMN `name` TO `title`" in text.getvalue()


def test_the_plan_of_every_concept_is_shown(empty: Path) -> None:
    plan = io.StringIO()
    call_command("migrate", database=LAKEHOUSE, plan=True, stdout=plan)
    tables = re.findall(r"    CREATE TABLE `(\w+)`", plan.getvalue())
    assert {"sheets", "templates", "canonical_labels", "training_sheets", "qa_pairs"} < set(tables)
    assert "CLUSTER BY (`training_sheet_id`) COMMENT 'Question–answer pairs with status" in plan.getvalue()
    assert not [name for name in tables if name.startswith(("auth_", "django_"))]


def test_the_plan_backwards(empty: Path) -> None:
    migrate("growing", "0004")
    plan = io.StringIO()
    call_command("migrate", "growing", "0003", database=LAKEHOUSE, plan=True, stdout=plan)
    statements = re.findall(r"    (ALTER|DROP) TABLE (.*);", plan.getvalue())
    assert ("DROP", "`growing_maker`") in statements
    assert ("ALTER", "`growing_gadget` DROP CONSTRAINT `growing_gadget_state_check`") in statements


def test_migrating_twice_does_nothing(empty: Path) -> None:
    migrate("growing")
    before = sorted(empty.rglob("*"))
    migrate("growing")
    assert sorted(empty.rglob("*")) == before


def added(field: models.Field[Any, Any], name: str) -> models.Field[Any, Any]:
    field.set_attributes_from_name(name)
    field.model = Part
    return field


@pytest.mark.parametrize("key", [uuid7, lambda: str(uuid4()), lambda: f"{uuid4()} {'x' * 99}"])
def test_rows_stay_whatever_their_keys(key: Callable[[], str], frame: Callable[[str], polars.DataFrame]) -> None:
    Line.objects.bulk_create([Line(pk=key(), sheet=f"sheet {n % 3}") for n in range(90)])
    with connections[LAKEHOUSE].schema_editor() as editor:
        editor.add_field(Line, added(models.TextField(null=True), "note"))
        editor.add_field(Line, added(models.TextField(default="d"), "more"))
    assert frame("testapp_line")["more"].to_list() == ["d"] * 90


def test_an_interrupted_add_field_may_be_repeated(frame: Callable[[str], polars.DataFrame]) -> None:
    Part.objects.bulk_create([Part(name="bolt"), Part(name="nut")])
    field = added(ArrayField(default=lambda: ["x"]), "extra")
    run("ALTER TABLE testapp_part ADD COLUMN extra ARRAY<STRING>")
    run("UPDATE testapp_part SET extra = ARRAY('kept') WHERE name = 'bolt'")
    for _ in range(2):
        with connections[LAKEHOUSE].schema_editor() as editor:
            editor.add_field(Part, field)
    assert dict(frame("testapp_part").select("name", "extra").iter_rows()) == {"bolt": ["kept"], "nut": ["x"]}


def test_a_column_that_may_not_be_null_any_more(frame: Callable[[str], polars.DataFrame]) -> None:
    Part.objects.bulk_create([Part(name="bolt", stock=5), Part(name="nut")])
    old, new = Part._meta.get_field("stock"), added(models.IntegerField(default=3), "stock")
    with connections[LAKEHOUSE].schema_editor() as editor:
        editor.alter_field(Part, old, new)
    assert dict(frame("testapp_part").select("name", "stock").iter_rows()) == {"bolt": 5, "nut": 3}
    with connections[LAKEHOUSE].schema_editor() as editor:
        editor.alter_field(Part, new, old)
    Part.objects.create(name="cog", stock=None)


def test_a_field_that_becomes_unique_refuses_rows_that_are_not(lakehouse: Path) -> None:
    Part.objects.bulk_create([Part(name="bolt"), Part(name="bolt"), Part(name="nut")])
    unique = added(models.CharField(max_length=50, unique=True), "name")
    together = models.UniqueConstraint(fields=["name", "price"], name="priced_once")
    with connections[LAKEHOUSE].schema_editor() as editor:
        with pytest.raises(IntegrityError, match=r"2 rows of testapp_part have the same `name`, \('bolt',\)"):
            editor.alter_field(Part, Part._meta.get_field("name"), unique)
        with pytest.raises(IntegrityError, match="bolt"):
            editor.add_constraint(Part, together)
        with pytest.raises(IntegrityError, match="same `kind`"):
            editor.add_field(Part, added(models.CharField(default="x", unique=True), "kind"))
        Part.objects.filter(name="bolt").delete()
        editor.add_constraint(Part, together)


@pytest.mark.parametrize(
    "constraint",
    [
        models.UniqueConstraint(Lower("name"), name="once"),
        models.UniqueConstraint(fields=["name"], condition=models.Q(stock=1), name="once"),
    ],
)
def test_what_is_unique_by_a_rule_is_refused(lakehouse: Path, constraint: models.UniqueConstraint) -> None:
    with (
        connections[LAKEHOUSE].schema_editor() as editor,
        pytest.raises(NotSupportedError, match="unique columns only"),
    ):
        editor.add_constraint(Part, constraint)


def test_comments_change(lakehouse: Path) -> None:
    old, new = (
        Part._meta.get_field("name"),
        added(models.CharField(max_length=50, db_comment="What it's called"), "name"),
    )
    with connections[LAKEHOUSE].schema_editor() as editor:
        editor.alter_field(Part, old, new)
        editor.alter_db_table_comment(Part, None, "The shop's parts")
    connection = connections[LAKEHOUSE]
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, "testapp_part")
        tables = connection.introspection.get_table_list(cursor)
    assert {column.name: column.comment for column in columns}["name"] == "What it's called"
    assert {table.name: table.comment for table in tables}["testapp_part"] == "The shop's parts"


def test_rename_and_drop_a_table(lakehouse: Path, frame: Callable[[str], polars.DataFrame]) -> None:
    Part.objects.create(name="bolt")
    with connections[LAKEHOUSE].schema_editor() as editor:
        editor.alter_db_table(Part, "testapp_part", "parts_now")
    assert frame("parts_now")["name"].to_list() == ["bolt"]
    with connections[LAKEHOUSE].schema_editor() as editor:
        editor.alter_db_table(Part, "parts_now", "testapp_part")
        editor.delete_model(Part)
    assert not (lakehouse / "mirion_vital" / "workbench" / "testapp_part").exists()


def test_the_database_describes_its_tables(lakehouse: Path) -> None:
    out = io.StringIO()
    call_command("inspectdb", "testapp_part", database=LAKEHOUSE, stdout=out)
    for words in (
        "shelf = models.ForeignKey(",
        "price = models.DecimalField(max_digits=12, decimal_places=2",
        "stock = models.IntegerField",
        "added = models.DateTimeField",
    ):
        assert words in out.getvalue()
