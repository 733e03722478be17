"""What of conversations and training files is there for a user, who sees or may work on some sheets only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied

from training.models import Conversation, TrainingFile
from workbench.problems import Invalid, NotFound
from workbench.sheet_rights import LOOK_ONLY, need_work_on, rights_of


def file_seen(training_file_id: str, user: Any) -> TrainingFile:
    """Return the training file; NotFound where there is none for the user."""
    found = TrainingFile.objects.visible_to(user).filter(pk=training_file_id).first()
    if found is None:
        raise NotFound(f"There is no training file {training_file_id}.")
    return found


def file_to_work_on(training_file_id: str, user: Any) -> TrainingFile:
    """Return the training file as `file_seen` does; PermissionDenied where the user may only look at a sheet in it."""
    found = file_seen(training_file_id, user)
    if rights_of(user).read_only and not TrainingFile.objects.workable_by(user).filter(pk=found.pk).exists():
        raise PermissionDenied(LOOK_ONLY)
    return found


def need_conversations(conversation_ids: Sequence[str], user: Any) -> None:
    """Raise Invalid where a conversation is not there for the user, PermissionDenied where they may only look at one."""
    hidden = rights_of(user).hidden
    asked = Conversation.objects.filter(pk__among=list(conversation_ids))
    if hidden:
        unseen = asked.filter(training_sheet__sheet_id__in=hidden).order_by("id").values_list("pk", flat=True)
        if faults := [f"{key}: there is no such conversation." for key in unseen]:
            raise Invalid.of_fields("Conversation validation failed.", {"conversation_ids": faults})
    need_work_on(user, asked)
