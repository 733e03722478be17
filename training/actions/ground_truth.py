"""Export ground truth: reviewed pairs with what the answer was before review, and a row for each training sheet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from governance.uses import USES
from training.audited import export_begins, export_left, export_refused
from training.ground_truth.reading import Span
from training.ground_truth.run import SheetRun, Wanted
from training.ledger import Ledger
from training.models import Export, TrainingSheet
from training.review.applying import settle, sheets_that_wait
from workbench.files import written_whole
from workbench.near import listed, near_misses
from workbench.problems import Conflict, Invalid

FORMAT = "ground_truth"
FILE_NAME = "ground_truth.jsonl"
# A decision, and a batch of generated pairs, has its time before it is committed, by the clock of the machine that it was made
# on: what an export could not see yet may have a time before it began.
MARGIN = timedelta(minutes=2)


@dataclass
class OpenGroundTruth:
    """Ground truth that has at least one line; iterate it once to the end.

    `next_since` is from when on the next increment misses nothing, as ISO 8601 in UTC.
    """

    runs: Sequence[SheetRun]
    first: bytes
    rest: Iterator[bytes]
    actor: str
    channel: str
    next_since: str
    digest: Any = field(default_factory=hashlib.sha256)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes; what left is recorded even when the reader goes away half way."""
        complete = False
        keys = [run.training_sheet.pk for run in self.runs]
        export_begins(keys, self.runs[0].wanted.use, FORMAT, actor=self.actor, channel=self.channel)
        try:
            yield from self.blocks()
            complete = True
        finally:
            self.record(complete=complete)

    def blocks(self) -> Iterator[bytes]:
        self.digest.update(self.first)
        yield self.first
        for block in self.rest:
            self.digest.update(block)
            yield block

    @property
    def ledger(self) -> Ledger:
        """The counts of all training sheets together."""
        return ledger_of(self.runs)

    def record(self, *, complete: bool) -> None:
        """Keep a row for each training sheet of which something left, with the digest of its lines, and tell the audit."""
        rows = [self._row(run, complete) for run in self.runs if run.ledger.exported]
        Export.objects.bulk_create(rows)
        export_left(*rows)

    def _row(self, run: SheetRun, complete: bool) -> Export:
        summary = run.ledger.summary()
        return Export(
            training_sheet=run.training_sheet,
            format=FORMAT,
            use=run.wanted.use,
            total_pairs=summary["total"],
            exported_pairs=summary["exported"],
            excluded_pairs=summary["excluded"],
            exclusions=summary["exclusions"],
            sha256=run.digest.hexdigest(),
            size_bytes=run.size_bytes,
            is_complete=complete,
            channel=self.channel,
            created_by=self.actor,
        )


def open_ground_truth(
    training_sheets: Sequence[TrainingSheet], wanted: Wanted, *, actor: str, channel: str
) -> OpenGroundTruth:
    """Return the ground truth of the training sheets in the order of their ids, ready to be read.

    What reviewers decided is applied first; what they decide from now on is not in it. Raises Conflict where applying
    is not possible, where a training sheet is being generated, and with every reason when nothing may leave; Invalid for a
    use or a time that cannot be used.
    """
    began = timezone.now()
    runs = _runs(training_sheets, wanted, began)
    blocks = (block for run in runs for block in run.blocks())
    first = _first(blocks, runs, wanted, actor, channel)
    return OpenGroundTruth(runs, first, blocks, actor, channel, _next_since(wanted.span.until, began))


def expect_some(training_sheets: Sequence[TrainingSheet], wanted: Wanted, *, actor: str, channel: str) -> None:
    """Raise what `open_ground_truth` would, for who asks about the file and takes none: no row is left."""
    runs = _runs(training_sheets, wanted, timezone.now())
    blocks = (block for run in runs for block in run.blocks())
    try:
        _first(blocks, runs, wanted, actor, channel)
    finally:
        blocks.close()


def _first(blocks: Iterator[bytes], runs: Sequence[SheetRun], wanted: Wanted, actor: str, channel: str) -> bytes:
    """Return the first block; Conflict with every reason, which the audit is told, where there is none."""
    first = next(blocks, None)
    if first is None:
        reasons = "; ".join(exclusion_words(ledger_of(runs))) or "no pair fits the filters"
        asked = [run.training_sheet.pk for run in runs if run.ledger.total]
        export_refused(asked, wanted.use, f"ground truth: {reasons}", actor=actor, channel=channel)
        raise Conflict(
            f"Nothing to export as ground truth for {wanted.use}: {reasons}. "
            "Review pairs, widen the filters, or look at what limits their use."
        )
    return first


def ground_truth_to_file(
    training_sheets: Sequence[TrainingSheet], wanted: Wanted, target: Path, *, actor: str
) -> OpenGroundTruth:
    """Write the ground truth to `target` in one step: a reader sees the old file or the whole new one."""
    export = open_ground_truth(training_sheets, wanted, actor=actor, channel="command")
    with written_whole(target) as file:
        file.writelines(export.blocks())
        # Before the file appears: of a process killed in between, rows without a file are left, never the reverse.
        export.record(complete=True)
    return export


def ground_truth_summary(training_sheets: Sequence[TrainingSheet], wanted: Wanted) -> dict[str, Any]:
    """Return what an export would write and exclude, each selected pair in exactly one bucket; nothing leaves."""
    runs = _runs(training_sheets, wanted, timezone.now())
    for run in runs:
        for _block in run.blocks():
            pass
    return ledger_of(runs).summary()


def exclusion_words(ledger: Ledger) -> list[str]:
    """Return a phrase for each exclusion, the largest first: "3 pairs: training prohibited: Contains PHI"."""
    return [
        f"{entry['count']} {'pair' if entry['count'] == 1 else 'pairs'}: {entry['reason']}"
        for entry in ledger.summary()["exclusions"]
    ]


def ledger_of(runs: Sequence[SheetRun]) -> Ledger:
    """Return the sum of what the runs counted so far."""
    total = Ledger()
    for run in runs:
        total.include(run.ledger)
    return total


def _next_since(until: datetime | None, began: datetime) -> str:
    settled = began - MARGIN
    return (min(until, settled) if until else settled).astimezone(UTC).isoformat().replace("+00:00", "Z")


def _runs(training_sheets: Sequence[TrainingSheet], wanted: Wanted, began: datetime) -> list[SheetRun]:
    if wanted.use not in USES:
        words = f"Found {wanted.use!r}: use {listed(USES)}.{near_misses(wanted.use, USES)}"
        raise Invalid.of_fields("The use is not accepted.", {"use": [words]})
    since, until = wanted.span.since, wanted.span.until
    if since and until and since >= until:
        raise Invalid.of_fields("The time is empty.", {"until": ["Give an end that is after `since`."]})
    _expect_generated(training_sheets)
    # A pair that is decided on while this is read would be there with one half of its history.
    span = Span(since, min(until, began) if until else began)
    waiting = set(sheets_that_wait())
    for each in training_sheets:
        if each.pk in waiting:
            settle(each.pk)
    return [SheetRun(each, replace(wanted, span=span)) for each in sorted(training_sheets, key=lambda one: str(one.pk))]


def _expect_generated(training_sheets: Sequence[TrainingSheet]) -> None:
    if names := [f"{each.name!r}" for each in training_sheets if each.status == TrainingSheet.Status.GENERATING]:
        raise Conflict(
            f"Pairs are still being written for {listed(names)}, and an increment would miss some: wait until they are "
            "generated, run `manage.py generate --resume` where that broke off, or name another training sheet."
        )
