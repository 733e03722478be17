"""Which rows of the audit are about pairs, training sheets and training files."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Q

from training.models import QAPair, TrainingFile, TrainingSheet


def about_hidden(sheet_ids: Collection[str], _user: Any) -> Q:
    """Return the rows about what was made from these sheets."""
    pairs = QAPair.objects.filter(training_sheet__sheet_id__in=sheet_ids).values_list("pk", flat=True)
    made = TrainingSheet.objects.filter(sheet_id__in=sheet_ids).values_list("pk", flat=True)
    files = TrainingFile.objects.of_sheets(sheet_ids).values_list("pk", flat=True)
    subjects = [f"training sheet {key}" for key in made] + [f"training file {key}" for key in files]
    return Q(qa_pair_id__in=pairs) | Q(subject__in=subjects)
