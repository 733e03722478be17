"""Verify an exported file: against its manifest, the export's row, and the pairs as they are now."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from training.exports.options import Options
from training.exports.run import run_of
from training.exports.verifying import Findings, ManifestFile, Since, check_file, check_tables, digest_of
from training.models import Export, TrainingSheet
from training.progress_bar import telling
from training.review.applying import settle
from workbench.problems import Invalid


@dataclass(frozen=True)
class Verified:
    """What differs in the file, what became of the pairs since, where nothing differs, and whether it has all that could leave."""

    lines: int
    broken: Findings
    since: Since
    is_complete: bool


def verify(
    file: Path, manifest: Path, *, up_to: Callable[[int], Callable[[int], None]] = lambda _total: lambda _read: None
) -> Verified:
    """Return what was found; Invalid for a file that is not there or a manifest that no export has. Nothing is written.

    `up_to` is told how many lines and pairs are looked at in all, and returns what is told how many more were.
    """
    if not file.is_file():
        raise Invalid(f"There is no file {str(file)!r}.")
    with _kept(manifest) as kept:
        row = _row_of(kept, manifest)
        told, between = ManifestFile(kept), up_to(2 * row.exported_pairs)
        broken = check_file(file, told, between)
        if row.sha256 != told.tail["sha256"]:
            broken.add("the export's row has another digest of the file than the manifest")
        since = Since() if broken.count else _since(kept, between)
        return Verified(told.tail["counts"]["exported"], broken, since, told.tail["is_complete"])


@contextmanager
def _kept(manifest: Path) -> Iterator[Path]:
    """Give a manifest that can be read again and again: what comes by a pipe is copied."""
    if not manifest.exists() or manifest.is_file() or manifest.is_dir():
        yield manifest
        return
    with tempfile.NamedTemporaryFile() as copy, manifest.open("rb") as piped:
        shutil.copyfileobj(piped, copy)
        copy.flush()
        yield Path(copy.name)


def _row_of(manifest: Path, named: Path) -> Export:
    """Return the export that the manifest was written with, by the digest of all its bytes: only such a one is read."""
    try:
        digest = digest_of(manifest)
    except OSError as error:
        words = f"The manifest {str(named)!r} cannot be read: {error.strerror}. Name it with --manifest."
        raise Invalid(words) from error
    row = Export.objects.filter(manifest_sha256=digest).first()
    if row is None:
        raise Invalid(
            f"The manifest {str(named)!r} is not one that was written with an export of this lakehouse, or it was changed: "
            "get it anew by GET /api/v1/exports/ID/manifest."
        )
    return row


def _since(manifest: Path, between: Callable[[int], None]) -> Since:
    again = ManifestFile(manifest)
    sheet_id, split = again.head["training_sheet"]["id"], again.head["split"]
    training_sheet = TrainingSheet.objects.select_related("sheet", "template").filter(pk=sheet_id).first()
    if training_sheet is None:
        raise Invalid(f"There is no training sheet {sheet_id} in this lakehouse.")
    settle(training_sheet.pk)
    side = split["side"] if split else ""
    options = Options(use="" if split else again.head["use"], split=side, format=again.head["format"])
    return check_tables(run_of(training_sheet, options), telling(again.lines(), between))
