"""An item as the labeling screen shows it: its source, its label as a form, and what the label may be used for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from governance.uses import CLASSIFICATIONS, USES
from labels.models import CanonicalLabel
from sheets.item_page import Source, source_of
from sheets.models import Sheet
from sheets.reading import ref_before
from templates_app.annotations import asks_for_annotations
from templates_app.answer_form import MISSING, FormField, form_of
from templates_app.form_fields import words_of
from templates_app.models import PromptTemplate
from templates_app.schemas import misfits, normalise_output_schema
from templates_app.shapes import picture_faults
from workbench.concepts import Confidence

STATES = ("allowed", "not allowed", "prohibited")


@dataclass(frozen=True)
class Task:
    """What is labeled: the items of a sheet, for one type of task, in the form of a template's schema."""

    sheet: Sheet
    label_type: str
    template: PromptTemplate

    @property
    def words(self) -> str:
        return words_of(self.label_type, upper=False)

    @property
    def output_schema(self) -> Mapping[str, Any]:
        return normalise_output_schema(self.template.output_schema)


@dataclass(frozen=True)
class Beside:
    """What stands beside the answer; `reason` says why uses of a label that is there change."""

    confidence: str = Confidence.HIGH.value
    notes: str = ""
    allowed_uses: Sequence[str] = USES
    prohibited_uses: Sequence[str] = ()
    usage_reason: str = ""
    data_classification: str = "internal"
    reason: str = ""

    @property
    def uses(self) -> list[tuple[str, str]]:
        """Each use with one of `STATES`."""
        return [(use, self._state(use)) for use in USES]

    @property
    def forbidden(self) -> list[str]:
        return [f"{use.replace('_', ' ')} {state}" for use, state in self.uses if state != "allowed"]

    def _state(self, use: str) -> str:
        if use in self.prohibited_uses:
            return "prohibited"
        return "allowed" if use in self.allowed_uses else "not allowed"


@dataclass(frozen=True)
class ShownItem:
    """All that the templates of an item read; `label` is None for a gap, and for who gives a second opinion on it."""

    task: Task
    item_ref: str
    label: CanonicalLabel | None
    source: Source
    form: FormField
    beside: Beside
    previous: str | None
    problems: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_opinion: bool = False

    states, classifications, confidences = STATES, CLASSIFICATIONS, Confidence.choices

    @property
    def version(self) -> int:
        return self.label.version if self.label else 0

    @property
    def answer_json(self) -> str:
        return orjson.dumps(self.label.label_data).decode() if self.label else ""

    @property
    def is_stale(self) -> bool:
        """Whether the item changed since it was labeled; not judged where it cannot be read."""
        return bool(self.label and self.label.item_hash and self.source.hash) and (
            self.label is not None and self.label.item_hash != self.source.hash
        )

    @property
    def other_template(self) -> PromptTemplate | None:
        """The template that the label was made with, where it is not the one of the form."""
        made_with = self.label.template if self.label else None
        return made_with if made_with and made_with != self.task.template else None


def shown_item(
    task: Task,
    item_ref: str,
    *,
    typed: Any = MISSING,
    beside: Beside | None = None,
    problems: Mapping[str, Sequence[str]] | None = None,
    is_opinion: bool = False,
) -> ShownItem:
    """Return the item for the screen; `typed` and `beside` are what was refused, with why, to be looked at again.

    Of the label nothing is read where a second opinion is given.
    """
    key = {"sheet_id": task.sheet.pk, "item_ref": item_ref, "label_type": task.label_type}
    label = None if is_opinion else CanonicalLabel.objects.select_related("template").filter(**key).first()
    stored = label.label_data if label else MISSING
    schema = task.output_schema
    measured = asks_for_annotations(schema)
    source = source_of(task.sheet, item_ref, measured=measured)
    faults = list(problems["label_data"]) if problems and "label_data" in problems else []
    if not faults and typed is MISSING and label:
        faults = misfits(schema, stored)
        if measured and not source.problem:
            faults += picture_faults(schema, stored, source.pictures)
    return ShownItem(
        task,
        item_ref,
        label,
        source,
        form_of(schema, stored if typed is MISSING else typed, faults, pictures=source.pictures),
        beside or beside_of(label),
        ref_before(task.sheet, item_ref, 1),
        {name: words for name, words in (problems or {}).items() if name != "label_data"},
        is_opinion,
    )


def beside_of(label: CanonicalLabel | None) -> Beside:
    """Return what stands beside a label, or beside a new one."""
    if label is None:
        return Beside()
    return Beside(
        label.confidence, label.notes, label.allowed_uses, label.prohibited_uses, label.usage_reason,
        label.data_classification,
    )  # fmt: skip
