"""Export: the approved and allowed pairs of a training sheet as JSONL, with a row that says what left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.uses import USES
from training.audited import export_left, export_refused
from training.chat import validate_file
from training.exporting import ExportRun, run_of
from training.models import Export, TrainingSheet
from training.review.applying import settle
from workbench.files import written_whole
from workbench.near import listed, near_misses
from workbench.problems import Conflict, Invalid


@dataclass(frozen=True)
class OpenExport:
    """An export that has at least one line; iterate it once to the end."""

    training_sheet: TrainingSheet
    run: ExportRun
    first: bytes
    rest: Iterator[bytes]
    actor: str
    channel: str

    @property
    def file_name(self) -> str:
        return f"training_sheet_{self.training_sheet.pk}.jsonl"

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes; what left is recorded even when the reader goes away half way."""
        complete = False
        try:
            yield self.first
            yield from self.rest
            complete = True
        finally:
            self.record(complete=complete)

    def record(self, *, complete: bool) -> Export:
        summary = self.run.ledger.summary()
        export = Export.objects.create(
            training_sheet=self.training_sheet,
            use=self.run.use,
            total_pairs=summary["total"],
            exported_pairs=summary["exported"],
            excluded_pairs=summary["excluded"],
            exclusions=summary["exclusions"],
            sha256=self.run.digest.hexdigest(),
            size_bytes=self.run.size_bytes,
            is_complete=complete,
            channel=self.channel,
            created_by=self.actor,
        )
        export_left(export)
        return export


def open_export(training_sheet: TrainingSheet, *, actor: str, channel: str, use: str = "training") -> OpenExport:
    """Return the export, ready to be read.

    What reviewers decided is applied first. Raises Conflict where that is not possible, and with every reason when no
    pair may leave.
    """
    run = _run(training_sheet, use)
    lines = run.lines()
    first = next(lines, None)
    if first is None:
        reasons = "; ".join(exclusion_words(run)) or "the training sheet has no pairs"
        export_refused(training_sheet, use, reasons, actor=actor, channel=channel)
        raise Conflict(f"Nothing to export for {use}: {reasons}. Approve pairs, or look at what limits their use.")
    return OpenExport(training_sheet, run, first, lines, actor, channel)


def export_summary(training_sheet: TrainingSheet, *, use: str = "training") -> dict[str, Any]:
    """Return what an export would write and exclude, each pair in exactly one bucket; nothing leaves."""
    run = _run(training_sheet, use)
    for _block in run.lines():
        pass
    summary = run.ledger.summary()
    for exclusion, words in zip(summary["exclusions"], exclusion_words(run), strict=True):
        exclusion["words"] = words
    return {"training_sheet_id": training_sheet.pk, "use": use, **summary}


def exclusion_words(run: ExportRun) -> list[str]:
    """Return a phrase for each exclusion, the largest first: "15 pairs: training prohibited, table tag PHI"."""
    return [
        f"{entry['count']} {'pair' if entry['count'] == 1 else 'pairs'}: {entry['reason']}"
        for entry in run.ledger.summary()["exclusions"]
    ]


def export_to_file(training_sheet: TrainingSheet, target: Path, *, actor: str, use: str = "training") -> OpenExport:
    """Write the export to `target` in one step: a reader sees the old file or the whole new one."""
    export = open_export(training_sheet, actor=actor, channel="command", use=use)
    with written_whole(target) as file:
        file.write(export.first)
        file.writelines(export.rest)
        file.flush()
        report = validate_file(file.name)
        if report.problems:
            line, problem = report.problems[0]
            raise Conflict(f"Line {line} of the export is not valid: {problem}. The file was not written.")
        # Before the file appears: of a process killed in between, a row without a file is left, never the reverse.
        export.record(complete=True)
    return export


def _run(training_sheet: TrainingSheet, use: str) -> ExportRun:
    if use not in USES:
        raise Invalid.of_fields(
            "The use is not accepted.", {"use": [f"Found {use!r}: use {listed(USES)}.{near_misses(use, USES)}"]}
        )
    if training_sheet.status in (TrainingSheet.Status.GENERATING, TrainingSheet.Status.FAILED):
        raise Conflict(
            f"The training sheet is {training_sheet.status}: run `manage.py generate --resume {training_sheet.pk}` first."
        )
    # What a reviewer was told is decided leaves as decided.
    settle(training_sheet.pk)
    return run_of(training_sheet, use)
