"""Generate: apply a template to a sheet, taking answers from canonical labels first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import DatabaseError
from django.db.models import Count, Q
from django.utils import timezone

from governance.uses import Limit, decide
from labels.models import CanonicalLabel
from sheets.models import Sheet
from sheets.reading import Item, columns_of, count_items, inspect, iter_items, rows_of
from templates_app.models import PromptTemplate
from templates_app.problems import TemplateLimitError, TemplateProblem
from templates_app.rendering import render_messages
from templates_app.schemas import normalise_output_schema
from training.answerers import check_config, default_model, existing_column, manual, models
from training.drafter import Example
from training.models import QAPair, TrainingSheet
from training.pairs import Answer, Answerer, Label, Question, from_label, pair_fields
from training.review.applying import settle
from training.review.states import catch_up
from training.watch import Progress, Stopped, Watch
from workbench.lakehouse.ids import uuid5_of
from workbench.near import listed
from workbench.problems import Conflict, Invalid, Problem

CHUNK = 500
IN_REQUEST = 100
# Enough labels for a good neighbour, few enough to index in a second.
DRAFT_LABELS = 2_000


def generate(
    *,
    sheet: Sheet,
    template: PromptTemplate,
    actor: str,
    name: str = "",
    mode: str = "ai_generated",
    config: Mapping[str, Any] | None = None,
) -> TrainingSheet:
    """Return the finished training sheet; nothing is written when the request is at fault.

    Raises Invalid for a wrong mode or config and Conflict for a template that is not published or a sheet whose items
    cannot be told apart.
    """
    training_sheet, _ = begin(sheet=sheet, template=template, actor=actor, name=name, mode=mode, config=config)
    return resume(training_sheet)


def begin(
    *,
    sheet: Sheet,
    template: PromptTemplate,
    actor: str,
    name: str = "",
    mode: str = "ai_generated",
    config: Mapping[str, Any] | None = None,
) -> tuple[TrainingSheet, int]:
    """Return the new training sheet, still without pairs, and how many items it will have; raises as `generate` does."""
    config = dict(config or {})
    items = check(sheet, template, mode, config)
    if mode == "ai_generated":
        config.setdefault("model", default_model())
    training_sheet = TrainingSheet.objects.create(
        name=name or f"{sheet.name} × {template}",
        sheet=sheet,
        template=template,
        labeling_mode=mode,
        generation_config=config,
        generation_started_at=timezone.now(),
        created_by=actor,
    )
    return training_sheet, items


def check(sheet: Sheet, template: PromptTemplate, mode: str, config: Mapping[str, Any]) -> int:
    """Return how many items there are to generate; raises when the sheet, template, mode or config cannot be used."""
    if template.status != PromptTemplate.Status.PUBLISHED:
        raise Conflict(f"The template {template} is {template.status}: publish it, or choose a published version.")
    if mode not in TrainingSheet.Mode.values:
        raise Invalid.of_fields(
            "The labeling mode is not accepted.",
            {"labeling_mode": [f"Found {mode!r}: use {listed(TrainingSheet.Mode.values)}."]},
        )
    check_config(mode, config, list(columns_of(sheet)))
    findings = inspect(sheet)
    if findings.blocking:
        raise Conflict(f"The sheet {sheet.name} cannot be generated from: {' '.join(findings.blocking)}")
    items = min(count_items(sheet), config.get("limit") or findings.row_count)
    if not items:
        raise Conflict(f"The sheet {sheet.name} has no items: look at its filter and its table.")
    return items


def resume(training_sheet: TrainingSheet, *, watch: Watch | None = None) -> TrainingSheet:
    """Write the pairs that are still missing and return the finished training sheet.

    Safe to repeat after a crash: a pair's id comes from training sheet and item, and present ones are skipped. What
    stops it is kept on the training sheet, which is then `failed` and may be resumed. Conflict for one that a model was
    trained on, which never changes.
    """
    if training_sheet.status == TrainingSheet.Status.TRAINED:
        raise Conflict(
            f"A model was trained on the training sheet {training_sheet}, so it stays as it is: generate a new one."
        )
    try:
        answerer = _answerer(training_sheet)
        now = Progress(0, _total(training_sheet))
        for chunk in _chunks(_items(training_sheet)):
            if watch and (reason := watch.stop()):
                raise Stopped(reason)
            answers = _write_chunk(training_sheet, training_sheet.template, answerer, chunk)
            now = Progress(
                now.done + len(chunk),
                now.total,
                now.prompt_tokens + sum(answer.prompt_tokens for answer in answers),
                now.completion_tokens + sum(answer.completion_tokens for answer in answers),
                now.failed + sum(bool(answer.error) for answer in answers),
            )
            if watch:
                watch.progress(now)
    except (Problem, DatabaseError, OSError) as error:
        _finish(training_sheet, TrainingSheet.Status.FAILED, error=str(error))
        raise
    training_sheet.statistics = statistics_of(training_sheet)
    waiting = training_sheet.pairs.exclude(status=QAPair.Status.LABELED).exists()
    return _finish(training_sheet, TrainingSheet.Status.REVIEW if waiting else TrainingSheet.Status.APPROVED)


def retry_failed(training_sheet: TrainingSheet, *, watch: Watch | None = None) -> TrainingSheet:
    """Ask again for the pairs that have an error and return the finished training sheet."""
    # Before, so that what a reviewer answered is not asked again; after, so that reviewers see the new drafts.
    settle(training_sheet.pk)
    training_sheet.pairs.exclude(error="").filter(status=QAPair.Status.UNLABELED).delete()
    try:
        return resume(training_sheet, watch=watch)
    finally:
        catch_up(training_sheet.pk)


def _finish(training_sheet: TrainingSheet, status: str, *, error: str = "") -> TrainingSheet:
    training_sheet.status, training_sheet.error = status, error
    training_sheet.generation_completed_at = training_sheet.updated_at = timezone.now()
    training_sheet.save()
    return training_sheet


def _total(training_sheet: TrainingSheet) -> int:
    items = count_items(training_sheet.sheet)
    return min(items, training_sheet.generation_config.get("limit") or items)


def _items(training_sheet: TrainingSheet) -> Iterator[Item]:
    return iter_items(training_sheet.sheet, limit=training_sheet.generation_config.get("limit"))


def statistics_of(training_sheet: TrainingSheet) -> dict[str, int]:
    """Return how each item got its answer, counted from the pairs."""
    canonical, failed = Q(labeling_mode="canonical"), ~Q(error="")
    return training_sheet.pairs.aggregate(
        items=Count("pk"),
        canonical=Count("pk", filter=canonical & Q(misfits__len=0)),
        incompatible_labels=Count("pk", filter=canonical & Q(misfits__len__gt=0)),
        generated=Count("pk", filter=Q(labeling_mode="ai_generated") & ~failed),
        manual=Count("pk", filter=Q(labeling_mode="manual")),
        existing_column=Count("pk", filter=Q(labeling_mode="existing_column") & ~failed),
        failed=Count("pk", filter=failed),
    )


def _chunks(items: Iterator[Item]) -> Iterator[list[Item]]:
    while chunk := list(islice(items, CHUNK)):
        yield chunk


def _write_chunk(
    training_sheet: TrainingSheet, template: PromptTemplate, answerer: Answerer, chunk: Sequence[Item]
) -> list[Answer]:
    """Write one chunk as one commit: labels in one query, present pairs in another, and no answer asked for twice."""
    ids = {item.ref: pair_id(training_sheet.pk, item.ref) for item in chunk}
    present = set(training_sheet.pairs.filter(pk__in=ids.values()).values_list("pk", flat=True))
    missing = [item for item in chunk if ids[item.ref] not in present]
    labels = labels_for(training_sheet.sheet_id, template.label_type, [item.ref for item in missing])
    posed = [_posed(template, item) for item in missing]
    answers = _answers(template, posed, [labels.get(item.ref) for item in missing], answerer)
    now = timezone.now()
    pairs = [
        QAPair(
            id=ids[item.ref],
            training_sheet=training_sheet,
            item_ref=item.ref,
            position=item.position,
            item_hash=item.hash,
            messages=[*question.messages, {"role": "assistant", "content": answer.text}],
            created_at=now,
            updated_at=now,
            **pair_fields(labels.get(item.ref), answer),
        )
        for item, question, answer in zip(missing, posed, answers, strict=True)
    ]
    QAPair.objects.bulk_create(pairs, ignore_conflicts=True)
    return answers


def _posed(template: PromptTemplate, item: Item) -> Question:
    """Return the item's question; a template that fails on its row is that item's error."""
    try:
        messages = render_messages(template.system_prompt, template.user_prompt_template, template.examples, item.row)
    except TemplateLimitError as problem:
        # One slow row is no accident of that row: the next hundred would each take as long.
        raise Conflict(f"The template {template} goes on too long at item {item.ref}: {problem}") from problem
    except TemplateProblem as problem:
        return Question(item.row, [], item.files, f"The template cannot be filled: {problem}")
    return Question(item.row, messages, item.files)


def _answers(
    template: PromptTemplate, posed: Sequence[Question], labels: Sequence[Label | None], answerer: Answerer
) -> list[Answer]:
    """Return an answer for each question: of its label where there is one, else of the answerer, asked all at once."""
    schema = normalise_output_schema(template.output_schema)
    pairs = list(zip(posed, labels, strict=True))
    open_questions = [q for q, label in pairs if not (q.error or label)]
    given = iter(answerer(open_questions))
    return [
        Answer(error=q.error) if q.error else from_label(label, schema) if label else next(given) for q, label in pairs
    ]


def pair_id(training_sheet_id: str, item_ref: str) -> str:
    """Return the pair's key: the same training sheet and item give the same pair."""
    return uuid5_of("qa_pair", training_sheet_id, item_ref)


def labels_for(sheet_id: str, label_type: str, refs: Sequence[str]) -> dict[str, Label]:
    """Return the canonical labels of these items, by item, in one query."""
    found = CanonicalLabel.objects.filter(sheet_id=sheet_id, label_type=label_type, item_ref__in=refs)
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


def _answerer(training_sheet: TrainingSheet) -> Answerer:
    schema = normalise_output_schema(training_sheet.template.output_schema)
    config = training_sheet.generation_config
    match training_sheet.labeling_mode:
        case TrainingSheet.Mode.MANUAL:
            return manual
        case TrainingSheet.Mode.EXISTING_COLUMN:
            return existing_column(config, schema)
    if config["model"] not in models():
        raise Conflict(
            f"The model {config['model']!r} is not set up any more: set WORKBENCH_LLM_URL and WORKBENCH_LLM_MODEL."
        )
    make = models()[config["model"]]
    return make(training_sheet.template, config, lambda: _draft_examples(training_sheet))


def _draft_examples(training_sheet: TrainingSheet) -> Iterator[Example]:
    """Yield the sheet's labels with their items' rows, as far as they may be shown to a drafter (use `few_shot`)."""
    label_type = training_sheet.template.label_type
    newest = CanonicalLabel.objects.filter(sheet_id=training_sheet.sheet_id, label_type=label_type)[:DRAFT_LABELS]
    labels = {label.item_ref: label for label in newest if _may_show(label)}
    if not labels:
        return
    for item_ref, row in rows_of(training_sheet.sheet, list(labels)).items():
        yield Example(item_ref, row, labels[item_ref].label_data)


def _may_show(label: CanonicalLabel) -> bool:
    limit = Limit(
        "canonical label", label.usage_reason, frozenset(label.allowed_uses), frozenset(label.prohibited_uses)
    )
    return decide([limit]).permits("few_shot")
