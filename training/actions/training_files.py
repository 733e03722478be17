"""Gather conversations into a training file, change which are in it, archive and delete it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from training.files.building import Member, Plan, Row, build, remove, sweep
from training.files.gate import forbidden, in_words
from training.files.naming import settled
from training.files.versions import keep_version
from training.models import Conversation, FileBuild, TrainingFile, TrainingFileConversation
from workbench.lakehouse.bulk import update_next
from workbench.lakehouse.ids import uuid7
from workbench.near import listed
from workbench.problems import Conflict, Invalid, NotFound

MOST = 80
ATTEMPTS = 10
KEEP_CHANGING = "Others keep changing this training file: try again in a minute."
ROW = tuple(field.attname for field in Conversation._meta.concrete_fields)
BUILT = (
    "build", "json_file_path", "json_sha256", "json_file_size", "jsonl_file_path", "jsonl_sha256", "jsonl_file_size",
    "conversation_count", "total_training_pairs", "avg_quality_score", "min_quality_score", "max_quality_score",
    "human_reviewed_count", "scaffolding_distribution", "version", "updated_at", "updated_by",
)  # fmt: skip
CHUNK = 500


def create_training_file(
    name: str, conversation_ids: Sequence[str], *, actor: str, description: str = ""
) -> TrainingFile:
    """Return a new training file with 1 to 80 conversations; raises as `gather_into_new` does."""
    _expect_call(conversation_ids)
    return gather_into_new(name, conversation_ids, actor=actor, description=description)


def add_conversations(training_file_id: str, conversation_ids: Sequence[str], *, actor: str) -> TrainingFile:
    """Return the training file with 1 to 80 more conversations; raises as `gather` does."""
    _expect_call(conversation_ids)
    return gather(training_file_id, conversation_ids, actor=actor)


def gather_into_new(name: str, conversation_ids: Sequence[str], *, actor: str, description: str = "") -> TrainingFile:
    """Return a new training file with any number of conversations, in their order, all or none.

    Invalid for a name that is taken or that `settled` refuses, and for conversations that are unknown, given twice, not enriched
    or not to be trained on.
    """
    name = settled(name)
    if TrainingFile.objects.filter(name=name).exists():
        raise _taken(name)
    key, now = uuid7(), timezone.now()
    made: list[TrainingFile] = []

    def insert(columns: dict[str, Any]) -> None:
        row = TrainingFile(id=key, name=name, description=description, created_by=actor, created_at=now, **columns)
        try:
            row.save(force_insert=True)
        except IntegrityError as error:
            raise _taken(name) from error
        made.append(row)

    members = [Member(row, actor, now) for row in _usable(conversation_ids)]
    build(Plan(key, name, members, now, actor), insert)
    return made[0]


def gather(training_file_id: str, conversation_ids: Sequence[str], *, actor: str) -> TrainingFile:
    """Return the training file with these conversations after those it has, all or none.

    Invalid as for `gather_into_new`, and for one that is in it; Conflict for an archived file, or where one that is in it
    may not be trained on any more; NotFound for no such file. Of two at once both are added, one after the other.
    """

    def more(present: list[Member]) -> list[Member]:
        inside = {member.row["id"] for member in present}
        if twice := [key for key in conversation_ids if key in inside]:
            raise Invalid(f"Conversations already in training file: {', '.join(twice)}")
        now = timezone.now()
        return [*present, *(Member(row, actor, now) for row in _usable(conversation_ids))]

    return _rebuilt(training_file_id, more, actor=actor)


def remove_conversations(training_file_id: str, conversation_ids: Sequence[str], *, actor: str) -> TrainingFile:
    """Return the training file without these conversations; Invalid for one that is not in it, and for all of them."""

    def fewer(present: list[Member]) -> list[Member]:
        inside = {member.row["id"] for member in present}
        if unknown := sorted(set(conversation_ids) - inside):
            raise Invalid(f"Conversations not in training file: {', '.join(unknown)}")
        left = [member for member in present if member.row["id"] not in set(conversation_ids)]
        if not left:
            raise Invalid("A training file has at least one conversation: delete the file instead.")
        return left

    return _rebuilt(training_file_id, fewer, actor=actor)


def rebuild_training_file(training_file_id: str, *, actor: str) -> TrainingFile:
    """Return the training file with the same conversations as they are now; raises as `gather` does."""
    return _rebuilt(training_file_id, lambda present: present, actor=actor)


def archive_training_file(training_file_id: str, *, actor: str) -> TrainingFile:
    """Return the training file, out of the list of active ones; it can be downloaded, but not changed."""
    return _restated(training_file_id, TrainingFile.Status.ARCHIVED, actor)


def restore_training_file(training_file_id: str, *, actor: str) -> TrainingFile:
    """Return an archived training file, active again."""
    return _restated(training_file_id, TrainingFile.Status.ACTIVE, actor)


def delete_training_file(training_file_id: str, *, actor: str) -> None:
    """Delete the training file with its files; the conversations stay. NotFound for no such file."""
    sweep()
    row, members = with_members(partial(training_file, training_file_id))
    # Known first: what is left when this process is killed in between, or the volume does not answer, a sweep removes.
    FileBuild.objects.get_or_create(
        pk=row.build, defaults={"training_file_id": row.pk, "done": 1, "total": 1, "started_by": actor}
    )
    keep_version(row, members)
    if not TrainingFile.objects.filter(pk=row.pk, version=row.version)._raw_delete("lakehouse"):
        raise Conflict(f"The training file {row.name!r} was changed meanwhile: look at it, then delete it again.")
    if remove(row.pk, row.build):
        FileBuild.objects.filter(pk=row.build).delete()


def training_file(training_file_id: str) -> TrainingFile:
    """Return the training file; NotFound where there is none."""
    found = TrainingFile.objects.filter(pk=training_file_id).first()
    if found is None:
        raise NotFound(f"There is no training file {training_file_id}.")
    return found


def members_of(row: TrainingFile) -> list[Member]:
    """Return the conversations of the training file in their order, none where the row was read before another build came."""
    placed = list(
        TrainingFileConversation.objects.filter(training_file_id=row.pk, build=row.build)
        .order_by("position")
        .values_list("conversation_id", "added_by", "added_at", "answer_sha256")
    )
    rows = _rows([key for key, *_ in placed])
    return [Member(rows[key], by, at, digest) for key, by, at, digest in placed]


def with_members(read: Callable[[], TrainingFile]) -> tuple[TrainingFile, list[Member]]:
    """Return the training file as `read` gives it, with all its conversations; Conflict where others keep changing it.

    Between both statements another build may count, which takes the conversations of this one away: no gate can be asked of
    what is not there, so the row is read again.
    """
    for _ in range(ATTEMPTS):
        row = read()
        members = members_of(row)
        if len(members) == row.conversation_count:
            return row, members
    raise Conflict(KEEP_CHANGING)


def expect_permitted(conversations: Sequence[Row], use: str = "training") -> None:
    """Raise Conflict, with every reason, where a conversation may not be used."""
    if reasons := forbidden(conversations, use):
        raise Conflict(
            f"{len(reasons)} of the conversations in the file may not be used: {in_words(reasons)}. Remove them from the "
            "file, or look at what limits their use."
        )


@dataclass(frozen=True)
class _Flip:
    """Makes a build count where the row is as it was seen."""

    seen: TrainingFile

    def __call__(self, columns: dict[str, Any]) -> None:
        row = TrainingFile(id=self.seen.pk, version=self.seen.version + 1, **columns)
        if not update_next([row], BUILT):
            raise _OvertakenError


class _OvertakenError(Exception):
    """Another build of the file came first."""


def _rebuilt(training_file_id: str, change: Callable[[list[Member]], list[Member]], *, actor: str) -> TrainingFile:
    for _ in range(ATTEMPTS):
        row, present = with_members(partial(training_file, training_file_id))
        if row.status == TrainingFile.Status.ARCHIVED:
            raise Conflict(f"The training file {row.name!r} is archived: restore it first.")
        members = change(present)
        _expect_enriched(row, members)
        expect_permitted([member.row for member in members])
        keep_version(row, present)
        try:
            build(Plan(row.pk, row.name, members, row.created_at, actor, replaces=row.build), _Flip(row))
        except _OvertakenError:
            continue
        return training_file(training_file_id)
    raise Conflict(KEEP_CHANGING)


def _expect_enriched(row: TrainingFile, members: Sequence[Member]) -> None:
    """Raise Conflict where a conversation in the file was imported again meanwhile, and has no turns now."""
    faults = [
        f"{each.row['id']} is {each.row['enrichment_status']}" for each in members if not each.row["enriched_file_path"]
    ]
    if faults:
        raise Conflict(
            f"The training file {row.name!r} cannot be made anew, because of conversations in it without an enriched file: "
            f"{listed(faults)}. Import them as completed, or take them out."
        )


def _restated(training_file_id: str, status: str, actor: str) -> TrainingFile:
    row = training_file(training_file_id)
    same = TrainingFile.objects.filter(pk=row.pk, version=row.version)
    if not same.update(status=status, version=row.version + 1, updated_at=timezone.now(), updated_by=actor):
        raise Conflict(f"The training file {row.name!r} was changed meanwhile: try again.")
    return training_file(training_file_id)


def _expect_call(conversation_ids: Sequence[str]) -> None:
    if not 1 <= len(conversation_ids) <= MOST:
        words = f"Found {len(conversation_ids)}: give 1 to {MOST} a call."
        raise Invalid.of_fields("Nothing was changed.", {"conversation_ids": [words]})


def _usable(conversation_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows in the order of the ids; Invalid with every conversation that cannot be used, and why."""
    if not conversation_ids:
        raise Invalid.of_fields("Nothing was changed.", {"conversation_ids": ["Give at least one."]})
    if twice := sorted(key for key, count in Counter(conversation_ids).items() if count > 1):
        raise Invalid.of_fields("Nothing was changed.", {"conversation_ids": [f"Given twice: {listed(twice)}."]})
    rows = _rows(conversation_ids)
    faults = [f"{key}: there is no such conversation." for key in conversation_ids if key not in rows]
    for key, row in rows.items():
        if row["enrichment_status"] != Conversation.Enrichment.COMPLETED:
            faults.append(f"{key}: its enrichment_status is {row['enrichment_status']}, allowed is completed.")
        elif not row["enriched_file_path"] or not row["training_pairs"]:
            faults.append(f"{key}: it has no enriched file with answers to train on.")
    if not faults:
        found = forbidden(list(rows.values()))
        faults = [f"{key}: {why}." for key, why in found.items()]
    if faults:
        shown = faults[:MOST] + ([f"And {len(faults) - MOST} more."] if len(faults) > MOST else [])
        raise Invalid.of_fields("Conversation validation failed.", {"conversation_ids": shown})
    return [rows[key] for key in conversation_ids]


def _rows(ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), CHUNK):
        rows = Conversation.objects.filter(pk__in=ids[start : start + CHUNK]).values(*ROW)
        found |= {row["id"]: row for row in rows}
    return found


def _taken(name: str) -> Invalid:
    words = f"There is a training file {name!r} already: choose another name."
    return Invalid.of_fields("The training file was not created.", {"name": [words]})
