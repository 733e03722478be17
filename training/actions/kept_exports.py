"""Exports that are kept as files of a volume: made at once or by a job, and fetched by a link that expires."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from django.conf import settings
from django.db import connections, transaction
from django.urls import reverse
from django.utils import timezone

from sheets.volume import Volume
from sheets.volumes import own_volume, volume
from training.actions.export import OpenExport, open_export
from training.actions.splits import split_for
from training.audited import export_left, export_refused, kept_left
from training.exports.manifest import forget, lines_of, text_of
from training.exports.options import Options
from training.exports.run import run_of
from training.exports.since import base_of
from training.exports.verifying import check_tables
from training.files.storage import discard
from training.jobs.dispatch import dispatch
from training.links import signature_of
from training.models import Export, ExportPart, JobRun, LiveJob, QAPair, TrainingSheet
from training.review.applying import settle_alike
from training.unchanged import expect_there, open_unchanged
from workbench.lakehouse.ids import uuid7
from workbench.problems import Conflict, NotFound, Problem, Unavailable
from workbench.router import LAKEHOUSE

AGAIN = "export again with POST …/exports"
EXPORT = "export"
VOLUME = "exports"


@dataclass(frozen=True)
class Link:
    """A signed address of a kept file on this site, and until when it holds."""

    path: str
    expires_at: datetime

    @property
    def url(self) -> str:
        return settings.PUBLIC_URL + self.path


def start_export(
    training_sheet: TrainingSheet, options: Options, *, actor: str, channel: str
) -> tuple[Export | None, JobRun | None]:
    """Return the kept export, or the job that makes it where the training sheet has more than a few thousand pairs.

    Raises what `make` does, for the job of what is known before it: an earlier export or a split that cannot be gone on from.
    """
    pairs = QAPair.objects.of(training_sheet.pk).count()
    if pairs <= settings.EXPORT_JOB_PAIRS:
        once = make(training_sheet, options, actor=actor, channel=channel, export_id=uuid7(), is_repeated=False)
        return once, None
    split_for(training_sheet, options)
    if options.since:
        base_of(training_sheet.pk, options)
    asked = {"export_id": uuid7(), "options": asdict(options), "channel": channel}
    run = JobRun.objects.create(
        job_type=EXPORT,
        training_sheet=training_sheet,
        asked=asked,
        progress={"done": 0, "total": pairs},
        created_by=actor,
    )
    with transaction.atomic("default"):
        LiveJob.objects.create(pk=run.pk, total=pairs)
        dispatch(run.pk)
    return None, run


def make(
    training_sheet: TrainingSheet,
    options: Options,
    *,
    actor: str,
    channel: str,
    export_id: str,
    between: Callable[[int], None] = lambda _read: None,
    is_repeated: bool = True,
) -> Export:
    """Return the export with its file in the volume; killed anywhere, the same call again makes it whole.

    The file appears whole, then the row that says what left, then the manifest beside the file. Where nobody makes the call
    again, as of a request, the row is before the file: killed in between it leaves no file that nobody knows of. Unavailable where
    the volume cannot be written.
    """
    done = Export.objects.filter(pk=export_id).first()
    if done is None:
        # Of a broken-off attempt only pieces of its manifest can be left.
        forget(export_id)
        place = _place()
        export = open_export(
            training_sheet, options, actor=actor, channel=channel, export_id=export_id, between=between
        )
        export.path = f"{place.name}/{file_of(export_id, export.run.format.suffix)}"
        done = _written(export, place, is_repeated)
    else:
        # A process that was killed behind the row has not told the audit.
        export_left(done)
    if is_repeated:
        _write_manifest(done)
    return done


def link_to(export: Export, *, actor: str) -> Link:
    """Return a link to a kept file; Conflict where a pair in it was withdrawn since, NotFound where no file is kept.

    A refusal is a row of the audit, as one of an opened link is.
    """
    with _refusals_told(export, actor):
        _expect_permitted(export)
        expect_there(export.path, AGAIN)
    signature = signature_of(named(export.pk), actor)
    address = f"{reverse('export-download', args=[export.pk])}?signature={signature}"
    expires = timezone.now() + timedelta(seconds=settings.EXPORT_LINK_SECONDS)
    return Link(address, expires)


def named(export_id: str) -> Sequence[str]:
    """Return the words by which a link names a kept file."""
    return ("export", export_id)


def fetch(export: Export, *, actor: str, head: bool = False) -> BinaryIO:
    """Return the opened file of a kept export; raises as `link_to` does, and Conflict where it has other bytes than it was kept with.

    That it leaves, or was refused, is a row of the audit before its first byte. Asking for the `head` alone takes nothing.
    """
    with _refusals_told(export, actor):
        _expect_permitted(export)
        file = open_unchanged(export.path, export.sha256, AGAIN)
    if not head:
        kept_left(export, actor=actor)
    return file


@contextmanager
def _refusals_told(export: Export, actor: str) -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        export_refused([export.training_sheet_id], export.use, problem.message, actor=actor, channel="link")
        raise


def _expect_permitted(export: Export) -> None:
    """Ask the gates again for every pair in a kept file."""
    if not export.path:
        raise NotFound(f"The export {export.pk} was streamed, or not stored, and is not kept: {AGAIN}.")
    training_sheet = TrainingSheet.objects.select_related("sheet", "template").get(pk=export.training_sheet_id)
    settle_alike(training_sheet)
    found = check_tables(run_of(training_sheet, options_of_row(export)), lines_kept(export.pk), contents=False)
    withdrawn = found.withdrawn
    if withdrawn.count:
        raise Conflict(
            f"{withdrawn.count} of the pairs in the file may not leave any more: {'; '.join(withdrawn.words)}. Export anew."
        )


def lines_kept(export_id: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of an export's manifest, as they are kept."""
    parts = ExportPart.objects.filter(export_id=export_id).exclude(first_position=None).order_by("number")
    numbers = list(parts.values_list("number", flat=True))
    for number in numbers:
        yield from lines_of(parts.values_list("text", flat=True).get(number=number))


def file_of(export_id: str, suffix: str) -> str:
    """Return the name of an export's file in its volume."""
    return f"{export_id}.{suffix}"


def options_of_row(export: Export) -> Options:
    """Return what an export was asked for, as far as it says what is in its file."""
    use = "" if export.split else export.use
    return Options(use=use, split=export.split, format=export.format, since=export.since)


def options_of(asked: Mapping[str, Any]) -> Options:
    """Return the options that a job was asked for."""
    return Options(**asked["options"])


def _written(export: OpenExport, place: Volume, is_repeated: bool) -> Export:
    with tempfile.TemporaryFile() as file:
        with export.forgotten_on_failure():
            for data, _ in export.pieces():
                file.write(data)
            file.seek(0)
            if is_repeated:
                _put(place, _file_name(export), file)
        row, _tail = export.record(complete=True)
        if not is_repeated:
            with _taken_back_on_failure(row):
                _put(place, _file_name(export), file)
                _write_manifest(row)
    return row


def _put(place: Volume, name: str, file: BinaryIO) -> None:
    try:
        place.write(name, file)
    except (OSError, Problem) as error:
        why = getattr(error, "strerror", None) or error
        raise Unavailable(
            f"The volume {str(place.name)!r} cannot be written: {why}. Export again when it can."
        ) from error


@contextmanager
def _taken_back_on_failure(row: Export) -> Iterator[None]:
    """Have row and audit say that nothing left where the file cannot be stored, and take away what may be there of it."""
    try:
        yield
    except (OSError, Problem) as error:
        Export.objects.filter(pk=row.pk).update(is_complete=False, path="")
        why = f"the export {row.pk} was not kept. {error}"
        export_refused([row.training_sheet_id], row.use, why, actor=row.created_by, channel=row.channel)
        for path in (row.path, _manifest_path(row)):
            discard(path)
        raise


def _write_manifest(export: Export) -> None:
    with tempfile.TemporaryFile() as file:
        file.writelines(text_of(export.pk))
        file.seek(0)
        _put(_place(), _manifest_path(export).rpartition("/")[2], file)


def _place() -> Volume:
    """Return the volume of exports, made where it is missing."""
    name = own_volume(VOLUME)
    connection = connections[LAKEHOUSE]
    with connection.cursor() as cursor:
        quoted = ".".join(map(connection.ops.quote_name, (name.catalog, name.schema, name.volume)))
        cursor.execute(f"CREATE VOLUME IF NOT EXISTS {quoted}")
    return volume(name)


def _file_name(export: Export | OpenExport) -> str:
    return export.path.rpartition("/")[2]


def _manifest_path(export: Export) -> str:
    return f"{export.path}.manifest.json"
