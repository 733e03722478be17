"""The sample data files agree with each other: tables, pictures, PDFs, sheets, templates, labels, SQL."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import uuid
from datetime import datetime
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from jsonschema import Draft202012Validator
from PIL import Image
from pypdf import PdfReader
from sqlglot import exp

SEEDS = Path(__file__).parents[2] / "seed_data"
PCB, INVOICES = SEEDS / "pcb_defects", SEEDS / "medical_invoices"
SETS = [PCB, INVOICES]
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "seed-data.mirion.com")
USES = {"training", "validation", "evaluation", "few_shot", "testing"}


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def template_of(folder: Path, label_type: str) -> Any:
    return next(t for t in load(folder / "templates.json") if t["label_type"] == label_type)


def pdf_text(invoice_id: str) -> str:
    return PdfReader(io.BytesIO((INVOICES / "invoices" / f"{invoice_id}.pdf").read_bytes())).pages[0].extract_text()


def words(text: str) -> str:
    """Words in one order, because a PDF has none."""
    return " ".join(sorted(text.split()))


def python(folder: Path, code: str) -> str:
    """What a snippet prints when it runs beside the scripts of a folder."""
    done = subprocess.run([sys.executable, "-B", "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize(("folder", "count"), [(PCB, 50), (INVOICES, 30)])
def test_every_row_is_typed_and_unique(folder: Path, count: int) -> None:
    table = load(folder / "tables.json")["tables"][0]
    found = rows(folder / table["rows"])
    assert list(found[0]) == [column["name"] for column in table["columns"]]
    assert len({row[table["key"]] for row in found}) == len(found) == count


def test_every_inspection_has_its_picture_and_no_picture_is_left_over() -> None:
    names = {row["image_id"] for row in rows(PCB / "inspections.csv")}
    assert names == {path.name for path in (PCB / "images").iterdir()}
    for row in rows(PCB / "inspections.csv"):
        path = PCB / "images" / row["image_id"]
        assert path.stat().st_size < 60_000
        with Image.open(path) as image:
            assert image.size == (int(row["image_width_px"]), int(row["image_height_px"]))


def test_every_invoice_has_its_pdf_and_their_texts_agree() -> None:
    assert {row["invoice_id"] for row in rows(INVOICES / "invoices.csv")} == {
        path.stem for path in (INVOICES / "invoices").iterdir()
    }
    for row in rows(INVOICES / "invoices.csv"):
        path = INVOICES / "invoices" / Path(row["pdf_path"]).name
        assert path.stat().st_size == int(row["file_size_bytes"])
        printed, read = pdf_text(row["invoice_id"]), row["extracted_text"]
        if float(row["parsing_confidence"]) > 0.9:
            assert words(printed) == words(read)
        else:
            assert words(printed) != words(read)
            assert SequenceMatcher(None, " ".join(printed.split()), " ".join(read.split()), False).ratio() > 0.8


def test_invoices_are_clearly_invented() -> None:
    for row in rows(INVOICES / "invoices.csv"):
        digits = [int(d) for d in "80840" + row["provider_npi"]][::-1]
        check = sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits))
        assert check % 10 != 0
        assert "SYNTHETIC SAMPLE - NOT A REAL PATIENT" in pdf_text(row["invoice_id"])
        assert "555-01" in pdf_text(row["invoice_id"])


@pytest.mark.parametrize("folder", SETS)
def test_examples_fit_their_template_and_fill_its_prompt(folder: Path) -> None:
    columns = {column["name"] for column in load(folder / "tables.json")["tables"][0]["columns"]}
    for template in load(folder / "templates.json"):
        names = {field["name"] for field in template["input_schema"]}
        prompt = SandboxedEnvironment(undefined=StrictUndefined).from_string(template["user_prompt_template"])
        Draft202012Validator.check_schema(template["output_schema"])
        assert names <= columns
        for example in template["examples"]:
            assert set(example["input"]) == names
            assert prompt.render(example["input"])
            Draft202012Validator(template["output_schema"]).validate(example["output"])


@pytest.mark.parametrize(
    ("folder", "label_type", "count"), [(PCB, "classification", 10), (INVOICES, "entity_extraction", 8)]
)
def test_labels_fit_their_template_and_their_sheet(folder: Path, label_type: str, count: int) -> None:
    sheet, labels = load(folder / "sheet.json"), load(folder / "canonical_labels.json")
    schema = Draft202012Validator(
        template_of(folder, label_type)["output_schema"], format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    table = load(folder / "tables.json")["tables"][0]
    items = {row[sheet["item_ref_column"]] for row in rows(folder / table["rows"])}
    assert len({label["item_ref"] for label in labels}) == len(labels) == count
    for label in labels:
        schema.validate(label["label_data"])
        assert label["sheet_id"] == sheet["id"]
        assert label["label_type"] == label_type
        assert label["item_ref"] in items
        assert set(label["allowed_uses"]) | set(label["prohibited_uses"]) == USES
        assert not set(label["allowed_uses"]) & set(label["prohibited_uses"])


def test_pcb_labels_say_what_was_drawn() -> None:
    code = (
        "import json, plan; print(json.dumps({b.image_id: [b.defect, b.severity, b.location] for b in plan.boards()}))"
    )
    drawn = json.loads(python(PCB, code))
    for label in load(PCB / "canonical_labels.json"):
        data = label["label_data"]
        assert [data["defect_type"], data["severity"], data["location"]] == drawn[label["item_ref"]]


def test_invoice_labels_say_what_the_pdf_says() -> None:
    for label in load(INVOICES / "canonical_labels.json"):
        data, printed = label["label_data"], pdf_text(label["item_ref"])
        born = datetime.fromisoformat(data["patient_dob"]).strftime("%m/%d/%Y")
        expected = [data["patient_name"], born, data["insurance_id"], data["provider_name"], *data["procedure_codes"]]
        assert [value for value in expected if value not in printed] == []
        assert f"${data['total_amount']:,.2f}" in printed.split("TOTAL DUE")[1]


def test_three_invoice_labels_may_not_train() -> None:
    limited = [label for label in load(INVOICES / "canonical_labels.json") if "training" in label["prohibited_uses"]]
    assert len(limited) == 3
    assert {label["usage_reason"] for label in limited} == {"Contains PHI - HIPAA"}
    assert {label["data_classification"] for label in limited} == {"restricted"}


@pytest.mark.parametrize("folder", SETS)
def test_ids_follow_from_readable_names(folder: Path) -> None:
    names = {load(folder / "sheet.json")["id"]: f"sheet/{folder.name}"}
    for template in load(folder / "templates.json"):
        names[template["id"]] = f"template/{template['name']}/{template['version']}"
    for label in load(folder / "canonical_labels.json"):
        names[label["id"]] = f"canonical_label/{folder.name}/{label['label_type']}/{label['item_ref']}"
    assert {found: str(uuid.uuid5(NAMESPACE, name)) for found, name in names.items()} == {
        found: found for found in names
    }


def test_the_sql_file_is_what_the_data_files_say() -> None:
    written = python(SEEDS, "import sys, write_sql; sys.stdout.buffer.write(write_sql.sql().encode())")
    assert written == (SEEDS / "load_seed_data.sql").read_text(encoding="utf-8")


def test_every_statement_parses_as_databricks_sql() -> None:
    pieces = (SEEDS / "load_seed_data.sql").read_text(encoding="utf-8").split(";\n")
    parsed = [sqlglot.parse_one(piece, dialect="databricks") for piece in pieces if piece.strip()]
    merges = [statement for statement in parsed if isinstance(statement, exp.Merge)]
    assert len(merges) == 10
    assert [rows_read_back(merge)[0] for merge in merges] == [50, 30, 1, 3, 10, 10, 1, 1, 8, 8]


def rows_read_back(merge: exp.Merge) -> tuple[int, list[dict[str, Any]]]:
    """The rows a MERGE brings, as a database reads them."""
    select = merge.args["using"].this.sql(dialect="duckdb")
    table: pa.Table = duckdb.connect().sql(select).to_arrow_table()
    found: list[dict[str, Any]] = table.to_pylist()
    return len(found), found


def test_labels_survive_the_sql_file() -> None:
    text = (SEEDS / "load_seed_data.sql").read_text(encoding="utf-8")
    piece = next(p for p in text.split(";\n") if "canonical_labels of medical_invoices" in p)
    merge = sqlglot.parse_one(piece, dialect="databricks")
    assert isinstance(merge, exp.Merge)
    for read, label in zip(rows_read_back(merge)[1], load(INVOICES / "canonical_labels.json"), strict=True):
        assert json.loads(read["label_data"]) == label["label_data"]
        assert (read["allowed_uses"], read["prohibited_uses"]) == (label["allowed_uses"], label["prohibited_uses"])
        assert (read["id"], read["version"], read["template_id"]) == (label["id"], 1, None)


def test_strings_survive_the_sql_file() -> None:
    template = template_of(PCB, "classification")
    text = (SEEDS / "load_seed_data.sql").read_text(encoding="utf-8")
    assert "{{" not in text
    piece = next(p for p in text.split(";\n") if "templates of pcb_defects" in p)
    merge = sqlglot.parse_one(piece, dialect="databricks")
    assert isinstance(merge, exp.Merge)
    read = rows_read_back(merge)[1][0]
    for name in ("guidelines", "system_prompt", "user_prompt_template"):
        assert read[name] == template[name]
    assert read["examples"] == json.dumps(
        template["examples"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


def test_drawing_again_gives_the_same_bytes() -> None:
    shown = "from hashlib import sha256; print(sha256({}).hexdigest())"
    board = "import draw_images, plan; " + shown.format("draw_images.draw_board(plan.plan(2)).tobytes()")
    page = "import invoices, page; " + shown.format("page.draw(invoices.invoice(3))[0]")
    assert python(PCB, board) == python(PCB, board)
    assert python(INVOICES, page) == python(INVOICES, page)


def test_all_of_it_is_small() -> None:
    files = [
        path for path in SEEDS.rglob("*") if path.suffix in (".jpg", ".pdf", ".csv", ".json", ".sql", ".py", ".md")
    ]
    assert sum(path.stat().st_size for path in files) < 6_000_000
