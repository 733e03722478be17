"""Loads the seed data sets: source tables, volume files, sheet, templates and canonical labels.

What is there already, by key, is left as it is, so loading twice changes nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid5

from django.conf import settings
from django.db import connections

from labels.models import CanonicalLabel, CanonicalLabelVersion
from sheets.models import Sheet
from sheets.names import VolumeName
from sheets.volumes import volume as volume_of
from templates_app.models import PromptTemplate
from workbench.lakehouse.bulk import insert_missing
from workbench.lakehouse.compiler import insert_sql
from workbench.lakehouse.rows import Rows
from workbench.near import listed
from workbench.problems import NotFound
from workbench.router import LAKEHOUSE

SEED_DATA = Path(settings.BASE_DIR) / "seed_data"
SETS = ("pcb_defects", "medical_invoices")
READERS: dict[str, Any] = {
    "INT": int,
    "BIGINT": int,
    "FLOAT": float,
    "DOUBLE": float,
    "DATE": date.fromisoformat,
    "TIMESTAMP": datetime.fromisoformat,
}


@dataclass(frozen=True)
class Loaded:
    """How much of one set was new."""

    name: str
    source_rows: int
    files: int
    sheets: int
    templates: int
    labels: int


def load(name: str) -> Loaded:
    """Load one set and return what was added. Raises NotFound for a set that does not exist."""
    if name not in SETS:
        raise NotFound(f"There is no seed data set {name!r}: use {listed(SETS)}.")
    folder = SEED_DATA / name
    sources = read_json(folder / "tables.json")
    labels = read_json(folder / "canonical_labels.json")
    return Loaded(
        name=name,
        source_rows=sum(load_table(folder, table) for table in sources["tables"]),
        files=sum(load_volume(folder, volume) for volume in sources["volumes"]),
        sheets=insert_missing([Sheet(**sheet_row(folder, sources["tables"][0]))]),
        templates=insert_missing([PromptTemplate(**template_row(row)) for row in read_json(folder / "templates.json")]),
        labels=add_labels(labels),
    )


def read_json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def load_table(folder: Path, table: Mapping[str, Any]) -> int:
    """Create the source table if it is absent, append the rows whose key is not there, return their number."""
    catalog, schema, _ = table["name"].split(".")
    connection = connections[LAKEHOUSE]
    quote = connection.ops.quote_name
    with connection.cursor() as cursor, connection.schema_editor() as editor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(catalog)}.{quote(schema)}")
        columns = ", ".join(
            f"{quote(column['name'])} {column['type']}{'' if column['nullable'] else ' NOT NULL'}"
            f" COMMENT {editor.quote_value(column['comment'])}"
            for column in table["columns"]
        )
        name = ".".join(map(quote, table["name"].split(".")))
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {name} ({columns}) USING DELTA COMMENT {editor.quote_value(table['comment'])}"
        )
        types = [(column["name"], column["type"]) for column in table["columns"]]
        values = list(typed_rows(folder / table["rows"], dict(types)))
        rows = Rows(table["name"], types, values, keys=[[table["key"]]], on_conflict="ignore")
        cursor.execute(insert_sql(rows, quote), cast(Any, [rows]))
        return int(cursor.rowcount)


def typed_rows(file: Path, types: Mapping[str, str]) -> Iterator[list[Any]]:
    """Yield the rows of a CSV file in the order of `types`; an empty cell is NULL."""
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield [typed(row[name], kind) for name, kind in types.items()]


def typed(text: str, kind: str) -> Any:
    if text == "":
        return None
    if kind.startswith("DECIMAL"):
        return Decimal(text)
    return READERS.get(kind, str)(text)


def load_volume(folder: Path, volume: Mapping[str, Any]) -> int:
    """Copy the files that are not in the volume and return their number; a file appears whole or not at all."""
    _, _, catalog, schema, name = volume["path"].split("/")
    connection = connections[LAKEHOUSE]
    with connection.cursor() as cursor:
        quoted = ".".join(map(connection.ops.quote_name, (catalog, schema, name)))
        cursor.execute(f"CREATE VOLUME IF NOT EXISTS {quoted}")
    target = volume_of(VolumeName(catalog, schema, name))
    present = set(target.list_files())
    missing = [file for file in sorted((folder / volume["files"]).iterdir()) if file.name not in present]
    for file in missing:
        with file.open("rb") as source:
            target.write(file.name, source)
    return len(missing)


def sheet_row(folder: Path, table: Mapping[str, Any]) -> dict[str, Any]:
    row = read_json(folder / "sheet.json")
    with (folder / table["rows"]).open(encoding="utf-8", newline="") as lines:
        count = sum(1 for _ in csv.DictReader(lines))
    return {**row, "created_at": at(row["created_at"]), "updated_at": at(row["created_at"]), "row_count": count}


def template_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "created_at": at(row["created_at"]), "updated_at": at(row["created_at"])}


def add_labels(rows: Sequence[Mapping[str, Any]]) -> int:
    """Add labels and the version row of each; the version is written last and again if it is missing."""
    times = ("labeled_at", "last_modified_at")
    labels = [{**row, **{name: at(row[name]) for name in times}, "created_at": at(row["labeled_at"])} for row in rows]
    added = insert_missing([CanonicalLabel(**row) for row in labels])
    if added < len(labels):
        # An item may carry a label of somebody else instead, and that one has versions of its own.
        there = set(CanonicalLabel.objects.filter(pk__in=[row["id"] for row in labels]).values_list("pk", flat=True))
        labels = [row for row in labels if row["id"] in there]
    insert_missing([CanonicalLabelVersion(**version_row(row)) for row in labels])
    return added


def version_row(label: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("version", "label_data", "confidence", "notes", "usage_reason", "data_classification")
    return {
        "id": str(uuid5(UUID(label["id"]), str(label["version"]))),
        "canonical_label_id": label["id"],
        **{name: label[name] for name in (*kept, "allowed_uses", "prohibited_uses")},
        "modified_by": label["last_modified_by"],
        "modified_at": label["last_modified_at"],
        "change_note": "Loaded with the sample data",
    }


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)
