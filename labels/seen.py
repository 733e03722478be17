"""What an expert looked at before writing: another's newer label is shown, never overwritten unseen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labels.models import CanonicalLabel
from workbench.canonical import canonical_bytes
from workbench.problems import Conflict

SHOWN = ("label_data", "confidence", "notes", "version", "last_modified_by")


class StaleLabel(Conflict):
    """The label changed since it was seen; `details` has it as it was seen, as it is, and what was wanted."""

    code = "stale_version"


def expect_seen(seen_version: int | None, present: CanonicalLabel | None, wanted: Mapping[str, Any]) -> None:
    """Raise StaleLabel where somebody wrote the label since; what says the same as wanted is no conflict."""
    version = present.version if present else 0
    if seen_version in (None, version) or (present and says_already(present, wanted)):
        return
    if present is None:
        raise StaleLabel(f"You saw version {seen_version} of a label that is not there: look at the item again.")
    by, when = present.last_modified_by, f"{present.last_modified_at:%H:%M} UTC"
    seen = f"version {seen_version}" if seen_version else "no label"
    stale = StaleLabel(
        f"{by} saved version {version} at {when}, and you saw {seen}: keep theirs, or save yours over it."
    )
    before = present.versions.filter(version=seen_version).first() if seen_version else None
    stale.details = {
        "base": before.label_data if before else None,
        "theirs": {name: getattr(present, name) for name in SHOWN},
        "mine": wanted["label_data"],
    }
    raise stale


def says_already(present: CanonicalLabel, wanted: Mapping[str, Any]) -> bool:
    """Return whether the label holds all that is wanted; compared as JSON, because to Python 1 and true are equal."""
    return all(canonical_bytes(getattr(present, name)) == canonical_bytes(value) for name, value in wanted.items())
