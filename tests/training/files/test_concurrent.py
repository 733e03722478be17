"""Several who add to one file at once: no conversation is lost, none is in it twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.models import QuerySet
from rest_framework.test import APIClient

from tests.training.files.conftest import Make, an_hour_later
from training.actions import training_files as verbs
from training.actions.training_files import (
    add_conversations,
    create_training_file,
    members_of,
    remove_conversations,
)
from training.files import building, views
from training.files.building import build
from training.files.seeing import file_to_work_on
from training.models import Conversation, TrainingFile
from workbench.problems import Problem

URL = "/api/v1/training-files"


def test_one_that_comes_in_between_is_kept(imported: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, three = imported(1, 2, 3)
    row = create_training_file("shared", [one], actor="rosa")
    turns = iter([True])

    def overtaken(plan: Any, flip: Any) -> None:
        if next(turns, False):
            add_conversations(row.pk, [three], actor="omar")
        build(plan, flip)

    monkeypatch.setattr(verbs, "build", overtaken)
    now = add_conversations(row.pk, [two], actor="rosa")
    assert [member.row["id"] for member in members_of(now)] == [one, three, two]
    assert [member.added_by for member in members_of(now)] == ["rosa", "omar", "rosa"]
    assert (now.version, now.conversation_count) == (3, 3)


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Does something after each time that a download has read the row of its file."""

    def then(do: Callable[[], object]) -> None:
        def read(*given: Any) -> TrainingFile:
            row = file_to_work_on(*given)
            do()
            return row

        monkeypatch.setattr(views, "file_to_work_on", read)

    return then


def test_a_conversation_that_is_taken_out_as_a_link_is_opened_does_not_leave(
    imported: Make, api: APIClient, between: Any
) -> None:
    one, two = imported(1, 2)
    row = create_training_file("opened", [one, two], actor="rosa")
    link = api.get(f"{URL}/{row.pk}/download", {"format": "json"}).json()["download_url"]
    Conversation.objects.filter(pk=one).update(prohibited_uses=["training"], usage_reason="Withdrawn consent")
    turns = iter([True])
    between(lambda: next(turns, False) and remove_conversations(row.pk, [one], actor="omar"))
    answer: Any = APIClient().get(link)
    assert answer.status_code == 200
    body = b"".join(answer.streaming_content)
    assert two.encode() in body and one.encode() not in body


def test_a_file_that_never_stands_still_is_refused(
    imported: Make, api: APIClient, between: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = imported(1, 2)
    row = create_training_file("restless", [one], actor="rosa")
    link = api.get(f"{URL}/{row.pk}/download", {"format": "json"}).json()["download_url"]
    changes = cycle((add_conversations, remove_conversations))
    between(lambda: next(changes)(row.pk, [two], actor="omar"))
    monkeypatch.setattr(verbs, "ATTEMPTS", 2)
    for url in (f"{URL}/{row.pk}/download?format=json", link):
        answer = api.get(url)
        assert answer.status_code == 409 and "keep changing" in answer.json()["error"]["message"]


def test_of_two_imports_at_once_the_row_names_a_file_that_is_there(
    imported: Make, create: Any, lakehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = imported(1)
    real, turns = QuerySet.bulk_create, iter([True])

    def overtaken(rows: Any, *given: Any, **more: Any) -> Any:
        if rows.model is Conversation and next(turns, False):
            imported(1, metadata={"quality_score": 2})
        return real(rows, *given, **more)

    monkeypatch.setattr(QuerySet, "bulk_create", overtaken)
    imported(1)
    an_hour_later()
    row = Conversation.objects.get()
    assert row.quality_score == 6.75
    assert create("whole", [key]).status_code == 201
    assert len([*lakehouse.glob("Volumes/*/*/training_files/conversation.*")]) == 1


def test_a_file_is_built_while_a_conversation_in_it_is_imported_again(
    imported: Make, create: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = imported(1)
    real = building.totals

    def counted(rows: Any) -> Any:
        imported(1, metadata={"quality_score": 2})
        return real(rows)

    monkeypatch.setattr(building, "totals", counted)
    answer = create("overtaken", [key])
    assert answer.status_code == 201, answer.content


@pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])
def test_threads_that_add_the_same_and_others(imported: Make) -> None:
    ids = imported(*range(1, 7))
    row = create_training_file("crowded", ids[:1], actor="rosa")
    refused: list[Problem] = []

    def add(*mine: str) -> None:
        try:
            add_conversations(row.pk, list(mine), actor="rosa")
        except Problem as problem:
            refused.append(problem)
        finally:
            connections["default"].close()

    wanted = [(ids[1],), (ids[2],), (ids[3], ids[4]), (ids[1],)]
    threads = [threading.Thread(target=add, args=mine) for mine in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = TrainingFile.objects.get()
    assert sorted(member.row["id"] for member in members_of(now)) == sorted(ids[:5])
    assert [problem.message for problem in refused] == [f"Conversations already in training file: {ids[1]}"]
    assert now.conversation_count == 5 and now.version == 4
