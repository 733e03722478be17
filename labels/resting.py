"""On whose opinions an answer rests: kept with the answer, and gone with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labels.models import CanonicalLabel, CanonicalLabelVersion
from workbench.canonical import canonical_bytes

Resting = Mapping[str, Any]

NOTHING: Resting = {"decided_by": "", "opinion_id": "", "opinions_by": []}


def resting_on(present: CanonicalLabel | None, label_data: Any, decision: Resting | None = None) -> dict[str, Any]:
    """Return what a label says of this after the answer `label_data` was recorded over the present one."""
    if decision is not None:
        return dict(decision)
    return {} if present is not None and has_answer(present, label_data) else dict(NOTHING)


def has_answer(label: CanonicalLabel | CanonicalLabelVersion, label_data: Any) -> bool:
    """Return whether this is the label's answer; compared as JSON, because to Python 1 and true are equal."""
    return canonical_bytes(label.label_data) == canonical_bytes(label_data)
