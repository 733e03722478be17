"""Verify an exported file: against its manifest, the export's row, and the pairs as they are now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.exports.options import Options
from training.exports.run import run_of
from training.exports.verifying import Findings, ManifestFile, Since, check_file, check_tables
from training.models import Export, TrainingSheet
from training.review.applying import settle
from workbench.problems import Invalid


@dataclass(frozen=True)
class Verified:
    """What differs in the file or the manifest, and what became of the pairs since, where nothing differs."""

    lines: int
    broken: Findings
    since: Since


def verify(file: Path, manifest: Path) -> Verified:
    """Return what was found; Invalid for a file or a manifest that cannot be read. Nothing is written."""
    if not file.is_file():
        raise Invalid(f"There is no file {str(file)!r}.")
    told = ManifestFile(manifest)
    broken = check_file(file, told)
    lines = told.tail["counts"]["exported"]
    _against_the_row(told, broken)
    if broken.count:
        return Verified(lines, broken, Since())
    return Verified(lines, broken, _since(manifest))


def _against_the_row(told: ManifestFile, broken: Findings) -> None:
    row = Export.objects.filter(pk=told.head["export_id"]).first()
    if row is None:
        broken.add(f"there is no export {told.head['export_id']} in this lakehouse")
    elif row.manifest_sha256 != told.digest.hexdigest():
        broken.add("the manifest is not the one that was written with the export")
    elif row.sha256 != told.tail["sha256"]:
        broken.add("the export's row has another digest of the file than the manifest")


def _since(manifest: Path) -> Since:
    again = ManifestFile(manifest)
    sheet_id, split = again.head["training_sheet"]["id"], again.head["split"]
    training_sheet = TrainingSheet.objects.select_related("sheet", "template").filter(pk=sheet_id).first()
    if training_sheet is None:
        raise Invalid(f"There is no training sheet {sheet_id} in this lakehouse.")
    settle(training_sheet.pk)
    options = Options(use="" if split else again.head["use"], split=split["side"] if split else "")
    return check_tables(run_of(training_sheet, options), again.lines())
