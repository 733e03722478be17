"""A sheet over three boards, and a published template whose answers name a defect."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from django.contrib.auth.models import Permission, User
from django.db import connections
from rest_framework.test import APIClient

from labels.actions import record_label
from labels.models import CanonicalLabel, LabelOpinion
from labels.opinions.actions import ask_for_opinions, give_opinion
from sheets.actions import create_sheet
from sheets.models import Sheet
from templates_app.actions import create_template, publish
from templates_app.models import PromptTemplate
from tests.conftest import Stage

Record = Callable[..., CanonicalLabel]
KEY = {"item_ref": "a1", "label_type": "defect"}
WRITERS = 3


def three_boards(directory: Path) -> None:
    write_deltalake(directory / "shop/raw/boards", pa.table({"board_id": ["a1", "b2", "c3"], "line": ["n", "n", "s"]}))
    create_sheet({"name": "Boards", "primary_table": "shop.raw.boards", "join_keys": ["board_id"]}, actor="omar")


@pytest.fixture
def boards(stage: Stage) -> Sheet:
    stage(three_boards)
    return Sheet.objects.get()


@pytest.fixture
def record(boards: Sheet) -> Record:
    """Records the label of board a1, by Rosa; keyword arguments change it."""

    def write(**changes: Any) -> CanonicalLabel:
        given = {"item_ref": "a1", "label_type": "defect", "label_data": {"defect": "none"}, "actor": "rosa"}
        return record_label(**{"sheet": boards, **given, **changes})

    return write


@pytest.fixture
def template(boards: Sheet) -> PromptTemplate:
    draft = create_template(
        {
            "name": "Board defects",
            "label_type": "defect",
            "user_prompt_template": "{{ board_id }}?",
            "input_schema": [{"name": "board_id", "type": "string"}],
            "output_schema": [{"name": "defect", "type": "string", "enum": ["scratch", "none"]}],
        },
        actor="omar",
    )
    return publish(draft, actor="omar")


@pytest.fixture
def ben(db: None) -> User:
    """A second expert, who may label and give opinions."""
    user = User.objects.create_user("ben", password="ben's password")
    user.user_permissions.set(Permission.objects.filter(codename__in=["add_canonicallabel", "add_labelopinion"]))
    return user


@pytest.fixture
def asked(boards: Sheet, template: PromptTemplate, record: Record) -> Sheet:
    """All boards get a second opinion; a1 is labeled by Ana."""
    ask_for_opinions(sheet=boards, label_type="defect", share=100, actor="omar")
    record(label_data={"defect": "scratch"}, actor="ana", template=template)
    return boards


@pytest.fixture
def opinion(asked: Sheet) -> LabelOpinion:
    return give_opinion(sheet=asked, label_data={"defect": "none"}, actor="ben", **KEY)


def as_(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def default_file(record: Record, tmp_path: Path) -> Iterator[None]:
    """Give the threads a default database of their own as a file, because a test's transaction lets no other in."""
    database = tmp_path / "default.sqlite3"
    database.write_bytes(connections["default"].connection.serialize())
    sqlite3.connect(database).execute("PRAGMA journal_mode=WAL")
    entry = connections.settings["default"]
    connections.settings["default"] = entry | {"NAME": str(database)}
    yield
    connections.settings["default"] = entry


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """Results of `work(0)`, `work(1)`, … started together in threads, each with its own connection."""
    start, results = Barrier(WRITERS), []

    def run(number: int) -> None:
        start.wait()
        try:
            results.append(work(number))
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
