"""Files of conversations that no row names: noted before that can be, and removed an hour later where it is so.

None is removed at once. A build may be reading it, and which rows name it can change between a look at them and the removal;
a file has a name of its own, so that one which no row names an hour later is never named again.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone

from training.files.building import KEPT
from training.files.storage import discard
from training.models import Conversation, ConversationFile

# What one sweep looks at, so that a worker does not wait long for the volume.
AT_ONCE = 1_000


def note(files: Mapping[str, str], written_by: str = "") -> None:
    """Have these files, paths with the ids of their conversations, looked at in an hour."""
    now = timezone.now()
    ConversationFile.objects.bulk_create(
        [
            ConversationFile(path=path, conversation_id=key, written_by=written_by, seen_at=now)
            for path, key in files.items()
        ],
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=["path"],
        update_fields=["written_by", "seen_at"],
    )


def hold(written_by: str) -> int:
    """Keep the files that an import has written for another hour, and return how many there are."""
    return ConversationFile.objects.filter(written_by=written_by).update(seen_at=timezone.now())


def sweep_conversations() -> None:
    """Remove the files that were noted an hour ago and that no row names; where the volume does not answer, in another hour."""
    before = timezone.now() - KEPT
    old = list(ConversationFile.objects.filter(seen_at__lt=before).order_by("seen_at")[:AT_ONCE])
    if not old:
        return
    rows = Conversation.objects.filter(pk__among=list({each.conversation_id for each in old}))
    named = set(rows.values_list("enriched_file_path", flat=True))
    ConversationFile.objects.filter(
        seen_at__lt=before, path__in=[each.path for each in old if each.path in named]
    ).delete()
    for each in old:
        if each.path not in named and _taken(each) and discard(each.path):
            each.delete()


def _taken(seen: ConversationFile) -> bool:
    """Take the file from who wrote it, for an hour; False where it was heard of since, or another worker was faster."""
    same = ConversationFile.objects.filter(pk=seen.pk, seen_at=seen.seen_at)
    return bool(same.update(written_by="", seen_at=timezone.now()))
