"""What all pairs of a training sheet share, kept beside the lakehouse: it never changes once pairs exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, ClassVar

import orjson
from django.core.cache import cache

from templates_app.schemas import normalise_output_schema
from training.models import ReviewSheet, TrainingSheet
from workbench.problems import Conflict, NotFound

# For so many seconds a screen shows the names, guidelines and sources of a training sheet as they were.
FRESH = 60


@dataclass(frozen=True)
class Frame:
    """The sheet, the task and the shape of the answers of a training sheet."""

    of_sheet: ClassVar[str] = "sheet_id"

    sheet_id: str
    template_id: str
    label_type: str
    output_schema: Mapping[str, Any]


@lru_cache(maxsize=256)
def frame_of(training_sheet_id: str) -> Frame:
    """Return the frame; NotFound for a training sheet that does not exist.

    One statement of the lakehouse the first time, and none in any process after that: a decision must not wait for it.
    """
    kept = ReviewSheet.objects.filter(pk=training_sheet_id).values_list("frame", flat=True).first()
    return Frame(**orjson.loads(kept)) if kept else _read(training_sheet_id)


def _read(training_sheet_id: str) -> Frame:
    found = TrainingSheet.objects.select_related("template").filter(pk=training_sheet_id).first()
    if found is None:
        raise NotFound(f"There is no training sheet {training_sheet_id}.")
    schema = normalise_output_schema(found.template.output_schema)
    frame = Frame(found.sheet_id, found.template_id, found.template.label_type, schema)
    ReviewSheet.objects.update_or_create(pk=training_sheet_id, defaults={"frame": orjson.dumps(asdict(frame)).decode()})
    if found.status == TrainingSheet.Status.TRAINED:
        mark_closed(training_sheet_id)
    return frame


def training_sheet_of(training_sheet_id: str) -> TrainingSheet | None:
    """Return the training sheet with its sheet and template for showing, as they were within the last minute."""
    key = f"training-sheet-{training_sheet_id}"
    found: TrainingSheet | None = cache.get(key)
    if found is None:
        found = TrainingSheet.objects.select_related("sheet", "template").filter(pk=training_sheet_id).first()
        cache.set(key, found, FRESH)
    return found


def mark_closed(training_sheet_id: str) -> None:
    """Let no action be recorded on the training sheet's pairs from now on."""
    ReviewSheet.objects.update_or_create(pk=training_sheet_id, defaults={"closed": True})


def refuse_closed(training_sheet_id: str) -> None:
    """Raise Conflict where a model was trained on the training sheet."""
    if ReviewSheet.objects.filter(pk=training_sheet_id, closed=True).exists():
        raise Conflict("A model was trained on this training sheet, so its pairs stay as they are: generate a new one.")
