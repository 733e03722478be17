"""How a sheet is split: asked for once, the same ever after."""

from __future__ import annotations

from training.exports.options import Options
from training.exports.splits import Split
from training.exports.stratified import decide_sides
from training.models import Export, TrainingSheet
from workbench.problems import Conflict


def split_for(training_sheet: TrainingSheet, options: Options, *, decide: bool) -> Split:
    """Return the split of the sheet, which the first split export fixes; `decide` gives every labeled item its side.

    Conflict where another share or stratum is asked for than the sheet was split by: items would change sides.
    """
    if not options.split:
        return Split()
    earlier = (
        Export.objects.filter(training_sheet__sheet=training_sheet.sheet_id).exclude(split="").order_by("id").first()
    )
    split = Split(options.validation_percent or Split().percent, options.stratify_by)
    if earlier:
        split = Split(earlier.validation_percent or split.percent, earlier.stratify_by)
        asked = (options.validation_percent, options.stratify_by)
        if asked[0] not in (None, split.percent) or asked[1] not in ("", split.stratify_by):
            raise Conflict(
                f"The sheet was split already, with {split}, by {earlier.created_by}'s export {earlier.pk}: items would "
                "change sides. Leave share and stratum out."
            )
    if split.stratify_by and decide:
        decide_sides(training_sheet, split)
    return split
