"""A draft looked at while it is written: its prompts on sample rows, its faults at their lines, what publishing says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sheets.models import Sheet
from sheets.reading import columns_of
from templates_app.checklist import Check, checklist
from templates_app.drafts import Fields
from templates_app.marks import Mark, json_mark, prompt_marks
from templates_app.models import PromptTemplate
from templates_app.preview import PreviewItem, preview
from workbench.problems import Problem

ROWS = 5
# The type of a column in SQL, by the start of its name → the type of a field.
TYPES = (
    (("string", "varchar", "char"), "string"),
    (("tinyint", "smallint", "int", "bigint"), "integer"),
    (("float", "double", "decimal"), "number"),
    (("boolean",), "boolean"),
    (("date",), "date"),
    (("timestamp",), "datetime"),
    (("array",), "array"),
    (("struct", "map"), "object"),
)


@dataclass(frozen=True, slots=True)
class Study:
    """What the studio shows beside the editor; `columns` have their names and types as fields."""

    checks: list[Check]
    faults: Fields
    marks: list[Mark]
    columns: list[tuple[str, str]] = field(default_factory=list)
    items: list[PreviewItem] = field(default_factory=list)
    chosen: PreviewItem | None = None
    sheet_problem: str = ""

    @property
    def publishable(self) -> bool:
        return not self.faults

    @property
    def few_shot(self) -> list[dict[str, str]]:
        """The turns of the examples: they stand between the system message and the row's question."""
        messages = self.chosen.messages if self.chosen else []
        return messages[1:-1] if messages and messages[0]["role"] == "system" else messages[:-1]

    @property
    def is_asked(self) -> bool:
        """Whether the row fills a question at all."""
        return bool(self.chosen and self.chosen.messages and self.chosen.messages[-1]["content"].strip())

    def marks_by_field(self) -> dict[str, list[Mark]]:
        found: dict[str, list[Mark]] = {}
        for mark in self.marks:
            found.setdefault(mark.field, []).append(mark)
        return found


def study(draft: PromptTemplate, sheet: Sheet | None, row: str, *, texts: Mapping[str, str], faults: Fields) -> Study:
    """Return what there is to say about a draft; `row` is the item_ref to show, of the first five.

    `texts` are the JSON fields as typed, `faults` what the form could not read.
    """
    checks, found = checklist(draft, faults)
    broken = [mark for name, text in texts.items() if (mark := json_mark(name, text))]
    columns: dict[str, str] | None = None
    items: list[PreviewItem] = []
    problem = ""
    if sheet is not None:
        try:
            columns, items = columns_of(sheet), preview(draft, sheet, ROWS)
        except Problem as found_problem:
            problem = str(found_problem)
    prompts = prompt_marks(draft, columns, items)
    return Study(
        _without_said_twice(checks) if prompts else checks,
        found,
        [*prompts, *broken],
        [(name, field_type(kind)) for name, kind in (columns or {}).items()],
        items,
        next((item for item in items if item.item_ref == row), items[0] if items else None),
        problem,
    )


def _without_said_twice(checks: list[Check]) -> list[Check]:
    """The first check is of the prompts, whose faults are told by the marks at their lines."""
    first, *rest = checks
    return [replace(first, faults=["see the marks"] if first.faults else []), *rest]


def field_type(sql_type: str) -> str:
    """Return the type of a field that takes the values of a column of this type in Databricks SQL."""
    kind = sql_type.lower()
    return next((name for starts, name in TYPES if kind.startswith(starts)), "any")


def likely_sheet(template: PromptTemplate | None) -> Any:
    """Return the key of the sheet over the template's source table, else of the newest sheet, else None."""
    sheets = dict(Sheet.objects.values_list("primary_table", "pk")[:1000])
    source = ".".join((template.source_catalog, template.source_schema, template.source_table)) if template else ""
    return sheets.get(source) or next(iter(sheets.values()), None)
