"""A pair as the review screen shows it: its source, its answer as a form, what drafted it, and what it may be used for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from governance.uses import USES
from sheets.item_page import Source, read_ahead, source_of
from templates_app.annotations import asks_for_annotations
from templates_app.answer_form import MISSING, FormField, form_of
from templates_app.schemas import checker
from templates_app.shapes import picture_faults
from templates_app.theirs import apart_in_words
from training.answerers import as_answer
from training.chat import assistant_answer
from training.findings.ahead import findings_of, read_findings_ahead
from training.findings.marking import answer_notes, marked_source, pieces, place_in_words
from training.models import Finding, ReviewPair, TrainingSheet
from training.review.changed_since import OtherLabel, other_label_of, read_labels_ahead, says_otherwise
from training.review.frames import frame_of, training_sheet_of
from training.review.transitions import TRANSITIONS
from training.review.uses_form import standing
from workbench.after_answer import after_answer
from workbench.problems import Problem

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShownPair:
    """All that the templates of an item read; `answer` is the stored answer, MISSING where there is none.

    `other` is a label of the item that the pair was not made from, for those who may see it.
    """

    pair: ReviewPair
    source: Source
    form: FormField
    answer: Any
    faults: Sequence[str]
    misfits: Sequence[str]
    findings: Sequence[Finding] = ()
    other: OtherLabel | None = None

    @property
    def answer_json(self) -> str:
        return "" if self.answer is MISSING else orjson.dumps(self.answer).decode()

    @property
    def unplaced(self) -> bool:
        """Whether the answer is something that the fields could not hold: it is shown as text beside them."""
        return self.answer is not MISSING and self.form.kind == "object" and not isinstance(self.answer, dict)

    @property
    def badge(self) -> tuple[str, str]:
        """What the answer is, in a tone and in words: a draft is never shown as anything else."""
        state = self.pair.state
        if self.pair.status == "labeled":
            return "good", f"Approved by {state['reviewed_by']}" if state["reviewed_by"] else "Approved"
        if self.pair.status == "rejected":
            return "bad", f"Rejected by {state['reviewed_by']}"
        return _draft(state, self.answer is not MISSING)

    @property
    def is_outdated(self) -> bool:
        """Whether the item says something else than when the question was put; not judged where it cannot be read."""
        return says_otherwise(self.pair.state["item_hash"], self.source.hash)

    @property
    def newer_label(self) -> str:
        """The key of its canonical label where that was changed since the pair was made from it."""
        return self.other.label.key if self.other and self.other.is_newer else ""

    @property
    def theirs(self) -> str:
        """Where the other label's answer differs from the pair's, in words; empty where it is the same."""
        if self.other is None:
            return ""
        label = self.other.label
        if self.answer is MISSING:
            return f"{label.by} gave this item a label."
        apart = apart_in_words(label.answer, self.answer, "this pair's")
        return f"{label.by} gave this item a label that says otherwise: {apart}." if apart else ""

    @property
    def sheet_id(self) -> str:
        return frame_of(self.pair.training_sheet_id).sheet_id

    @property
    def label_type(self) -> str:
        return frame_of(self.pair.training_sheet_id).label_type

    @property
    def is_draft(self) -> bool:
        return self.pair.status in ("unlabeled", "flagged") and self.answer is not MISSING

    @property
    def uses(self) -> list[tuple[str, str]]:
        """Each use with what is said of it: allowed, prohibited, or not allowed."""
        return [(use, standing(use, self.pair.state)) for use in USES]

    @property
    def forbidden(self) -> list[str]:
        return [f"{use.replace('_', ' ')} {words}" for use, words in self.uses if words != "allowed"]

    @property
    def prompt(self) -> list[dict[str, Any]]:
        """The messages that pose the question, each as pieces of text with the finding that marks one."""
        messages: list[dict[str, str]] = self.pair.state["messages"]
        asked = messages[:-1] if assistant_answer(messages) is not None else messages
        return [
            {"role": each["role"], "pieces": pieces(each["content"], self._found_in(f"messages[{at}]"))}
            for at, each in enumerate(asked)
        ]

    @property
    def found(self) -> list[tuple[Finding, str]]:
        """The findings, each with its place in words."""
        return [(finding, place_in_words(finding.place)) for finding in self.findings]

    def _found_in(self, place: str) -> list[Finding]:
        return [finding for finding in self.findings if finding.place == place]

    @property
    def verbs(self) -> list[str]:
        """The actions that lead on from the pair's status."""
        return [verb for verb, (allowed, _) in TRANSITIONS.items() if self.pair.status in allowed]


def shown_pair(
    training_sheet: TrainingSheet, pair: ReviewPair, *, typed: Any = MISSING, faults: Sequence[str] = ()
) -> ShownPair:
    """Return the pair for the screen; `typed` is an answer that was refused, with why, to be looked at again."""
    schema = frame_of(training_sheet.pk).output_schema
    stored = assistant_answer(pair.state["messages"])
    answer = as_answer(stored, checker(schema)) if stored else MISSING
    measured = asks_for_annotations(schema)
    source = source_of(training_sheet.sheet, pair.item_ref, measured=measured)
    misfits = list(pair.state["misfits"])
    if measured and answer is not MISSING and not source.problem:
        misfits += picture_faults(schema, answer, source.pictures)
    findings = findings_of(pair)
    filled = answer if typed is MISSING else typed
    notes = answer_notes(filled, findings)
    form = form_of(schema, filled, faults or misfits, pictures=source.pictures, notes=notes)
    other = other_label_of(pair)
    return ShownPair(pair, marked_source(source, findings), form, answer, list(faults), misfits, findings, other)


def look_ahead(training_sheet_id: str, pairs: Sequence[ReviewPair]) -> None:
    """Have the sources, findings and labels of the next pairs ready, once the present answer is sent."""
    after_answer(("look ahead", training_sheet_id), partial(_read_ahead, training_sheet_id, pairs))


def _read_ahead(training_sheet_id: str, pairs: Sequence[ReviewPair]) -> None:
    training_sheet = training_sheet_of(training_sheet_id)
    try:
        if training_sheet is not None:
            measured = asks_for_annotations(frame_of(training_sheet_id).output_schema)
            read_ahead(training_sheet.sheet, [pair.item_ref for pair in pairs], measured=measured)
            read_findings_ahead(training_sheet_id, [pair.pk for pair in pairs])
            read_labels_ahead(pairs)
    except Problem as problem:
        # A sheet that cannot be read says so on the screen of its item.
        log.info("Nothing is read ahead for training sheet %s: %s", training_sheet_id, problem)


def _draft(state: Any, has_answer: bool) -> tuple[str, str]:
    if state["error"]:
        return "bad", f"No draft: {state['error']}"
    if not has_answer:
        return "plain", "No draft: to be written by hand"
    words = {
        "canonical": "Draft from a canonical label",
        "existing_column": "Draft from a column",
    }.get(state["labeling_mode"], f"Draft by {state['model']}" if state["model"] else "Draft")
    sure = state["ai_confidence"]
    return "draft", words if sure is None else f"{words} · {sure:.0%} sure"
