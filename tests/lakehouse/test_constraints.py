"""Keys and checks: emitted by the schema editor, enforced or recorded by the tables, read back by introspection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError
from django.core.management import call_command
from django.db import IntegrityError, ProgrammingError, connections

from tests.conftest import at
from workbench.router import LAKEHOUSE

pytestmark = pytest.mark.django_db(databases=["default", LAKEHOUSE])
TABLE = "growing_gadget"
CHECK = "growing_gadget_state_check"
ROW = "INSERT INTO growing_gadget VALUES ('{}', 'one', {}, NULL, 'A', ARRAY('w'), '{{}}', true, '{}', NULL)"


@pytest.fixture
def gadgets(tmp_path: Path, db: None) -> Iterator[Path]:
    """The table of gadgets as the fourth migration leaves it, made over a row of the third."""
    with at(tmp_path / "lakehouse"):
        migrate("0003")
        run("INSERT INTO growing_gadget VALUES ('a', 'one', 1, NULL, 'A', ARRAY('w'), '{}', true)")
        migrate("0004")
        yield tmp_path / "lakehouse" / "mirion_vital" / "workbench" / TABLE


def migrate(number: str) -> None:
    call_command("migrate", "growing", number, database=LAKEHOUSE, verbosity=0)


def run(sql: str) -> list[Any]:
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def constraints() -> dict[str, dict[str, Any]]:
    connection = connections[LAKEHOUSE]
    with connection.cursor() as cursor:
        return connection.introspection.get_constraints(cursor, TABLE)


def test_a_value_that_is_no_choice_is_refused(gadgets: Path) -> None:
    run(ROW.format("b", 1, "used"))
    with pytest.raises(IntegrityError, match=CHECK):
        run(ROW.format("c", 1, "lost"))
    with pytest.raises(IntegrityError, match=CHECK):
        run("UPDATE growing_gadget SET state = 'lost'")
    with pytest.raises(IntegrityError, match="growing_gadget_size"):
        run(ROW.format("c", -1, "new"))


def test_another_writer_is_refused_too(gadgets: Path) -> None:
    rows = polars.read_delta(str(gadgets)).with_columns(state=polars.lit("lost"))
    with pytest.raises(DeltaError, match="state"):
        write_deltalake(str(gadgets), rows.to_arrow(), mode="append")


def test_any_reader_opens_the_table(gadgets: Path) -> None:
    protocol = DeltaTable(gadgets).protocol()
    assert (protocol.min_reader_version, protocol.reader_features) == (1, None)


def test_one_more_choice(gadgets: Path) -> None:
    migrate("0005")
    run(ROW.format("b", 1, "lost"))
    with pytest.raises(IntegrityError, match=CHECK):
        migrate("0004")
    run("DELETE FROM growing_gadget WHERE id = 'b'")
    migrate("0004")
    with pytest.raises(IntegrityError, match=CHECK):
        run(ROW.format("b", 1, "lost"))


def test_columns_with_constraints_are_renamed_and_dropped(gadgets: Path) -> None:
    migrate("0006")
    assert {name: found["columns"] for name, found in constraints().items()} == {
        "growing_gadget_pk": ["id"],
        "growing_gadget_condition_check": ["condition"],
    }
    migrate("0003")
    assert set(constraints()) == {"growing_gadget_pk"}


def test_an_interrupted_migration_may_be_repeated(gadgets: Path) -> None:
    run("DELETE FROM django_migrations WHERE name LIKE '0005%'")
    run(f"ALTER TABLE growing_gadget DROP CONSTRAINT {CHECK}")
    migrate("0005")
    assert CHECK in constraints()


def test_introspection_reads_keys_and_checks(gadgets: Path) -> None:
    found = constraints()
    connection = connections[LAKEHOUSE]
    (key,) = (name for name in found if "_fk_" in name)
    assert found["growing_gadget_pk"]["primary_key"] and found[CHECK]["check"]
    assert found[CHECK]["columns"] == ["state"] and found[key]["foreign_key"] == ("growing_maker", "id")
    with connection.cursor() as cursor:
        assert connection.introspection.get_relations(cursor, TABLE) == {"maker_id": ("id", "growing_maker")}
        assert connection.introspection.get_primary_key_column(cursor, TABLE) == "id"
        assert connection.introspection.get_constraints(cursor, "no_such_table") == {}


def test_the_catalog_lists_them(gadgets: Path) -> None:
    where = f"WHERE table_name = '{TABLE}' ORDER BY 1"
    kinds = run(f"SELECT constraint_type FROM information_schema.table_constraints {where}")
    assert kinds == [("CHECK",), ("CHECK",), ("FOREIGN KEY",), ("PRIMARY KEY",)]
    columns = run(f"SELECT column_name FROM information_schema.constraint_column_usage {where}")
    assert columns == [("id",), ("maker_id",)]


def test_a_key_follows_its_renamed_table(gadgets: Path) -> None:
    run("ALTER TABLE growing_maker RENAME TO makers")
    (key,) = (found for found in constraints().values() if found["foreign_key"])
    assert key["foreign_key"] == ("makers", "id")


def test_a_key_names_a_primary_key(gadgets: Path) -> None:
    with pytest.raises(ProgrammingError, match="primary key"):
        run("ALTER TABLE growing_gadget ADD CONSTRAINT k FOREIGN KEY (title) REFERENCES growing_gadget (title)")
