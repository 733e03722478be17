"""How a sheet is split: asked for once, the same ever after."""

from __future__ import annotations

from templates_app.schemas import normalise_output_schema
from training.exports.options import Options
from training.exports.splits import WHOLE, Split
from training.exports.stratified import decide_sides, strata_of
from training.models import Export, SheetSplit, TrainingSheet
from workbench.near import listed, near_misses
from workbench.problems import Conflict, Invalid


def split_for(training_sheet: TrainingSheet, options: Options) -> Split:
    """Return the split of the sheet, or the one that is asked for where the sheet has none yet.

    Conflict where another share or stratum is asked for than the sheet was split by: items would change sides.
    """
    if not options.split:
        return Split()
    fixed = _fixed(training_sheet.sheet_id)
    if fixed is None:
        return Split(options.validation_percent or Split().percent, options.stratify_by)
    split = _split_of(fixed)
    if Split(options.validation_percent or split.percent, options.stratify_by or split.stratify_by) != split:
        raise _other(fixed)
    return split


def expect_stratum(training_sheet: TrainingSheet, options: Options) -> None:
    """Raise Invalid where a sheet that is not split yet is to be split by what no labeled answer has: it would be for good."""
    asked = options.stratify_by
    if asked in ("", WHOLE) or _fixed(training_sheet.sheet_id):
        return
    _expect_field(training_sheet, asked)
    strata = strata_of(training_sheet, asked)
    # Where nothing is labeled, nothing leaves, and nothing is split.
    if next(strata, None) == "" and not any(strata):
        words = f"No approved answer has a value in {asked!r}: use a field that answers have, or $."
        raise Invalid.of_fields("The export was not made.", {"stratify_by": [words]})


def decide_split(training_sheet: TrainingSheet, options: Options, *, actor: str) -> None:
    """Decide for good on which side each labeled item of a stratified split stands; raises as `fix_split` does."""
    split = split_for(training_sheet, options)
    if split.stratify_by:
        # Sides follow from the share, so it is for good before the first side is.
        fix_split(training_sheet, split, actor=actor)
        decide_sides(training_sheet, split)


def fix_split(training_sheet: TrainingSheet, split: Split, *, actor: str) -> None:
    """Fix how the sheet is split, before anything leaves by it; Conflict where another split was fixed meanwhile."""
    columns = {"validation_percent": split.percent, "stratify_by": split.stratify_by, "created_by": actor}
    fixed, _ = SheetSplit.objects.get_or_create(pk=training_sheet.sheet_id, defaults=columns)
    if _split_of(fixed) != split:
        raise _other(fixed)


def _fixed(sheet_id: str) -> SheetSplit | Export | None:
    """Return what says how the sheet was split, None where it was not."""
    return SheetSplit.objects.filter(pk=sheet_id).first() or _exported(sheet_id)


def _exported(sheet_id: str) -> Export | None:
    """Return the first export by a split, for a default database that was set up anew and does not know the split."""
    return Export.objects.filter(training_sheet__sheet=sheet_id).exclude(split="").order_by("id").first()


def _expect_field(training_sheet: TrainingSheet, stratify_by: str) -> None:
    fields = list(normalise_output_schema(training_sheet.template.output_schema).get("properties", {}))
    name = stratify_by.partition(".")[0]
    if fields and name not in fields:
        words = f"The answers have no field {name!r}: use {listed(fields)}, or $.{near_misses(name, fields)}"
        raise Invalid.of_fields("The export was not made.", {"stratify_by": [words]})


def _split_of(fixed: SheetSplit | Export) -> Split:
    return Split(fixed.validation_percent or Split().percent, fixed.stratify_by)


def _other(fixed: SheetSplit | Export) -> Conflict:
    return Conflict(
        f"The sheet was split already, with {_split_of(fixed)}, by {fixed.created_by} on {fixed.created_at:%Y-%m-%d}: "
        "items would change sides. Leave share and stratum out."
    )
