"""On whose opinions an answer rests: kept with the answer, and gone with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labels.models import CanonicalLabel
from workbench.canonical import canonical_bytes

Resting = Mapping[str, Any]

NOTHING: Resting = {"decided_by": "", "opinion_id": "", "opinions_by": []}


def resting_on(present: CanonicalLabel | None, label_data: Any, decision: Resting | None = None) -> dict[str, Any]:
    """Return what a label says of this after the answer `label_data` was recorded over the present one."""
    if decision is not None:
        return dict(decision)
    stays = present is not None and canonical_bytes(present.label_data) == canonical_bytes(label_data)
    return {} if stays else dict(NOTHING)
