"""What an earlier export had, so that a later one has only what is new or changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from training.exporting import Window
from training.exports.manifest import counts_of, lines_of
from training.exports.options import Options
from training.models import Export, ExportPart
from workbench.problems import Conflict, NotFound

Versions = dict[str, tuple[int, int | None]]


@dataclass(frozen=True)
class Base:
    """An export and those that it goes on from itself, the first one first, with what each took back."""

    export_id: str
    chain: Mapping[str, frozenset[str]]

    def versions(self, window: Window) -> Versions:
        """Return the versions of pair and label of the pairs of a window, as they left last."""
        start, end = window
        found: Versions = {}
        for export_id, withdrawn in self.chain.items():
            for pair in withdrawn & found.keys():
                del found[pair]
            parts = ExportPart.objects.filter(
                export_id=export_id, first_position__lt=end, last_position__gte=start
            ).order_by("number")
            for text in parts.values_list("text", flat=True):
                found |= {
                    line["pair_id"]: (line["pair_version"], line["label_version"])
                    for line in lines_of(text)
                    if start <= line["position"] < end
                }
        return found


def base_of(training_sheet_id: str, options: Options) -> Base:
    """Return what the export named in `since` had; NotFound or Conflict where nothing can go on from it."""
    first = Export.objects.filter(pk=options.since, training_sheet_id=training_sheet_id).first()
    if first is None:
        raise NotFound(f"There is no export {options.since!r} of this training sheet.")
    if not first.is_complete:
        raise Conflict(f"The export {first.pk} was broken off, so nothing can go on from it: export anew.")
    asked = {"use": options.asked_use, "split": options.split, "format": options.format}
    if differing := [
        f"{name} {getattr(first, name) or 'none'!r}" for name in asked if getattr(first, name) != asked[name]
    ]:
        raise Conflict(f"The export {first.pk} has {', '.join(differing)}: go on from one with the same options.")
    chain, export = [first], first
    while export.since:
        export = Export.objects.get(pk=export.since)
        chain.append(export)
    taken_back = {each.pk: frozenset(counts_of(each.pk)["withdrawn"]) if each.since else frozenset() for each in chain}
    return Base(first.pk, dict(reversed(taken_back.items())))
