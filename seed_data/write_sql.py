"""Writes `load_seed_data.sql` from the CSV and JSON files beside it. Run: python seed_data/write_sql.py

The rows are those that `manage.py loadseed` loads. A row whose key is there already is left as it is.
"""

# ruff: noqa: S608 (the statements are written to a file, from files of this folder)
from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

SEED_DATA = Path(__file__).parent
SETS = ("pcb_defects", "medical_invoices")
OUT = "load_seed_data.sql"
WORKBENCH = "mirion_vital.workbench"
# every id in the JSON files is uuid5 of this and a readable name
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "seed-data.mirion.com")

Row = dict[str, Any]
Columns = dict[str, str]

# Column → type of the workbench tables, in order. JSON is text in canonical form.
TABLES: dict[str, Columns] = {
    "sheets": {
        "id": "STRING",
        "name": "STRING",
        "description": "STRING",
        "primary_table": "STRING",
        "secondary_sources": "JSON",
        "join_keys": "ARRAY<STRING>",
        "item_ref_column": "STRING",
        "filter_condition": "STRING",
        "sample_size": "BIGINT",
        "row_count": "BIGINT",
        "allowed_uses": "ARRAY<STRING>",
        "prohibited_uses": "ARRAY<STRING>",
        "usage_reason": "STRING",
        "data_classification": "STRING",
        "created_by": "STRING",
        "created_at": "TIMESTAMP",
        "updated_at": "TIMESTAMP",
    },
    "templates": {
        "id": "STRING",
        "name": "STRING",
        "description": "STRING",
        "version": "STRING",
        "status": "STRING",
        "label_type": "STRING",
        "system_prompt": "STRING",
        "user_prompt_template": "STRING",
        "input_schema": "JSON",
        "output_schema": "JSON",
        "base_model": "STRING",
        "temperature": "DOUBLE",
        "max_tokens": "INT",
        "examples": "JSON",
        "guidelines": "STRING",
        "source_catalog": "STRING",
        "source_schema": "STRING",
        "source_table": "STRING",
        "source_volume": "STRING",
        "created_by": "STRING",
        "created_at": "TIMESTAMP",
        "updated_at": "TIMESTAMP",
    },
    "canonical_labels": {
        "id": "STRING",
        "sheet_id": "STRING",
        "item_ref": "STRING",
        "label_type": "STRING",
        "label_data": "JSON",
        "confidence": "STRING",
        "notes": "STRING",
        "allowed_uses": "ARRAY<STRING>",
        "prohibited_uses": "ARRAY<STRING>",
        "usage_reason": "STRING",
        "data_classification": "STRING",
        "tag_prohibited_uses": "ARRAY<STRING>",
        "uses_change_reason": "STRING",
        "decided_by": "STRING",
        "opinions_by": "ARRAY<STRING>",
        "opinion_id": "STRING",
        "labeled_by": "STRING",
        "labeled_at": "TIMESTAMP",
        "last_modified_by": "STRING",
        "last_modified_at": "TIMESTAMP",
        "version": "INT",
        "template_id": "STRING",
        "output_schema": "JSON",
        "item_hash": "STRING",
        "created_at": "TIMESTAMP",
    },
    "canonical_label_versions": {
        "id": "STRING",
        "canonical_label_id": "STRING",
        "version": "INT",
        "label_data": "JSON",
        "confidence": "STRING",
        "notes": "STRING",
        "allowed_uses": "ARRAY<STRING>",
        "prohibited_uses": "ARRAY<STRING>",
        "usage_reason": "STRING",
        "data_classification": "STRING",
        "modified_by": "STRING",
        "modified_at": "TIMESTAMP",
        "change_note": "STRING",
        "decided_by": "STRING",
        "opinion_id": "STRING",
    },
}

USES = ["training", "validation", "evaluation", "few_shot", "testing"]
# What a sheet starts with: it limits nothing itself.
UNLIMITED = {"allowed_uses": USES, "prohibited_uses": [], "usage_reason": "", "data_classification": "public"}

HEADING = """\
-- The sample data of the Training Dataset Workbench, in Databricks SQL.
-- Made by write_sql.py from the CSV and JSON files beside it; change those, then run it again.
--
-- Before: `manage.py migrate --database lakehouse` makes the tables of mirion_vital.workbench.
-- After: copy the files into the volumes, as README.md says.
-- Run twice, it adds nothing twice: a row whose key is there already is left as it is.
"""


def literal(value: Any, kind: str) -> str:
    """One value as Databricks SQL. Times are UTC; a missing value is NULL."""
    if value is None:
        return "NULL"
    if kind == "JSON":
        return text(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    if kind == "ARRAY<STRING>":
        return f"array({', '.join(map(text, value))})" if value else "CAST(array() AS ARRAY<STRING>)"
    if kind == "TIMESTAMP":
        return f"TIMESTAMP'{datetime.fromisoformat(value).isoformat(' ')}'"
    if kind == "DATE":
        return f"DATE'{value}'"
    return text(value) if kind == "STRING" else str(value)


def text(value: str) -> str:
    r"""A quoted string. Databricks reads \ as an escape; its editor takes {{ for a parameter, so that pair is split."""
    for plain, escaped in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        value = value.replace(plain, escaped)
    return "'" + value.replace("{{", "{' || '{") + "'"


def merge(table: str, key: str, columns: Columns, rows: Iterable[Row]) -> str:
    """One MERGE that adds the rows whose key is not in the table."""
    names = ", ".join(columns)
    values = ",\n    ".join(
        f"({', '.join(literal(row[name], kind) for name, kind in columns.items())})" for row in rows
    )
    casts = ", ".join(
        f"CAST({name} AS {'STRING' if kind == 'JSON' else kind}) AS {name}" for name, kind in columns.items()
    )
    return (
        f"MERGE INTO {table} AS t\nUSING (\n  SELECT {casts}\n  FROM VALUES\n    {values}\n  AS v({names})\n) AS s\n"
        f"ON t.{key} = s.{key}\nWHEN NOT MATCHED THEN INSERT ({names})\n"
        f"VALUES ({', '.join(f's.{name}' for name in columns)})"
    )


def source_statements(folder: Path) -> Iterator[tuple[str, str]]:
    """(comment, statement) for the schemas, tables, rows and volumes that one set reads from."""
    tables = _json(folder / "tables.json")
    for table in tables["tables"]:
        columns = {column["name"]: column["type"] for column in table["columns"]}
        yield f"Schema of {table['name']}", f"CREATE SCHEMA IF NOT EXISTS {table['name'].rpartition('.')[0]}"
        yield f"Table {table['name']}", _create_table(table)
        yield f"Rows of {table['name']}", merge(table["name"], table["key"], columns, _csv(folder / table["rows"]))
    for volume in tables["volumes"]:
        name = volume["path"].removeprefix("/Volumes/").replace("/", ".")
        comment = f"CREATE VOLUME IF NOT EXISTS {name} COMMENT {text(volume['comment'])}"
        yield f"Volume for the files of {folder.name}/{volume['files']}", comment


def _create_table(table: Row) -> str:
    lines = [
        f"  {c['name']} {c['type']}{'' if c['nullable'] else ' NOT NULL'} COMMENT {text(c['comment'])}"
        for c in table["columns"]
    ]
    body = ",\n".join(lines)
    return f"CREATE TABLE IF NOT EXISTS {table['name']} (\n{body}\n) USING DELTA COMMENT {text(table['comment'])}"


def workbench_rows(folder: Path) -> dict[str, list[Row]]:
    """The rows of one set for each workbench table, with every column filled."""
    sheet, labels = _json(folder / "sheet.json"), _json(folder / "canonical_labels.json")
    rows = _csv(folder / _json(folder / "tables.json")["tables"][0]["rows"])
    templates = _json(folder / "templates.json")
    filled = [label_row(label) for label in labels]
    return {
        "sheets": [{**sheet, **UNLIMITED, "row_count": len(rows), "updated_at": sheet["created_at"]}],
        "templates": [{**template, "updated_at": template["created_at"]} for template in templates],
        "canonical_labels": filled,
        "canonical_label_versions": [version_row(label) for label in filled],
    }


def label_row(label: Row) -> Row:
    extra = {
        "tag_prohibited_uses": [],
        "decided_by": "",
        "opinions_by": [],
        "opinion_id": "",
        "uses_change_reason": "",
        "template_id": None,
        "output_schema": None,
        "item_hash": "",
        "created_at": label["labeled_at"],
    }
    return {**label, **extra}


def version_row(label: Row) -> Row:
    """The first version of a label; its id is uuid5 of the label's id and the version's number."""
    return {
        **label,
        "id": str(uuid.uuid5(uuid.UUID(label["id"]), str(label["version"]))),
        "canonical_label_id": label["id"],
        "modified_by": label["last_modified_by"],
        "modified_at": label["last_modified_at"],
        "change_note": "Loaded with the sample data",
    }


def statements() -> Iterator[tuple[str, str]]:
    """(comment, statement) for all of both sets, in the order to run them."""
    for name in SETS:
        yield from source_statements(SEED_DATA / name)
    for name in SETS:
        for table, rows in workbench_rows(SEED_DATA / name).items():
            yield f"{table} of {name}", merge(f"{WORKBENCH}.{table}", "id", TABLES[table], rows)


def sql() -> str:
    """The whole file: statements end with `;` and a newline, which no string in them contains."""
    return HEADING + "".join(f"\n-- {comment}\n{statement};\n" for comment, statement in statements())


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _csv(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    (SEED_DATA / OUT).write_text(sql(), encoding="utf-8", newline="\n")
