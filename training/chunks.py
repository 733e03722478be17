"""The items of a training sheet as tasks, and finished tasks as pairs: what a run reads and writes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa
from django.db.models import Q
from django.utils import timezone

from governance.changing import BY_TAG, LIMITS
from governance.uses import Limit
from labels.models import CanonicalLabel
from sheets import source_uses
from sheets.alike import alike_of
from sheets.item_limits import withdrawn
from sheets.reading import Item, items_of, iter_items
from templates_app.problems import TemplateCostError, TemplateProblem
from templates_app.rendering import render_messages
from templates_app.schemas import normalise_output_schema
from training.chat import assistant_answer
from training.models import QAPair, TrainingSheet
from training.pairs import Answer, Label, Question, from_label, pair_fields
from training.pipeline import Done, Gently, Task
from training.review.applying import MOST_BYTES
from training.review.kept import forget_lists
from workbench.canonical import canonical_json
from workbench.lakehouse.bulk import update_newer
from workbench.lakehouse.ids import uuid5_of
from workbench.problems import Conflict

# Few items at first, so that the first answers come soon, then as many as are answered in a few seconds: each chunk
# costs three statements, which are milliseconds here and may be a second on a warehouse.
FIRST, MOST, QUICK, SLOW = 500, 4_000, 2.0, 8.0
# Earlier training sheets that are looked through for an answer.
EARLIER = 3
# So many items in a row on which the template computes too long are no accident: each of the rest would take a second.
MOST_COSTLY = 5
# The settings that decide what a model answers.
SAME = ("model", "temperature", "max_tokens")


class Chunks:
    """Reads a training sheet's items as chunks of tasks, each with its labels looked up in one query.

    `limits` are those that the sources' tags put on every pair. `gently` is how to go through many of them beside another thread.
    """

    def __init__(self, training_sheet: TrainingSheet, gently: Gently) -> None:
        self.training_sheet, self.template = training_sheet, training_sheet.template
        self._gently = gently
        self._schema = normalise_output_schema(self.template.output_schema)
        self._earlier = _earlier(training_sheet)
        # Read once for the whole run; at use they are read again.
        self.limits = source_uses.limits_of(training_sheet.sheet)
        self._alike = alike_of(training_sheet.sheet)
        self._costly = 0

    def missing(self, *, any_present: bool) -> Iterator[list[Task]]:
        """Yield the items without a pair; `any_present` is False where it is known that none has one."""
        limit = self.training_sheet.generation_config.get("limit")
        for items in _chunked(iter_items(self.training_sheet.sheet, limit=limit), self._gently):
            ids = {self._id(item.ref): item for item in items}
            if any_present:
                for key in self.training_sheet.pairs.filter(pk__among=ids).values_list("pk", flat=True):
                    del ids[key]
            yield self._tasks(list(ids.values()))

    def failed(self) -> Iterator[list[Task]]:
        """Yield the items whose pair has an error and no answer by a person; one that left the sheet is passed over."""
        after = -1
        while True:
            found = failed_pairs(self.training_sheet).filter(position__gt=after).order_by("position")
            places = dict(found.values_list("item_ref", "position")[:FIRST])
            if not places:
                return
            after = max(places.values())
            yield self._tasks(items_of(self.training_sheet.sheet, places))

    def _id(self, item_ref: str) -> str:
        return pair_id(self.training_sheet.pk, item_ref)

    def _tasks(self, items: Sequence[Item]) -> list[Task]:
        refs = [item.ref for item in items]
        labels = labels_for(self.training_sheet.sheet_id, self.template.label_type, refs)
        # Asked for each chunk: a run takes hours, and what is withdrawn meanwhile goes to no model.
        withheld = {ref: limit.reason for ref, limit in withdrawn(self._alike, refs).items() if ref not in labels}
        new = [item for item in items if item.ref not in labels and item.ref not in withheld]
        earlier = self._answered_before(new)
        return [
            self._task(item, labels.get(item.ref), earlier.get(item.ref), withheld.get(item.ref, ""))
            for item in self._gently(items)
        ]

    def _task(self, item: Item, label: Label | None, earlier: Answer | None, withheld: str) -> Task:
        question = Question(item.row, [], error=withheld) if withheld else self._posed(item)
        if question.error:
            mode = self.training_sheet.labeling_mode
            return Task(item, question, label, Answer(labeling_mode=mode, error=question.error))
        return Task(item, question, label, from_label(label, self._schema) if label else earlier)

    def _posed(self, item: Item) -> Question:
        """Return the item's question; a template that fails on its row is that item's error."""
        template = self.template
        try:
            messages = render_messages(
                template.system_prompt, template.user_prompt_template, template.examples, item.row
            )
        except TemplateProblem as problem:
            self._costly = self._costly + 1 if isinstance(problem, TemplateCostError) else 0
            if self._costly >= MOST_COSTLY:
                words = f"The template {template} goes on too long at {MOST_COSTLY} items in a row, as at {item.ref}"
                raise Conflict(f"{words}: {problem}") from problem
            return Question(item.row, [], item.files, f"The template cannot be filled: {problem}")
        self._costly = 0
        return Question(item.row, messages, item.files, missing=item.missing)

    def _answered_before(self, items: Sequence[Item]) -> dict[str, Answer]:
        """Return what the same model answered to the same question earlier, by item, in one query."""
        if not (self._earlier and items):
            return {}
        items_by_ref = {item.ref: item for item in items}
        ids = [pair_id(earlier, ref) for earlier in self._earlier for ref in items_by_ref]
        # The first version is the model's own; a later one may hold what a person wrote.
        found = QAPair.objects.filter(
            pk__among=ids, training_sheet_id__in=self._earlier, labeling_mode="ai_generated", error="", version=1
        )
        return {
            pair.item_ref: Answer(
                assistant_answer(pair.messages) or "",
                model=pair.model,
                confidence=pair.ai_confidence,
                misfits=pair.misfits,
                files_shown=pair.files_shown,
                based_on=pair.based_on or (),
            )
            for pair in found
            if _is_same(pair, items_by_ref[pair.item_ref])
        }


def _chunked(items: Iterator[Item], gently: Gently) -> Iterator[list[Item]]:
    size = FIRST
    while chunk := list(gently(islice(items, size))):
        began = time.monotonic()
        yield chunk
        seconds = time.monotonic() - began
        size = min(MOST, size * 2) if seconds < QUICK else max(FIRST, size // 2) if seconds > SLOW else size


def _is_same(pair: QAPair, item: Item) -> bool:
    """Return whether row and files are as they were: the hash leaves out a file's time, which tells of a new picture."""
    newest = max((file.modified_ns for file in item.files), default=0)
    return pair.item_hash == item.hash and newest / 1e9 < pair.created_at.timestamp()


def _earlier(training_sheet: TrainingSheet) -> list[str]:
    """Return the training sheets that asked the same model the same questions, the newest first."""
    config = training_sheet.generation_config
    if not config.get("cache"):
        return []
    others = TrainingSheet.objects.filter(
        sheet_id=training_sheet.sheet_id,
        template_id=training_sheet.template_id,
        labeling_mode=training_sheet.labeling_mode,
    ).exclude(pk=training_sheet.pk)
    alike = (
        each.pk
        for each in others.order_by("-id")
        if all(each.generation_config.get(name) == config.get(name) for name in SAME)
    )
    return list(islice(alike, EARLIER))


def pair_id(training_sheet_id: str, item_ref: str) -> str:
    """Return the pair's key: the same training sheet and item give the same pair."""
    return uuid5_of("qa_pair", training_sheet_id, item_ref)


def labels_for(sheet_id: str, label_type: str, refs: Sequence[str]) -> dict[str, Label]:
    """Return the canonical labels of these items, by item, in one query."""
    found = (
        CanonicalLabel.objects.filter(sheet_id=sheet_id, label_type=label_type, item_ref__among=refs) if refs else ()
    )
    return {label.item_ref: _label(label) for label in found}


def _label(label: CanonicalLabel) -> Label:
    return Label(
        id=label.pk,
        version=label.version,
        data=label.label_data,
        allowed_uses=label.allowed_uses,
        prohibited_uses=label.prohibited_uses,
        usage_reason=label.usage_reason,
        data_classification=label.data_classification,
        labeled_by=label.labeled_by,
        labeled_at=label.labeled_at,
    )


def failed_pairs(training_sheet: TrainingSheet) -> Any:
    """Return the pairs that have an error and that nobody has answered since."""
    return training_sheet.pairs.filter(~Q(error=""), status=QAPair.Status.UNLABELED)


def add(training_sheet: TrainingSheet, limits: Sequence[Limit], finished: Sequence[Done]) -> None:
    """Write the pairs of finished tasks as one commit; one that exists stays as it is."""
    rows = [_row(training_sheet.pk, limits, task, answer) for task, answer in finished]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    columns["messages"] = [canonical_json(messages) for messages in columns["messages"]]
    QAPair.objects.append_arrow(pa.table(columns))
    forget_lists(training_sheet.pk)


def replace_failed(training_sheet: TrainingSheet, limits: Sequence[Limit], finished: Sequence[Done]) -> None:
    """Write the pairs of finished tasks over the failed ones; what was decided meanwhile stays."""
    rows = {pair_id(training_sheet.pk, task.item.ref): (task, answer) for task, answer in finished}
    old = {pair.pk: pair for pair in failed_pairs(training_sheet).filter(pk__among=rows)}
    fresh = []
    for key, pair in old.items():
        row = _row(training_sheet.pk, limits, *rows[key]) | {"version": pair.version + 1}
        fresh.append(QAPair(**row))
    # What it may be used for stays too, as somebody may have limited the pair while it had no answer.
    kept = ("id", "training_sheet_id", "created_at", *LIMITS, BY_TAG)
    columns = [field.attname for field in QAPair._meta.concrete_fields if field.attname not in kept]
    for some in _sized(fresh):
        update_newer(some, columns)
    forget_lists(training_sheet.pk)


def _sized(pairs: Sequence[QAPair]) -> Iterator[list[QAPair]]:
    """Yield the pairs in lists of which each fits into one statement."""
    some: list[QAPair] = []
    size = 0
    for pair in pairs:
        size += (length := len(canonical_json(pair.messages)))
        if some and size > MOST_BYTES:
            yield some
            some, size = [], length
        some.append(pair)
    if some:
        yield some


def _row(training_sheet_id: str, limits: Sequence[Limit], task: Task, answer: Answer) -> dict[str, Any]:
    now = timezone.now()
    return {
        "id": pair_id(training_sheet_id, task.item.ref),
        "training_sheet_id": training_sheet_id,
        "item_ref": task.item.ref,
        "position": task.item.position,
        "item_hash": task.item.hash,
        "messages": [*task.question.messages, {"role": "assistant", "content": answer.text}],
        "created_at": now,
        "updated_at": now,
        **pair_fields(task.label, answer, limits),
    }
