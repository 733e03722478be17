"""Generate: apply a template to a sheet, taking answers from canonical labels first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from django.db import DatabaseError
from django.db.models import Count, Q
from django.utils import timezone

from governance.uses import gate
from labels.models import CanonicalLabel
from sheets import source_uses
from sheets.item_limits import limits_of_items
from sheets.models import Sheet
from sheets.reading import count_items, inspect, rows_of
from templates_app.models import PromptTemplate
from templates_app.schemas import normalise_output_schema
from training.actions.findings import find_in_generated
from training.answerers import EndpointAnswerer, check_config, default_model, existing_column, manual, models
from training.asking import AtOnce, FromEndpoint
from training.chunks import Chunks, add, failed_pairs, replace_failed
from training.drafter import Example
from training.models import QAPair, TrainingSheet
from training.pairs import Answerer
from training.pipeline import Asker, Run
from training.review.applying import settle
from training.review.states import catch_up
from training.review.steps import restate_sheet
from training.watch import LOST, Stopped, Watch
from workbench.near import listed
from workbench.problems import Conflict, Invalid

IN_REQUEST = 100
# Enough labels for a good neighbour, few enough to index in a second.
DRAFT_LABELS = 2_000
CANONICAL, FAILED = Q(labeling_mode="canonical"), ~Q(error="")
STATISTICS = {
    "items": Count("pk"),
    "canonical": Count("pk", filter=CANONICAL & Q(misfits__len=0)),
    "incompatible_labels": Count("pk", filter=CANONICAL & Q(misfits__len__gt=0)),
    "generated": Count("pk", filter=Q(labeling_mode="ai_generated") & ~FAILED),
    "manual": Count("pk", filter=Q(labeling_mode="manual") & ~FAILED),
    "existing_column": Count("pk", filter=Q(labeling_mode="existing_column") & ~FAILED),
    "failed": Count("pk", filter=FAILED),
}


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
    training_sheet, items = begin(sheet=sheet, template=template, actor=actor, name=name, mode=mode, config=config)
    _write_missing(training_sheet, present=0, total=items)
    find_in_generated(training_sheet, actor=actor)
    return training_sheet


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
    # An option that is null is one that was left out.
    config = {key: value for key, value in (config or {}).items() if value is not None}
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
    findings = inspect(sheet)
    check_config(mode, config, list(findings.columns))
    if findings.blocking:
        raise Conflict(f"The sheet {sheet.name} cannot be generated from: {' '.join(findings.blocking)}")
    items = min(findings.row_count, config.get("limit") or findings.row_count)
    if not items:
        raise Conflict(f"The sheet {sheet.name} has no items: look at its filter and its table.")
    return items


def resume(training_sheet: TrainingSheet, *, watch: Watch | None = None, reads: str = "") -> TrainingSheet:
    """Write the pairs that are still missing and return the finished training sheet.

    Safe to repeat after a crash: a pair's id comes from training sheet and item, and present ones are skipped. The
    template is the version that it began with, also when that was archived since. What stops it is kept on the training
    sheet, which is then `failed` and may be resumed; Stopped when the watch says so, which leaves it `generating`.
    Conflict for one that a model was trained on, which never changes, and for one whose sheet reads something else than
    `reads`, the hash of its pointers when the present pairs were made.
    """

    return _write_missing(training_sheet, watch=watch, reads=reads)


def _write_missing(
    training_sheet: TrainingSheet,
    *,
    present: int | None = None,
    total: int | None = None,
    watch: Watch | None = None,
    reads: str = "",
) -> TrainingSheet:
    """Write what is missing; both numbers are counted unless the caller knows them, as each count is a statement."""

    def run(chunks: Chunks, asker: Asker) -> None:
        there = training_sheet.pairs.count() if present is None else present
        if there and reads and reads != training_sheet.sheet.pointers_hash():
            raise Conflict(
                f"The sheet {training_sheet.sheet} reads something else since {there:,} pairs were made of it: "
                "generate anew, or set it back and resume."
            )
        items = items_of(training_sheet) if total is None else total
        written = partial(add, training_sheet, chunks.limits)
        run = Run(asker, written, total=items, present=there, watch=watch)
        run.go(chunks.missing(any_present=there > 0))

    return _run(training_sheet, run)


def retry_failed(training_sheet: TrainingSheet, *, watch: Watch | None = None) -> TrainingSheet:
    """Ask again for the pairs that have an error and no answer by a person, and return the training sheet.

    They are replaced in place, so that doing it twice asks only for what failed again. Errors are those of `resume`, but
    leave the training sheet as usable as it was.
    """

    def run(chunks: Chunks, asker: Asker) -> None:
        total = failed_pairs(training_sheet).count()
        written = partial(replace_failed, training_sheet, chunks.limits)
        Run(asker, written, total=total, watch=watch, again=True).go(chunks.failed())

    # Before, so that what a reviewer answered is not asked again; after, so that reviewers see the new drafts.
    settle(training_sheet.pk)
    try:
        _run(training_sheet, run, is_whole=True)
    finally:
        catch_up(training_sheet.pk)
    # A decision that was applied while this was counted found a training sheet that is being generated.
    restate_sheet(training_sheet.pk)
    training_sheet.refresh_from_db(fields=["status"])
    return training_sheet


def _run(
    training_sheet: TrainingSheet, run: Callable[[Chunks, Asker], None], *, is_whole: bool = False
) -> TrainingSheet:
    if training_sheet.status == TrainingSheet.Status.TRAINED:
        raise Conflict(
            f"A model was trained on the training sheet {training_sheet}, so it stays as it is: generate a new one."
        )
    try:
        with _asker(training_sheet) as asker:
            run(Chunks(training_sheet, asker.gently), asker)
    except Stopped as stopped:
        # Whoever has the lease now may have finished it.
        if stopped.reason != LOST:
            training_sheet.statistics = statistics_of(training_sheet)
            _finish(training_sheet, TrainingSheet.Status.GENERATING, error=str(stopped))
        raise
    except Exception as error:
        # Whatever it is, as else the training sheet would say `generating` while nobody is at it.
        try:
            status = _counted(training_sheet) if is_whole else TrainingSheet.Status.FAILED
            _finish(training_sheet, status, error=str(error) or type(error).__name__)
        except (DatabaseError, OSError) as second:
            # A full disk takes no reason either: it stays `generating`, which may be resumed as well.
            error.add_note(f"The training sheet could not be marked as failed: {second}")
        raise
    return _finish(training_sheet, _counted(training_sheet))


def _counted(training_sheet: TrainingSheet) -> str:
    """Count the pairs into the statistics, and return the status of a training sheet that has all of them."""
    undecided = Count("pk", filter=~Q(status__in=(QAPair.Status.LABELED, QAPair.Status.REJECTED)))
    counted = training_sheet.pairs.aggregate(**STATISTICS, waiting=undecided)
    waiting, training_sheet.statistics = counted.pop("waiting"), counted
    return TrainingSheet.Status.REVIEW if waiting else TrainingSheet.Status.APPROVED


def _finish(training_sheet: TrainingSheet, status: str, *, error: str = "") -> TrainingSheet:
    training_sheet.status, training_sheet.error = status, error
    training_sheet.generation_completed_at = training_sheet.updated_at = timezone.now()
    training_sheet.save()
    return training_sheet


def items_of(training_sheet: TrainingSheet) -> int:
    """Return how many items the training sheet has when it is finished."""
    items = count_items(training_sheet.sheet)
    return min(items, training_sheet.generation_config.get("limit") or items)


def statistics_of(training_sheet: TrainingSheet) -> dict[str, int]:
    """Return how each item got its answer, counted from the pairs."""
    return training_sheet.pairs.aggregate(**STATISTICS)


def _asker(training_sheet: TrainingSheet) -> AtOnce | FromEndpoint:
    answerer = _answerer(training_sheet)
    if isinstance(answerer, EndpointAnswerer):
        return FromEndpoint(answerer, remember=training_sheet.generation_config.get("cache", True))
    return AtOnce(answerer)


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
    return make(training_sheet.template, config, lambda: draft_examples(training_sheet))


def draft_examples(training_sheet: TrainingSheet) -> Iterator[Example]:
    """Yield the sheet's labels with their items' rows, as far as they may be shown to a drafter (use `few_shot`)."""
    label_type = training_sheet.template.label_type
    limits, items = source_uses.limits_of(training_sheet.sheet), limits_of_items(training_sheet.sheet)
    newest = CanonicalLabel.objects.filter(sheet_id=training_sheet.sheet_id, label_type=label_type)[:DRAFT_LABELS]
    labels = {
        label.item_ref: label
        for label in newest
        if gate([*limits, *items.get(label.item_ref, ())], label=label).permits("few_shot")
    }
    if not labels:
        return
    for item_ref, row in rows_of(training_sheet.sheet, list(labels)).items():
        yield Example(item_ref, row, labels[item_ref].label_data)
