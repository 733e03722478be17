"""Several who add to one file at once: no conversation is lost, none is in it twice."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connections

from tests.training.files.conftest import Make
from training.actions import training_files as verbs
from training.actions.training_files import add_conversations, create_training_file, members_of
from training.files.building import build
from training.models import TrainingFile
from workbench.problems import Problem


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
