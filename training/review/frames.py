"""What all pairs of a training sheet share, kept beside the lakehouse: it never changes once pairs exist."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import Any, ClassVar

import orjson
from django.core.cache import caches

from templates_app.schemas import normalise_output_schema
from training.models import ReviewSheet, TrainingSheet
from workbench.after_answer import after_answer
from workbench.problems import Conflict, NotFound

# Seconds after which the names, guidelines and sources of a training sheet are read anew, once the answer is sent; and for
# how many a screen shows those it has while the lakehouse is away.
FRESH, SHOWN = 60, 3_600


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
    """Return the training sheet with its sheet and template for showing, as they were lately."""
    kept: tuple[TrainingSheet, float] | None = caches["pages"].get(_key(training_sheet_id))
    if kept is None:
        return _kept_anew(training_sheet_id)
    # By one request a minute: a lakehouse that does not answer must not hold every thread.
    if time.time() - kept[1] > FRESH and caches["pages"].add(f"{_key(training_sheet_id)}-asked", True, FRESH):
        after_answer(("training-sheet", training_sheet_id), partial(_kept_anew, training_sheet_id))
    return kept[0]


def _kept_anew(training_sheet_id: str) -> TrainingSheet | None:
    found = TrainingSheet.objects.select_related("sheet", "template").filter(pk=training_sheet_id).first()
    if found is None:
        caches["pages"].delete(_key(training_sheet_id))
    else:
        caches["pages"].set(_key(training_sheet_id), (found, time.time()), SHOWN)
    return found


def _key(training_sheet_id: str) -> str:
    return f"training-sheet-{training_sheet_id}"


def mark_closed(training_sheet_id: str) -> None:
    """Let no action be recorded on the training sheet's pairs from now on."""
    ReviewSheet.objects.update_or_create(pk=training_sheet_id, defaults={"closed": True})


def refuse_closed(training_sheet_id: str) -> None:
    """Raise Conflict where a model was trained on the training sheet."""
    if ReviewSheet.objects.filter(pk=training_sheet_id, closed=True).exists():
        raise Conflict("A model was trained on this training sheet, so its pairs stay as they are: generate a new one.")
