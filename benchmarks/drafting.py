"""How often the offline drafter is right on the seed data, and whether it knows: `python -m benchmarks.drafting`.

Each label is drafted from the others (leave one out), and each item without a label from all of them; what is true there
is what was drawn. Beside it stands the majority: for every field the answer that most labels have.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.stage import set_up

BOARDS = "import plan; print(json.dumps({b.image_id: [b.defect, b.severity, b.location] for b in plan.boards()}))"
INVOICES = """import invoices; print(json.dumps({i.invoice_id: [i.patient, i.born.isoformat(), i.insurance_id,
    list(dict.fromkeys(line.code for line in i.lines)), float(i.total), i.clinic[0]] for i in invoices.invoices()}))"""
# What each set's scripts know of its items, and the fields in that order.
TRUTH = {
    "pcb_defects": (BOARDS, ["defect_type", "severity", "location"]),
    "medical_invoices": (
        INVOICES,
        ["patient_name", "patient_dob", "insurance_id", "procedure_codes", "total_amount", "provider_name"],
    ),
}


@dataclass(frozen=True)
class Guess:
    """One field of one item: was the drafter right and how sure was it, and was the majority right."""

    item: str
    field: str
    right: bool
    sure: float
    usual_right: bool
    fits: bool


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        set_up(Path(directory))
        guesses: list[Guess] = []
        for name in TRUTH:
            for title, found in measured(name):
                print(f"\n{name}, {title}\n{table(found)}")
                guesses += found
    print(f"\nconfidence of a field, and how often it was right\n{calibration(guesses)}")


def measured(name: str) -> Iterator[tuple[str, list[Guess]]]:
    """Yield the guesses of a set: over its labels, then over the items without one."""
    from training.drafter import Example
    from training.seeds import SEED_DATA, read_json

    folder = SEED_DATA / name
    rows, truth = _rows(folder), _truth(name, folder)
    labels = read_json(folder / "canonical_labels.json")
    templates = read_json(folder / "templates.json")
    schema = next(each["output_schema"] for each in templates if each["label_type"] == labels[0]["label_type"])
    examples = [Example(label["item_ref"], rows[label["item_ref"]], label["label_data"]) for label in labels]
    held_out = (
        _guesses([each for each in examples if each is not one], schema, one.item_ref, one.row, one.answer)
        for one in examples
    )
    yield f"{len(examples)} labels, one left out", [guess for some in held_out for guess in some]
    rest = [ref for ref in rows if ref not in {example.item_ref for example in examples}]
    drafted = (_guesses(examples, schema, ref, rows[ref], truth[ref]) for ref in rest)
    yield f"{len(rest)} items without a label", [guess for some in drafted for guess in some]


def _guesses(
    examples: Sequence[Any], schema: Any, ref: str, row: Mapping[str, Any], truth: Mapping[str, Any]
) -> Iterator[Guess]:
    from templates_app.schemas import misfits
    from training.drafter import Drafter

    draft = Drafter(examples, schema).draft(row)
    answer = json.loads(draft.answer or "{}")
    fits = not misfits(schema, draft.answer)
    for field, value in truth.items():
        usual = Counter(json.dumps(each.answer[field]) for each in examples).most_common(1)[0][0]
        sure = draft.by_field.get(field, 0.0)
        yield Guess(ref, field, answer.get(field) == value, sure, usual == json.dumps(value), fits)


def _rows(folder: Path) -> dict[str, dict[str, Any]]:
    from training.seeds import read_json, typed_rows

    table = read_json(folder / "tables.json")["tables"][0]
    types = {column["name"]: column["type"] for column in table["columns"]}
    rows = (dict(zip(types, values, strict=True)) for values in typed_rows(folder / table["rows"], types))
    return {row[table["key"]]: row for row in rows}


def _truth(name: str, folder: Path) -> dict[str, dict[str, Any]]:
    code, fields = TRUTH[name]
    done = subprocess.run(
        [sys.executable, "-B", "-c", f"import json; {code}"], cwd=folder, capture_output=True, text=True, check=True
    )
    return {ref: dict(zip(fields, values, strict=True)) for ref, values in json.loads(done.stdout).items()}


def table(guesses: Sequence[Guess]) -> str:
    """Return a line for each field and one for whole answers: drafter, majority."""
    by_field, by_item = defaultdict(list), defaultdict(list)
    for guess in guesses:
        by_field[guess.field].append((guess.right, guess.usual_right))
        by_item[guess.item].append(guess)
    whole = [(all(g.right for g in some), all(g.usual_right for g in some)) for some in by_item.values()]
    fitting = sum(some[0].fits for some in by_item.values())
    lines = [f"{'':18}drafter  majority"]
    for name, found in [*by_field.items(), ("whole answer", whole)]:
        right, usual = (sum(column) / len(found) for column in zip(*found, strict=True))
        lines.append(f"{name:18}{right:7.0%}  {usual:8.0%}")
    return "\n".join([*lines, f"{'fits the schema':18}{fitting / len(by_item):7.0%}"])


def calibration(guesses: Sequence[Guess]) -> str:
    """Return, for each tenth of confidence, how many fields had it, its mean, and how many of them were right."""
    tenths: dict[int, list[Guess]] = defaultdict(list)
    for guess in guesses:
        if guess.sure:
            tenths[int(guess.sure * 10)].append(guess)
    lines = ["confidence  fields   mean  right"]
    for tenth, some in sorted(tenths.items()):
        mean, right = sum(each.sure for each in some) / len(some), sum(each.right for each in some) / len(some)
        lines.append(f"{tenth / 10:.1f}–{(tenth + 1) / 10:.1f}    {len(some):6}  {mean:5.2f}  {right:5.0%}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
