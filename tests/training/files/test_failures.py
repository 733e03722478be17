"""All or nothing: whatever fails, and wherever a process is killed, the file stays as it was and the same call works later."""

from __future__ import annotations

import io
import os
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from django.db import OperationalError
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.test import APIClient

from sheets.local_volume import LocalVolume
from sheets.volumes import KINDS
from tests.conftest import ON_WAREHOUSE
from tests.training.files.conftest import Make, an_hour_later, document
from training.actions import conversations
from training.actions import training_files as verbs
from training.actions.training_files import add_conversations, create_training_file, delete_training_file
from training.files import building
from training.jobs.upkeep import look_after
from training.models import Conversation, ConversationFile, FileBuild, TrainingFile, TrainingFileConversation
from workbench.problems import Unavailable

KIND = "databricks" if ON_WAREHOUSE else "local"


class Killed(BaseException):
    """A process ends: nothing that follows in it happens."""


class Storage:
    """The volumes, of which the n-th write fails, counted from 1."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fails_at, self.writes, real = 0, 0, KINDS[KIND]

        class Failing:
            def __init__(self, name: Any) -> None:
                self.real = real(name)

            def __getattr__(self, name: str) -> Any:
                return getattr(self.real, name)

            def write(inner, file: str, source: BinaryIO) -> None:  # noqa: N805 - of two objects
                self.writes += 1
                if self.writes == self.fails_at:
                    inner.real.write(file, io.BytesIO(source.read(100)))  # cut off, as on a full disk
                    raise OSError(28, "No space left on device")
                inner.real.write(file, source)

        monkeypatch.setitem(KINDS, KIND, Failing)


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Storage:
    return Storage(monkeypatch)


def files(lakehouse: Path, *, of_conversations: bool = False) -> set[str]:
    found = lakehouse.glob("Volumes/mirion_vital/workbench/training_files/*")
    return {file.name for file in found if file.name.startswith("conversation.") == of_conversations}


def rows() -> list[tuple[Any, ...]]:
    return [*TrainingFile.objects.values_list(), *TrainingFileConversation.objects.order_by("pk").values_list()]


@pytest.mark.parametrize("at", [1, 2])
def test_a_volume_that_fails_half_way_leaves_no_new_file(
    imported: Make, storage: Storage, lakehouse: Path, at: int
) -> None:
    ids = imported(1, 2)
    storage.fails_at = storage.writes + at
    with pytest.raises(Unavailable, match="No space left on device"):
        create_training_file("all or none", ids, actor="rosa")
    assert files(lakehouse) == set() and rows() == [] and not FileBuild.objects.exists()
    assert create_training_file("all or none", ids, actor="rosa").conversation_count == 2


@pytest.mark.parametrize("at", [1, 2])
def test_a_volume_that_fails_half_way_leaves_the_old_file(
    imported: Make, storage: Storage, lakehouse: Path, at: int
) -> None:
    one, two = imported(1, 2)
    row = create_training_file("all or none", [one], actor="rosa")
    before, there = rows(), files(lakehouse)
    storage.fails_at = storage.writes + at
    with pytest.raises(Unavailable):
        add_conversations(row.pk, [two], actor="rosa")
    assert rows() == before and files(lakehouse) == there
    assert add_conversations(row.pk, [two], actor="rosa").conversation_count == 2


def test_a_volume_that_fails_in_a_long_import_leaves_none_of_it(
    lakehouse: Path, api: APIClient, storage: Storage
) -> None:
    body = {"conversations": [document(number) for number in range(85)]}
    storage.fails_at = 84
    assert api.post("/api/v1/conversations/import", body, format="json").status_code == 503
    an_hour_later()
    assert not Conversation.objects.exists() and files(lakehouse, of_conversations=True) == set()
    assert api.post("/api/v1/conversations/import", body, format="json").status_code == 201
    assert Conversation.objects.count() == len(files(lakehouse, of_conversations=True)) == 85


@pytest.mark.parametrize("answer_is_lost", [False, True])
def test_an_import_whose_rows_fail_keeps_the_files_that_rows_name(
    imported: Make, lakehouse: Path, monkeypatch: pytest.MonkeyPatch, *, answer_is_lost: bool
) -> None:
    imported(1)
    before, real = files(lakehouse, of_conversations=True), QuerySet.bulk_create

    def fails(rows: Any, made: list[Any], **more: Any) -> None:
        if answer_is_lost or rows.model is not Conversation:
            real(rows, made, **more)
        if rows.model is Conversation:
            raise OperationalError("The connection was reset")

    with monkeypatch.context() as patch:
        patch.setattr(QuerySet, "bulk_create", fails)
        with pytest.raises(OperationalError):
            imported(1, 2)
    an_hour_later()
    assert len(before) == 1
    assert Conversation.objects.count() == len(files(lakehouse, of_conversations=True)) == (2 if answer_is_lost else 1)
    named = {str(path).rpartition("/")[2] for path in Conversation.objects.values_list("enriched_file_path", flat=True)}
    assert named == files(lakehouse, of_conversations=True) and (named >= before) is not answer_is_lost


@pytest.mark.parametrize("step", ["_write_files", "send", "note", "hold"])
def test_an_import_that_is_killed_leaves_no_contents_for_ever(
    imported: Make, lakehouse: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    imported(1)
    calls, real = count(1), getattr(conversations, step)

    def dies(*given: Any, **more: Any) -> None:
        real(*given, **more)
        if next(calls) == (2 if step in ("send", "note") else 1):
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(conversations, step, dies)
        with pytest.raises(Killed):
            imported(1, 2, 3)
    assert len(files(lakehouse, of_conversations=True)) > 1
    an_hour_later()
    assert len(files(lakehouse, of_conversations=True)) == Conversation.objects.count() == 1
    assert create_training_file("whole", imported(1), actor="rosa").conversation_count == 1


def test_contents_that_the_volume_did_not_let_go_are_removed_later(
    imported: Make, lakehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(1)
    imported(1, metadata={"quality_score": 9.5})
    with monkeypatch.context() as patch:
        patch.setattr(LocalVolume, "remove", lambda *_: os.remove("/nowhere"))
        an_hour_later()
    assert len(files(lakehouse, of_conversations=True)) == 2
    an_hour_later()
    assert len(files(lakehouse, of_conversations=True)) == 1 and not ConversationFile.objects.exists()


@pytest.mark.parametrize("step", ["send", "_write_members", "_Flip.__call__", "_remove_members"])
def test_killed_at_any_step_the_file_is_the_old_or_the_new_and_the_rest_is_swept(
    imported: Make, lakehouse: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    one, two, three = imported(1, 2, 3)
    row = create_training_file("survivor", [one], actor="rosa")
    with monkeypatch.context() as patch:
        patch.setattr(f"{(verbs if 'Flip' in step else building).__name__}.{step}", killed)
        with pytest.raises(Killed):
            add_conversations(row.pk, [two], actor="rosa")
    seen = TrainingFile.objects.get()
    assert [member.row["id"] for member in verbs.members_of(seen)] == (
        [one, two] if step == "_remove_members" else [one]
    )
    later = add_conversations(row.pk, [three], actor="rosa")
    FileBuild.objects.update(seen_at=timezone.now() - timedelta(hours=2))
    building.sweep()
    assert files(lakehouse) == {building.file_name(row.pk, later.build, shape) for shape in building.SHAPES}
    assert set(TrainingFileConversation.objects.values_list("build", flat=True)) == {later.build}
    assert not FileBuild.objects.exists()


@pytest.mark.parametrize("verb", ["create", "add"])
def test_an_answer_that_is_lost_after_the_flip_takes_nothing(
    imported: Make, lakehouse: Path, fetch: Any, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    one, two = imported(1, 2)
    row = create_training_file("kept", [one], actor="rosa")
    where = "training.models.TrainingFile.save" if verb == "create" else f"{verbs.__name__}.update_next"
    real = TrainingFile.save if verb == "create" else verbs.update_next

    def loses(*given: Any, **more: Any) -> None:
        real(*given, **more)
        raise OperationalError("The connection was reset")

    with monkeypatch.context() as patch:
        patch.setattr(where, loses)
        with pytest.raises(OperationalError):
            if verb == "create":
                create_training_file("lost", [two], actor="rosa")
            else:
                add_conversations(row.pk, [two], actor="rosa")
    there = TrainingFile.objects.get(name="lost" if verb == "create" else "kept")
    FileBuild.objects.update(seen_at=timezone.now() - timedelta(hours=2))
    building.sweep()
    assert two.encode() in fetch(there.pk, "json") and fetch(there.pk, "jsonl")
    assert len(verbs.members_of(there)) == (1 if verb == "create" else 2)


def test_killed_while_deleting_the_rest_is_swept(
    imported: Make, lakehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = create_training_file("going", imported(1), actor="rosa")
    with monkeypatch.context() as patch:
        patch.setattr(verbs, "remove", killed)
        with pytest.raises(Killed):
            delete_training_file(row.pk, actor="rosa")
    assert not TrainingFile.objects.exists() and files(lakehouse)
    FileBuild.objects.update(seen_at=timezone.now() - timedelta(hours=2))
    building.sweep()
    assert files(lakehouse) == set() and rows() == [] and not FileBuild.objects.exists()


def test_what_the_volume_did_not_let_go_is_swept_by_a_worker(
    imported: Make, lakehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = imported(1, 2)
    changed, gone = (create_training_file(name, [one], actor="rosa") for name in ("changed", "gone"))
    now = add_conversations(changed.pk, [two], actor="rosa")
    with monkeypatch.context() as patch:
        patch.setattr(LocalVolume, "remove", lambda *_: os.remove("/nowhere"))
        delete_training_file(gone.pk, actor="rosa")
        FileBuild.objects.update(seen_at=timezone.now() - timedelta(hours=2))
        look_after()
    assert len(files(lakehouse)) == 6
    look_after()
    assert len(files(lakehouse)) == 6, "it is tried again in an hour"
    FileBuild.objects.update(seen_at=timezone.now() - timedelta(hours=2))
    look_after()
    assert files(lakehouse) == {building.file_name(now.pk, now.build, shape) for shape in building.SHAPES}
    assert not FileBuild.objects.exists()


def test_a_member_that_is_imported_again_as_unfinished_is_named(
    imported: Make, api: APIClient, lakehouse: Path
) -> None:
    one, two, three = imported(1, 2, 3)
    row = create_training_file("broken", [one, two], actor="rosa")
    imported(1, enrichment_status="processing")
    url = f"/api/v1/training-files/{row.pk}"
    refused = api.post(f"{url}/add-conversations", {"conversation_ids": [three]})
    assert refused.status_code == 409
    assert all(each in refused.json()["error"]["message"] for each in ("'broken'", f"{one} is processing"))
    assert api.post(f"{url}/remove-conversations", {"conversation_ids": [one]}).status_code == 200


@pytest.mark.parametrize("damage", ["another answer", "cut off", "gone"])
def test_a_file_of_a_conversation_that_was_damaged_changes_nothing(
    imported: Make, create: Any, lakehouse: Path, damage: str
) -> None:
    ids = imported(1, 2)
    (file,) = lakehouse.glob(f"Volumes/*/*/training_files/conversation.{ids[1]}.*")
    text = file.read_text()
    file.unlink()
    if damage != "gone":
        file.write_text(text[:100] if damage == "cut off" else text.replace("Answer 2", "Poison 2"))
    refused = create("damaged", ids)
    assert refused.status_code == 409
    words = "is gone" if damage == "gone" else "was changed since it was stored"
    assert refused.json()["error"]["message"] == f"The file of the conversation {ids[1]} {words}: import it again."
    assert rows() == [] and files(lakehouse) == set()


def test_a_file_of_a_conversation_that_cannot_be_read_is_told(
    imported: Make, create: Any, lakehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = imported(1)

    def fails(*_: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(LocalVolume, "open", fails)
    refused = create("unread", ids)
    assert refused.status_code == 503 and f"{ids[0]} cannot be read" in refused.json()["error"]["message"]


def killed(*_: Any, **__: Any) -> None:
    raise Killed


def test_the_storage_of_these_tests_is_the_real_one() -> None:
    assert KINDS["local"] is LocalVolume


def test_a_volume_whose_place_is_taken_by_a_file_is_told(lakehouse: Path, api: APIClient) -> None:
    place = lakehouse / "Volumes/mirion_vital/workbench/training_files"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("")
    refused = api.post("/api/v1/conversations/import", {"conversations": [document(1)]})
    assert refused.status_code == 503, refused.content
    assert "WORKBENCH_TRAINING_FILES" in refused.json()["error"]["message"]
