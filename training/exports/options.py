"""What an export is asked for, checked against what there is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from governance.uses import USES
from training.exports.formats import FORMATS
from training.exports.profiles import PROFILES
from training.exports.splits import SIDES
from workbench.near import listed, near_misses
from workbench.problems import Invalid


@dataclass(frozen=True)
class Options:
    """An export's options, as people give them; "" is without it.

    `validation_percent` and `stratify_by` say how the sheet is split, where it was not split before; `since` is the
    id of an earlier export, `profile` the trainer whose limits have to be kept.
    """

    use: str = ""
    split: str = ""
    format: str = "chat"
    validation_percent: int | None = None
    stratify_by: str = ""
    since: str = ""
    profile: str = ""

    def __post_init__(self) -> None:
        faults: dict[str, list[str]] = {}
        known: dict[str, Iterable[str]] = {"use": USES, "split": SIDES, "format": FORMATS, "profile": PROFILES}
        for name, allowed in known.items():
            found = getattr(self, name)
            if found and found not in allowed:
                faults[name] = [f"Found {found!r}: use {listed(allowed)}.{near_misses(found, list(allowed))}"]
        if not faults and self.split and self.use not in ("", SIDES[self.split]):
            faults["use"] = [
                f"Found {self.use!r}: the split {self.split} is for {SIDES[self.split]}; leave the use out."
            ]
        if not self.split and (self.validation_percent is not None or self.stratify_by):
            faults["split"] = [f"A share or a stratum needs a split: use {listed(SIDES)}."]
        if self.validation_percent is not None and not 1 <= self.validation_percent <= 50:
            faults["validation_percent"] = [f"Found {self.validation_percent}: use 1 to 50."]
        if not faults and self.profile and self.format not in PROFILES[self.profile].formats:
            accepted = listed(PROFILES[self.profile].formats)
            faults["format"] = [f"Found {self.format!r}: {PROFILES[self.profile].name} reads {accepted}."]
        if faults:
            raise Invalid.of_fields("The export was not made.", faults)

    @property
    def asked_use(self) -> str:
        """The use that the gate is asked for: the side's own, else the one given, else training."""
        return SIDES[self.split] if self.split else self.use or "training"

    def file_name(self, training_sheet_id: str) -> str:
        """Return the name of the file; what is not the default is in it, so that no download takes another's name."""
        side = self.split or (self.asked_use if self.asked_use != "training" else "")
        form, suffix = "" if self.format == "chat" else self.format, FORMATS[self.format].suffix
        parts = [form if form != suffix else "", side, "since" if self.since else "", suffix]
        return ".".join([f"training_sheet_{training_sheet_id}", *filter(None, parts)])
