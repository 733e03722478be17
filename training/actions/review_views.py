"""Saved views of pairs: made by who reviews, deleted by their owner."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from training.models import ReviewView, TrainingSheet
from training.review.chosen import Choice
from workbench.problems import Conflict, Forbidden, Invalid

NO_SHEET = "There is no training sheet {!r}: leave it empty for a view of all."


def save_view(
    name: str, choice: Choice, *, actor: str, training_sheet_id: str = "", shared: bool = False
) -> ReviewView:
    """Return the new view, for all training sheets where none is named.

    Invalid without a name or for a training sheet that does not exist, Conflict where the actor has one of that name.
    """
    if not name.strip():
        raise Invalid.of_fields("The view was not saved.", {"name": ["Give it a name."]})
    if training_sheet_id and not TrainingSheet.objects.filter(pk=training_sheet_id).exists():
        raise Invalid.of_fields("The view was not saved.", {"training_sheet_id": [NO_SHEET.format(training_sheet_id)]})
    try:
        with transaction.atomic("default"):
            return ReviewView.objects.create(
                name=name.strip(),
                owner=actor,
                training_sheet_id=training_sheet_id,
                shared=shared,
                query=choice.query,
            )
    except IntegrityError as error:
        raise Conflict(f"You have a view {name.strip()!r} here: delete it first, or choose another name.") from error


def delete_view(view: ReviewView, *, actor: str) -> None:
    """Delete the view for good; Forbidden for anybody but its owner."""
    if view.owner != actor:
        raise Forbidden(f"The view {view.name!r} is {view.owner}'s, who may delete it: save one of your own instead.")
    view.delete()
