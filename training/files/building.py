"""Builds a training file: both shapes under new names, the rows of its conversations, then one row flips.

Until that one update nothing of a build counts; after it nothing is missing. A build is known in `file_builds` from its
beginning, so that what a process leaves behind when it is killed is swept later, as is the build that was replaced.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import DatabaseError
from django.db.models import F
from django.utils import timezone

from training.files.formats import CLOSING, conversation_object, file_metadata, first_line, lines, opening
from training.files.profile import consultant
from training.files.quality import totals
from training.files.storage import Draft, discard, draft, opened, path_of, send, storing
from training.models import Conversation, FileBuild, TrainingFile, TrainingFileConversation
from workbench.lakehouse.ids import uuid5_of, uuid7
from workbench.near import listed
from workbench.problems import Conflict, NotFound, Unavailable

log = logging.getLogger(__name__)

SHAPES = ("json", "jsonl")
# A link to a replaced build, or a reader of it, may live as long.
KEPT = timedelta(hours=1)
TELL_EVERY = 20

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Member:
    """A conversation of a build: its row as it is now, who added it when, and what was built of it, if it was."""

    row: Row
    added_by: str
    added_at: datetime
    answer_sha256: str = ""

    @property
    def as_built(self) -> Row:
        """The row with the answer that the build has, which the conversation may have no more."""
        return {**self.row, "answer_sha256": self.answer_sha256}


@dataclass(frozen=True)
class Plan:
    """What to build: the file, its conversations in order, and the build that it takes the place of."""

    training_file_id: str
    name: str
    members: Sequence[Member]
    created_at: datetime
    actor: str
    replaces: str = ""


def file_name(training_file_id: str, build: str, shape: str) -> str:
    return f"{training_file_id}.{build}.{shape}"


def build(plan: Plan, flip: Callable[[dict[str, Any]], None]) -> None:
    """Write everything, then have `flip` make it count with the columns that change; on a failure only what counts stays.

    Raises what storage, lakehouse or `flip` raise; Conflict for a conversation whose file is not as it was stored, or does not fit.
    """
    sweep()
    key, now = uuid7(), timezone.now()
    FileBuild.objects.create(
        pk=key,
        training_file_id=plan.training_file_id,
        replaces=plan.replaces,
        total=len(plan.members),
        started_by=plan.actor,
    )
    try:
        columns = _write_files(plan, key, now)
        _write_members(plan, key)
        _expect_all_there(plan)
        flip(columns | {"build": key, "updated_at": now, "updated_by": plan.actor})
    except Exception:
        _give_up(plan.training_file_id, key)
        raise
    if plan.replaces:
        # These alone: another build of the file may be under way.
        _remove_members(plan.training_file_id, plan.replaces)


def _give_up(training_file_id: str, key: str) -> None:
    """Remove what a failed build wrote, unless it counts: the answer to a flip may be lost after it was made."""
    try:
        counts = TrainingFile.objects.filter(pk=training_file_id, build=key).exists()
    except (DatabaseError, OSError):
        log.warning("Whether the build %s counts is asked again when it is swept.", key, exc_info=True)
        return
    if not counts and remove(training_file_id, key):
        FileBuild.objects.filter(pk=key).delete()


def under_way(training_file_ids: Sequence[str]) -> dict[str, FileBuild]:
    """Return the build that runs now, for each training file that has one."""
    recent = FileBuild.objects.filter(
        training_file_id__in=training_file_ids, done__lt=F("total"), seen_at__gt=timezone.now() - timedelta(minutes=1)
    )
    return {each.training_file_id: each for each in recent.order_by("pk")}


def sweep() -> None:
    """Remove what builds left that were replaced, or heard of for the last time, an hour ago.

    Where the volume does not answer it is tried again in an hour.
    """
    old = list(FileBuild.objects.filter(seen_at__lt=timezone.now() - KEPT))
    if not old:
        return
    present = dict(
        TrainingFile.objects.filter(pk__in={each.training_file_id for each in old}).values_list("pk", "build")
    )
    for each in old:
        keys = {each.pk, each.replaces} - {"", present.get(each.training_file_id, "")}
        if all(remove(each.training_file_id, key) for key in keys):
            each.delete()
        else:
            FileBuild.objects.filter(pk=each.pk).update(seen_at=timezone.now(), done=F("total"))


def remove(training_file_id: str, key: str) -> bool:
    """Remove the files and rows of a build that does not count; False where a file could not be removed."""
    _remove_members(training_file_id, key)
    return all(discard(path_of(file_name(training_file_id, key, shape))) for shape in SHAPES)


def _remove_members(training_file_id: str, key: str) -> None:
    # Past the collector: nothing points at these rows.
    TrainingFileConversation.objects.filter(training_file_id=training_file_id, build=key)._raw_delete("lakehouse")


def _write_files(plan: Plan, key: str, now: datetime) -> dict[str, Any]:
    """Write both shapes in one pass over the conversations and return the columns that name and measure them."""
    found, who = totals([member.row for member in plan.members]), consultant()
    with draft() as whole, draft() as lined:
        metadata = file_metadata(plan.name, plan.created_at, now, who["vertical"], found)
        whole.write(opening(metadata, who["consultant_profile"]))
        lined.write(first_line(plan.name, found["total_training_pairs"]))
        for at, member in enumerate(plan.members):
            _write_conversation(member.row, whole, lined, separator=b"," if at else b"")
            if at % TELL_EVERY == 0:
                FileBuild.objects.filter(pk=key).update(done=at, seen_at=timezone.now())
        whole.write(CLOSING)
        names = {shape: file_name(plan.training_file_id, key, shape) for shape in SHAPES}
        with storing() as volume:
            for shape, written in zip(SHAPES, (whole, lined), strict=True):
                send(volume, names[shape], written)
        FileBuild.objects.filter(pk=key).update(done=len(plan.members), seen_at=timezone.now())
        for shape, written in zip(SHAPES, (whole, lined), strict=True):
            found |= {
                f"{shape}_file_path": path_of(names[shape]),
                f"{shape}_sha256": written.sha256,
                f"{shape}_file_size": written.size,
            }
    return found


def _write_conversation(row: Row, whole: Draft, lined: Draft, separator: bytes) -> None:
    conversation = conversation_object(row, _document(row))
    whole.write(separator + orjson.dumps(conversation))
    lined.write(b"".join(lines(conversation)))


def _document(row: Row) -> Any:
    """Return what a conversation's file holds; Conflict where it is not as it was stored, Unavailable where it cannot be read."""
    again = "make it again from its training sheet" if row["qa_pair_id"] else "import it again"
    try:
        with opened(row["enriched_file_path"]) as file:
            content = file.read()
    except NotFound as problem:
        raise Conflict(f"The file of the conversation {row['id']} is gone: {again}.") from problem
    except OSError as error:
        words = f"The file of the conversation {row['id']} cannot be read: {error.strerror or error}. Try again when it can."
        raise Unavailable(words) from error
    if hashlib.sha256(content).hexdigest() != row["file_sha256"]:
        raise Conflict(f"The file of the conversation {row['id']} was changed since it was stored: {again}.")
    return orjson.loads(content)


def _expect_all_there(plan: Plan) -> None:
    """Raise Conflict where one was deleted meanwhile; asked after the rows that keep them from being deleted are there."""
    ids = [member.row["id"] for member in plan.members]
    if gone := sorted(set(ids) - set(Conversation.objects.filter(pk__among=ids).values_list("pk", flat=True))):
        raise Conflict(f"Conversations were deleted while the file was built: {listed(gone)}. Leave them out.")


def _write_members(plan: Plan, key: str) -> None:
    TrainingFileConversation.objects.bulk_create(
        [
            TrainingFileConversation(
                id=uuid5_of("training_file_conversation", key, member.row["id"]),
                training_file_id=plan.training_file_id,
                conversation_id=member.row["id"],
                build=key,
                position=at,
                added_by=member.added_by,
                added_at=member.added_at,
                file_sha256=member.row["file_sha256"],
                answer_sha256=member.row["answer_sha256"],
            )
            for at, member in enumerate(plan.members)
        ]
    )
