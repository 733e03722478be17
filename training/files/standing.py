"""What of training files is told beside their rows: a build that runs now, and conversations that are not as they were built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, F, QuerySet

from training.files.building import under_way
from training.models import TrainingFile, TrainingFileConversation


def standing_of(rows: Sequence[TrainingFile]) -> dict[str, dict[str, Any]]:
    """Return `{"building", "changed_conversations"}` by the key of each training file."""
    builds = under_way([row.pk for row in rows])
    found = changed_in([row.build for row in rows]).order_by().values_list("training_file_id")
    counts = dict(found.annotate(count=Count("pk"))) if rows else {}
    return {row.pk: {"building": builds.get(row.pk), "changed_conversations": counts.get(row.pk, 0)} for row in rows}


def changed_in(builds: Sequence[str]) -> QuerySet[TrainingFileConversation]:
    """Return the conversations of builds that were imported, or made, with other contents since.

    Of builds from before contents were compared nothing is known: they have no SHA-256.
    """
    found = TrainingFileConversation.objects.filter(build__in=builds)
    return found.exclude(file_sha256="").exclude(conversation__file_sha256=F("file_sha256"))
