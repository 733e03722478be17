"""Export: the approved and allowed pairs of a training sheet as a file, with a manifest and a row that says what left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.utils import timezone

from governance.held_out import KEPT_FROM
from sheets.tags_told import tell_tags
from training.actions.splits import decide_split, expect_stratum, fix_split, split_for
from training.audited import export_begins, export_left, export_refused
from training.chat import validate_file
from training.exports.batches import Block
from training.exports.checking import Checks
from training.exports.manifest import Manifest, forget, rules_of
from training.exports.options import Options
from training.exports.problems import refuse_broken
from training.exports.run import ExportRun, run_of
from training.exports.since import base_of
from training.exports.stratified import Sides
from training.ledger import NOT_READ
from training.models import Export, QAPair, TrainingSheet
from training.near_held_out import near_held_out, near_problems
from training.review.applying import settle_alike
from workbench.files import is_stream, writing, written_whole
from workbench.lakehouse.ids import uuid7
from workbench.near import listed
from workbench.problems import Conflict

Between = Callable[[int], None]
# Of a download, held until the lakehouse knows what it has.
MOST_WAITING_BYTES = 16 << 20


def nothing_told(_read: int) -> None:
    """Be told of pairs where nobody asks."""


@dataclass
class OpenExport:
    """An export that has at least one line; iterate it once to the end."""

    training_sheet: TrainingSheet
    run: ExportRun
    actor: str
    channel: str
    export_id: str = field(default_factory=uuid7)
    path: str = ""
    between: Between = nothing_told

    def __post_init__(self) -> None:
        self._has_begun = False
        self.manifest = Manifest(self.export_id)
        self.head = self.manifest.head(self._about())
        self.run.between = self.between
        self._blocks = self.run.blocks()
        self._first: Block | None = next(self._blocks, None)

    @property
    def is_empty(self) -> bool:
        return self._first is None or not self._first.lines

    @property
    def format(self) -> str:
        return self.run.options.format

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes of the file, each after what it holds is kept: a process may be killed before the row is written.

        What left is recorded even when the reader goes away half way.
        """
        complete = False
        self.begins()
        try:
            waiting: list[bytes] = []
            for data, _ in self.pieces():
                waiting.append(data)
                if sum(map(len, waiting)) > MOST_WAITING_BYTES:
                    self.manifest.keep()
                if self.manifest.is_kept:
                    yield from waiting
                    waiting = []
            self.manifest.keep()
            yield from waiting
            complete = True
        finally:
            self._blocks.close()
            self.record(complete=complete)

    def pieces(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield file and manifest in pieces, without the manifest's head and tail; no row is written."""
        block = self._first
        while block is not None:
            lines = self.manifest.add(block)
            self.manifest.flush()
            yield block.data, lines
            block = next(self._blocks, None)

    def begins(self) -> None:
        """Tell the audit before the first byte, of which nobody may know how it ends."""
        export_begins([self.training_sheet.pk], self.run.use, self.format, actor=self.actor, channel=self.channel)
        self._has_begun = True

    @contextmanager
    def forgotten_on_failure(self) -> Iterator[None]:
        """Keep nothing of the manifest where writing the pieces fails: nothing left, and no recall shall say that it may have."""
        try:
            yield
        except (Exception, KeyboardInterrupt):
            forget(self.export_id)
            if self._has_begun:
                why = "it was broken off before its file was there"
                export_refused([self.training_sheet.pk], self.run.use, why, actor=self.actor, channel=self.channel)
            raise

    def record(self, *, complete: bool) -> tuple[Export, bytes]:
        """Keep the manifest, then the row; returns the row and the manifest's tail."""
        run, options = self.run, self.run.options
        if not complete:
            run.ledger.add(NOT_READ, max(0, QAPair.objects.of(self.training_sheet.pk).count() - run.ledger.total))
        summary = run.ledger.summary()
        digest = {"sha256": run.digest.hexdigest(), "size_bytes": run.size_bytes}
        more = {"withdrawn": run.withdrawn} if options.since else {}
        tail = self.manifest.tail({"counts": summary, **more, **digest, "is_complete": complete})
        export = Export.objects.create(
            id=self.export_id,
            training_sheet=self.training_sheet,
            format=options.format,
            use=run.use,
            split=options.split,
            validation_percent=run.split.percent if options.split else None,
            stratify_by=run.split.stratify_by,
            profile=options.profile,
            since=options.since,
            total_pairs=summary["total"],
            exported_pairs=summary["exported"],
            excluded_pairs=summary["excluded"],
            exclusions=summary["exclusions"],
            manifest_sha256=self.manifest.digest.hexdigest(),
            path=self.path,
            is_complete=complete,
            channel=self.channel,
            created_by=self.actor,
            **digest,
        )
        export_left(export)
        return export, tail

    def _about(self) -> dict[str, Any]:
        run, options, sheet = self.run, self.run.options, self.training_sheet
        return {
            "training_sheet": {"id": sheet.pk, "name": sheet.name, "sheet_id": sheet.sheet_id},
            "template": {
                "id": sheet.template_id, "name": sheet.template.name, "version": sheet.template.version,
            },
            "format": options.format,
            "header_lines": run.format.header_lines,
            "use": run.use,
            "split": {
                "side": options.split, "validation_percent": run.split.percent, "stratify_by": run.split.stratify_by,
            } if options.split else None,
            "profile": options.profile,
            "since": options.since,
            "rules": rules_of(run.source_limits, run.use),
            "created_by": self.actor,
            "created_at": timezone.now().isoformat(),
        }  # fmt: skip


def open_export(
    training_sheet: TrainingSheet,
    options: Options | None = None,
    *,
    actor: str,
    channel: str,
    between: Between = nothing_told,
    **more: Any,
) -> OpenExport:
    """Return the export, ready to be read; `more` is passed to `OpenExport`, and `between` is told of the pairs that were read.

    What reviewers decided is applied first. Raises Conflict where that is not possible, where the profile's limits are
    not kept, and with every reason when no pair may leave.
    """
    options = options or Options()
    _expect_ready(training_sheet, options)
    # A trainer's limits are asked of all pairs before the first is written, which is half of the work.
    between = shared(between, 2 if options.profile else 1)
    _expect_profile(training_sheet, options, between)
    if split_for(training_sheet, options).stratify_by:
        # A split that nothing left by binds nobody, so nothing is decided before something is sure to leave.
        _expect_line(training_sheet, options, actor, channel, lambda _read: between(0))
        decide_split(training_sheet, options, actor=actor)
    run = _run(training_sheet, options)
    tell_tags(run.tagged, actor=actor)
    export = OpenExport(training_sheet, run, actor, channel, between=between, **more)
    if export.is_empty:
        raise _nothing(run, actor, channel)
    if options.split:
        fix_split(training_sheet, run.split, actor=actor)
    return export


def expect_some(training_sheet: TrainingSheet, options: Options, *, actor: str, channel: str) -> None:
    """Raise what `open_export` would, for who asks about the file and takes none: no row is left, no side decided."""
    _expect_ready(training_sheet, options)
    _expect_profile(training_sheet, options)
    _expect_line(training_sheet, options, actor, channel)


def shared(between: Between, passes: int) -> Between:
    """Return what tells `between` of each pair once, where it is read that many times."""
    rest = 0

    def told(read: int) -> None:
        nonlocal rest
        done, rest = divmod(rest + read, passes)
        between(done)

    return told


def _expect_profile(training_sheet: TrainingSheet, options: Options, between: Between = nothing_told) -> None:
    """Raise Conflict where the limits of the profile would not be kept."""
    if options.profile:
        refuse_broken(_report(training_sheet, _foreseeing(training_sheet, options, between)))


def _expect_line(
    training_sheet: TrainingSheet, options: Options, actor: str, channel: str, between: Between = nothing_told
) -> None:
    """Raise Conflict with every reason where nothing would leave."""
    run = _foreseeing(training_sheet, options, between)
    if next(run.kept(), None) is None:
        raise _nothing(run, actor, channel)


def _nothing(run: ExportRun, actor: str, channel: str) -> Conflict:
    """Return why an export is empty, with the pairs that who follows has to take out, and tell the audit."""
    reasons = "; ".join(exclusion_words(run)) or "the training sheet has no pairs"
    export_refused([run.training_sheet_id], run.use, reasons, actor=actor, channel=channel)
    withdrawn = f" Take out what may not leave any more: {listed(run.withdrawn)}." if run.withdrawn else ""
    words = f"Nothing to export for {run.use}: {reasons}.{withdrawn} Approve pairs, or look at what limits their use."
    problem = Conflict(words)
    if run.withdrawn:
        problem.details = {"withdrawn": run.summary()["withdrawn"]}
    return problem


def export_summary(training_sheet: TrainingSheet, options: Options | None = None) -> dict[str, Any]:
    """Return what an export would write and exclude, each pair in exactly one bucket; nothing leaves."""
    options = options or Options()
    _expect_ready(training_sheet, options)
    run = _run(training_sheet, options)
    for kept in run.kept():
        run.ledger.add(None, len(kept.records))
    summary = run.summary()
    for exclusion, words in zip(summary["exclusions"], exclusion_words(run), strict=True):
        exclusion["words"] = words
    asked = {"use": run.use, "split": run.options.split, "format": run.options.format}
    return {"training_sheet_id": training_sheet.pk, **asked, **summary}


def check_export(
    training_sheet: TrainingSheet, options: Options | None = None, *, max_tokens: int | None = None
) -> dict[str, Any]:
    """Return the report on what an export would write, before anything is written; nothing leaves.

    Pairs without a side, of which `undecided` are, stand on the one that the export would decide.
    Lines with more than `max_tokens` are warned of; those over the profile's own limit are an error, whatever is given.
    """
    options = options or Options()
    _expect_ready(training_sheet, options)
    return _report(training_sheet, _foreseeing(training_sheet, options), max_tokens)


def _report(training_sheet: TrainingSheet, run: ExportRun, max_tokens: int | None = None) -> dict[str, Any]:
    checks = Checks(training_sheet, run, max_tokens)
    for kept in run.kept():
        run.ledger.add(None, len(kept.records))
        checks.look_at(kept)
    report = checks.report()
    if run.item_limits and run.use in KEPT_FROM:
        report["problems"] += near_problems(near_held_out(training_sheet))
    return report


def exclusion_words(run: ExportRun) -> list[str]:
    """Return a phrase for each exclusion, the largest first: "15 pairs: training prohibited, table tag PHI"."""
    return [
        f"{entry['count']} {'pair' if entry['count'] == 1 else 'pairs'}: {entry['reason']}"
        for entry in run.ledger.summary()["exclusions"]
    ]


def export_to_file(
    training_sheet: TrainingSheet, target: Path, options: Options | None = None, *, actor: str, **more: Any
) -> OpenExport:
    """Write the export to `target` and its manifest beside it, each in one step: a reader sees a whole file or none."""
    export = open_export(training_sheet, options, actor=actor, channel="command", **more)
    write_whole(export, target)
    return export


def write_whole(export: OpenExport, target: Path) -> None:
    """Write file and manifest; both appear when both are whole and what left is recorded, the manifest first.

    A stream gets no manifest: the row of the export holds its digest. The audit says who began before the first byte is on the
    disk, where a killed process leaves it, and that nothing left where it fails.
    """
    with written_whole(target) as file, _manifest_of(target) as manifest:
        export.begins()
        with export.forgotten_on_failure(), writing(target):
            manifest.write(export.head)
            for data, lines in export.pieces():
                file.write(data)
                manifest.write(lines)
            file.flush()
            _refuse_invalid(export, file.name)
        # Before the file appears: of a process killed in between, a row without a file is left, never the reverse.
        _export, tail = export.record(complete=True)
        manifest.write(tail)


def _manifest_of(target: Path) -> AbstractContextManager[BinaryIO]:
    return Path(os.devnull).open("wb") if is_stream(target) else written_whole(manifest_path(target))


def _refuse_invalid(export: OpenExport, name: str) -> None:
    if export.format == "chat" and (problems := validate_file(name).problems):
        line, problem = problems[0]
        raise Conflict(f"Line {line} of the export is not valid: {problem}. The file was not written.")


def manifest_path(file: Path) -> Path:
    """Return where the manifest of a file stands: beside it, not beside a link to it."""
    file = file.resolve() if file.is_symlink() else file
    return file.with_name(f"{file.name}.manifest.json")


def _run(training_sheet: TrainingSheet, options: Options) -> ExportRun:
    base = base_of(training_sheet.pk, options) if options.since else None
    split = split_for(training_sheet, options)
    return run_of(training_sheet, options, split=split, base=base)


def _foreseeing(training_sheet: TrainingSheet, options: Options, between: Between = nothing_told) -> ExportRun:
    """Return a pass in which pairs without a side stand on the one that the export itself would decide."""
    run = _run(training_sheet, options)
    run.between = between
    if run.split.stratify_by:
        run.foresee = Sides(training_sheet.sheet_id, run.split).foresee
    return run


def _expect_ready(training_sheet: TrainingSheet, options: Options) -> None:
    """Apply what reviewers were told is decided; Conflict for a training sheet that is not generated to its end.

    Invalid for a stratum that no answer has.
    """
    if training_sheet.status in (TrainingSheet.Status.GENERATING, TrainingSheet.Status.FAILED):
        raise Conflict(
            f"The training sheet is {training_sheet.status}: run `manage.py generate --resume {training_sheet.pk}` first."
        )
    settle_alike(training_sheet)
    expect_stratum(training_sheet, options)
