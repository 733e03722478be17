"""Values that stand in a text are found where they stood in labelled items."""

from __future__ import annotations

import json
from typing import Any

import pytest

from templates_app.schemas import misfits
from training.drafter import Drafter, Example
from training.fitting import fit, labelled_values
from training.places import learn

BILL: dict[str, Any] = {
    "type": "object",
    "properties": {
        "patient": {"type": "string"},
        "born": {"type": "string", "format": "date", "title": "Date of birth"},
        "insurance": {"type": "string"},
        "codes": {"type": "array", "items": {"type": "string"}},
        "total": {"type": "number"},
    },
    "required": ["patient", "born", "insurance", "codes", "total"],
}
PEOPLE = [("Ann Lee", "1980-02-03", "ZZ123", ["10001", "20002"], 12.5), ("Bo Day", "1975-11-30", "ZZ456", ["30003"], 7)]
TEXT = """CLINIC
Patient Name: {} Invoice Number: {n}
Date of Birth: {} Invoice Date: 01/09/2026
Insurance ID: {} Account Number: ACC-{n}
{}
TOTAL DUE ${}"""


def text(patient: str, born: str, insurance: str, codes: list[str], total: float, n: int = 7) -> str:
    year, month, day = born.split("-")
    lines = "\n".join(f"{code} Something 1 2.00" for code in codes)
    return TEXT.format(patient, f"{month}/{day}/{year}", insurance, lines, f"{total:,.2f}", n=n)


def answer(*values: Any) -> dict[str, Any]:
    return dict(zip(BILL["properties"], values, strict=True))


@pytest.fixture
def drafter() -> Drafter:
    labelled = [*PEOPLE, ("Cy de la Cruz", "2001-01-01", "ZZ789", ["10001", "30003"], 1300.0)]
    rows = [{"parsed": text(*person, n=n)} for n, person in enumerate(labelled)]
    examples = [Example(str(n), row, answer(*labelled[n])) for n, row in enumerate(rows)]
    return Drafter(examples, BILL)


def test_a_form_that_is_always_the_same_is_read(drafter: Drafter) -> None:
    new = ("Dee Ng", "1999-12-31", "ZZ000", ["40004", "10001"], 2050.25)
    draft = drafter.draft({"parsed": text(*new)})
    assert (json.loads(draft.answer), misfits(BILL, draft.answer)) == (answer(*new), [])
    assert all(0.4 < sure < 0.8 for sure in draft.by_field.values())  # three labels are few


def test_words_that_were_misread_still_lead_to_the_value_less_surely(drafter: Drafter) -> None:
    new = ("Dee Ng", "1999-12-31", "ZZ000", ["40004"], 3.0)
    clean, noisy = text(*new), text(*new).replace("of Birth", "of 8irth").replace("ZZ000", "ZZO00")
    sure, unsure = drafter.draft({"parsed": clean}).by_field, drafter.draft({"parsed": noisy})
    assert json.loads(unsure.answer)["born"] == "1999-12-31"
    assert unsure.by_field["born"] < sure["born"]
    assert unsure.by_field["insurance"] < sure["insurance"] / 2  # the letter O is in no labelled ID


def test_what_is_always_the_same_or_rarely_right_is_no_rule() -> None:
    rows = [{"t": "Name: Ann"}, {"t": "Name: Bo"}, {"t": "Name: Cy"}]
    assert learn(rows, {0: "Ann", 1: "Ann", 2: "Ann"}, {"type": "string"}) is None
    assert learn(rows, {0: "Ann", 1: "Dee", 2: "Eve"}, {"type": "string"}) is None
    assert learn(rows[:1], {0: "Ann"}, {"type": "string"}) is None


def test_labels_on_one_line_are_told_apart_and_are_uncertain() -> None:
    found = list(labelled_values("Name: Ann Lee Due Date: May 1 Total Sum: 3\nPaid: no"))
    assert found == [
        ("Name", "Ann Lee", False),
        ("Due Date", "May 1", False),
        ("Total Sum", "3", True),
        ("Paid", "no", True),
    ]


def test_a_title_is_a_name_of_its_field() -> None:
    draft = Drafter([], BILL).draft({"Date of Birth": "03/15/1985", "parsed": "TOTAL: $5"})
    assert json.loads(draft.answer) == {"born": "1985-03-15", "total": 5}


def test_what_lies_inside_objects_and_lists_is_fitted_too() -> None:
    line = {"type": "object", "properties": {"n": {"type": "integer"}, "day": {"type": "string", "format": "date"}}}
    found = fit([{"n": "3", "day": "03/15/1985", "x": 1}], {"type": "array", "items": line})
    assert found == [{"n": 3, "day": "1985-03-15", "x": 1}]
    assert fit('{"n": "3", "x": 1}', {**line, "additionalProperties": False}) == {"n": 3}
