"""A label that was changed elsewhere, and a source row that changed, wherever a pair is read: list, filter, screen, admin, API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from labels.models import CanonicalLabel
from tests.training.review.conftest import Act
from tests.training.review.test_actions import OTHER, answer_of
from training.models import QAPair, ReviewAction, ReviewPair
from workbench.router import LAKEHOUSE

BADGE = "Its canonical label has changed since"


@pytest.fixture
def screen(waiting: QAPair, rosa: User) -> Client:
    client = Client()
    client.force_login(rosa)
    return client


@pytest.fixture
def elsewhere(api: APIClient, waiting: QAPair) -> Callable[..., None]:
    """Changes the label of the pair's item by the API of labels."""

    def change(**more: Any) -> None:
        label = CanonicalLabel.objects.get(item_ref=waiting.item_ref)
        key = {"sheet_id": label.sheet_id, "item_ref": label.item_ref, "label_type": label.label_type}
        given = {**key, "label_data": label.label_data, "notes": "seen again", **more}
        assert api.post("/api/v1/canonical-labels", given, format="json").status_code == 200

    return change


def marked(pair: QAPair, screen: Client, api: APIClient) -> list[bool]:
    """Whether each edge says that the pair is made from an older label; all of them are asked."""
    item, within = f"/api/v1/qa-pairs/{pair.pk}", pair.training_sheet_id
    found = api.get("/api/v1/qa-pairs", {"training_sheet": within, "older": "true"}).json()["results"]
    every = api.get("/api/v1/qa-pairs", {"training_sheet": within, "page_size": 100}).json()["results"]
    listed = screen.get(f"/review/{within}/list?text={pair.item_ref}").content.decode()
    filtered = screen.get(f"/review/{within}/list?older=yes").content.decode()
    admin = screen.get(f"/admin/training/qapair/?q={pair.item_ref}").content.decode()
    kept = screen.get("/admin/training/qapair/?label=older").content.decode()
    return [
        api.get(item).json()["is_from_older_label"],
        [each["id"] for each in found] == [pair.pk],
        [each["id"] for each in every if each["is_from_older_label"]] == [pair.pk],
        "label changed</span>" in listed,
        f'value="{pair.pk}"' in filtered,
        "an older label" in admin,
        f"/admin/training/qapair/{pair.pk}/change/" in kept,
        "an older label" in screen.get(f"/admin/training/qapair/{pair.pk}/change/").content.decode(),
        BADGE in screen.get(f"/review/{within}/pairs/{pair.pk}").content.decode(),
    ]


def test_a_pair_that_was_approved_here_says_that_its_label_was_changed_elsewhere(
    waiting: QAPair, act: Act, screen: Client, api: APIClient, elsewhere: Callable[..., None], nils: User
) -> None:
    act(waiting, "approve")
    assert set(marked(waiting, screen, api)) == {False}
    elsewhere()
    assert set(marked(waiting, screen, api)) == {True}
    label = CanonicalLabel.objects.get(item_ref=waiting.item_ref)
    page = screen.get(f"/review/{waiting.training_sheet_id}/pairs/{waiting.pk}").content.decode()
    assert f'href="/label/versions/{label.pk}/"' in page
    for verb in ("reopen", "approve"):
        act(waiting, verb)
    assert set(marked(waiting, screen, api)) == {False}


def test_an_undo_does_not_claim_a_version_that_another_wrote(
    waiting: QAPair, act: Act, screen: Client, api: APIClient, elsewhere: Callable[..., None]
) -> None:
    act(waiting, "approve")
    answer = answer_of(waiting)
    act(waiting, "edit", answer={**answer, "severity": OTHER[answer["severity"]]})
    elsewhere()
    assert act(waiting, "undo").json()["pair"]["status"] == "labeled"
    assert set(marked(waiting, screen, api)) == {True}


def test_taking_back_all_since_an_approval_leaves_the_pair_with_the_present_label(
    waiting: QAPair, act: Act, screen: Client, api: APIClient
) -> None:
    act(waiting, "approve")
    answer = answer_of(waiting)
    act(waiting, "reopen")
    act(waiting, "edit", answer={**answer, "severity": OTHER[answer["severity"]]})
    for _ in range(2):
        act(waiting, "undo")
    assert (
        QAPair.objects.get(pk=waiting.pk).status,
        CanonicalLabel.objects.get(item_ref=waiting.item_ref).version,
    ) == (
        "labeled",
        3,
    )
    assert set(marked(waiting, screen, api)) == {False}


def test_nothing_is_said_while_an_approval_waits(
    waiting: QAPair, act: Act, screen: Client, elsewhere: Callable[..., None], settings: Any
) -> None:
    url = f"/review/{waiting.training_sheet_id}/pairs/{waiting.pk}"
    act(waiting, "approve")
    elsewhere()
    assert BADGE in screen.get(url).content.decode()
    settings.REVIEW_APPLY = "worker"
    for verb in ("reopen", "approve"):
        act(waiting, verb)
    assert BADGE not in screen.get(url).content.decode()


def test_the_label_of_a_pair_that_waits_is_asked_by_its_item(
    waiting: QAPair, act: Act, screen: Client, elsewhere: Callable[..., None]
) -> None:
    for verb in ("approve", "reopen"):
        act(waiting, verb)
    # As where somebody else had it made from the label.
    ReviewAction.objects.all().delete()
    ReviewPair.objects.all().delete()
    elsewhere()
    with CaptureQueriesContext(connections[LAKEHOUSE]) as read:
        page = screen.get(f"/review/{waiting.training_sheet_id}/pairs/{waiting.pk}").content.decode()
    assert BADGE in page
    asked = [query["sql"] for query in read if "FROM `canonical_labels`" in query["sql"]]
    assert [(f"'{waiting.item_ref}'" in sql, "qa_pairs" in sql) for sql in asked] == [(True, False)]


def test_the_labels_of_the_next_pairs_are_asked_for_by_one_statement(waiting: QAPair, api: APIClient) -> None:
    queue = f"/api/v1/training-sheets/{waiting.training_sheet_id}/queue"
    assert len(api.get(queue).json()) > 1
    caches["ahead"].clear()
    for statements in (1, 0):
        with CaptureQueriesContext(connections[LAKEHOUSE]) as read:
            assert api.get(queue).status_code == 200
        assert len([query["sql"] for query in read if "canonical_label" in query["sql"]]) == statements


def test_a_page_asks_for_the_labels_of_its_own_pairs_alone(waiting: QAPair, act: Act, api: APIClient) -> None:
    def statements(**more: Any) -> list[str]:
        wanted = {"training_sheet": waiting.training_sheet_id, **more}
        with CaptureQueriesContext(connections[LAKEHOUSE]) as read:
            assert api.get("/api/v1/qa-pairs", wanted).status_code == 200
        return [query["sql"] for query in read]

    statements()
    assert len(statements(status="unlabeled")) == 1
    caches["pages"].clear()
    page, labels = statements()
    assert "canonical_labels" not in page
    assert labels.startswith("SELECT `canonical_labels`.`id`, `canonical_labels`.`version` FROM") and "WHERE" in labels


def test_the_api_says_that_the_source_row_changed_since(
    waiting: QAPair, api: APIClient, sql: Callable[..., Any]
) -> None:
    url, sheet = f"/api/v1/qa-pairs/{waiting.pk}", waiting.training_sheet.sheet
    assert api.get(url).json()["has_source_changed"] is False
    changed = f"UPDATE {sheet.primary_table} SET line = 'another' WHERE {sheet.join_keys[0]} = %s"
    sql(changed, [waiting.item_ref])
    assert api.get(url).json()["has_source_changed"] is True
    sql(f"DELETE FROM {sheet.primary_table} WHERE {sheet.join_keys[0]} = %s", [waiting.item_ref])
    assert api.get(url).json()["has_source_changed"] is None
    QAPair.objects.filter(pk=waiting.pk).update(item_hash="")
    assert api.get(url).json()["has_source_changed"] is None
