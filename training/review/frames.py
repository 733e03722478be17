"""What all pairs of a training sheet share, kept in memory: it never changes once pairs exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from templates_app.schemas import normalise_output_schema
from training.models import TrainingSheet
from workbench.problems import NotFound


@dataclass(frozen=True)
class Frame:
    """The sheet, the task and the shape of the answers of a training sheet."""

    sheet_id: str
    template_id: str
    label_type: str
    output_schema: Mapping[str, Any]


@lru_cache(maxsize=256)
def frame_of(training_sheet_id: str) -> Frame:
    """Return the frame, in one statement the first time; NotFound for a training sheet that does not exist."""
    found = TrainingSheet.objects.select_related("template").filter(pk=training_sheet_id).first()
    if found is None:
        raise NotFound(f"There is no training sheet {training_sheet_id}.")
    schema = normalise_output_schema(found.template.output_schema)
    return Frame(found.sheet_id, found.template_id, found.template.label_type, schema)
