"""A label that an expert gave while its item's pair waited: shown beside the draft, and not written over unseen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from labels.actions import record_label
from labels.models import CanonicalLabel
from labels.opinions.actions import ask_for_opinions, give_opinion
from tests.training.review.conftest import Act
from tests.training.review.test_actions import OTHER, answer_of
from training.models import QAPair
from workbench.router import LAKEHOUSE

BADGE = "Labeled meanwhile by ana"


@pytest.fixture
def screen(waiting: QAPair, rosa: User) -> Client:
    client = Client()
    client.force_login(rosa)
    return client


@pytest.fixture
def task(waiting: QAPair, api: APIClient) -> dict[str, Any]:
    """What names the label of the pair's item, with the template for it; the pair was looked at before anybody labels it."""
    api.get(f"/api/v1/qa-pairs/{waiting.pk}")
    template = waiting.training_sheet.template
    of = {"sheet": waiting.training_sheet.sheet, "label_type": template.label_type, "item_ref": waiting.item_ref}
    return {**of, "template": template}


@pytest.fixture
def ana(waiting: QAPair, task: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Has Ana label the pair's item, more severely than the draft has it."""

    def label(**more: Any) -> dict[str, Any]:
        draft = answer_of(waiting)
        hers = {**draft, "severity": OTHER[draft["severity"]], **more}
        record_label(**task, label_data=hers, actor="ana")
        return hers

    return label


def page_of(screen: Client, pair: QAPair, **query: str) -> str:
    return screen.get(f"/review/{pair.training_sheet_id}/", {"pair": pair.pk, **query}).content.decode()


def test_the_screen_and_the_api_show_the_label_beside_the_draft(
    waiting: QAPair, screen: Client, api: APIClient, ana: Callable[..., dict[str, Any]]
) -> None:
    url = f"/api/v1/qa-pairs/{waiting.pk}"
    assert api.get(url).json()["labeled_meanwhile"] is None
    assert "Labeled meanwhile" not in page_of(screen, waiting)
    hers = ana()
    page = page_of(screen, waiting)
    assert BADGE in page and f"severity is “{hers['severity']}”" in page
    assert 'name="label_version" value="1"' in page
    told = api.get(url).json()["labeled_meanwhile"]
    assert (told["version"], told["labeled_by"], told["label_data"]) == (1, "ana", hers)
    chosen = page_of(screen, waiting, take="label")
    assert f'value="&quot;{hers["severity"]}&quot;" checked' in chosen
    assert f'value="&quot;{hers["severity"]}&quot;" checked' not in page


def test_an_approval_over_a_label_that_was_not_seen_is_refused_with_both(
    waiting: QAPair, act: Act, ana: Callable[..., dict[str, Any]], settings: Any
) -> None:
    settings.REVIEW_APPLY = "worker"
    hers, draft = ana(), answer_of(waiting)
    for seen in ({}, {"label_version": 0}):
        with CaptureQueriesContext(connections[LAKEHOUSE]) as read:
            refused = act(waiting, "approve", **seen)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "stale_version")
    assert not read.captured_queries
    theirs, base = (refused.json()["error"]["details"][side] for side in ("theirs", "base"))
    assert (theirs["labeled_by"], theirs["label_version"], theirs["version"]) == ("ana", 1, waiting.version)
    assert hers["severity"] in theirs["messages"][-1]["content"]
    assert draft["severity"] in base["messages"][-1]["content"]
    assert act(waiting, "edit", answer=hers).status_code == 200
    ana(severity=draft["severity"])
    assert act(waiting, "undo").status_code == 200


def test_a_reviewer_who_saw_the_label_decides(
    waiting: QAPair, screen: Client, ana: Callable[..., dict[str, Any]]
) -> None:
    address = f"/review/{waiting.training_sheet_id}/"
    before = page_of(screen, waiting)
    assert 'name="label_version" value="0"' in before
    ana()
    posted = {"pair_id": waiting.pk, "verb": "approve", "version": "1", "label_version": "0"}
    posted |= {f"answer.{name}": f'"{value}"' for name, value in answer_of(waiting).items()}
    late = screen.post(address, posted | {"action_id": str(uuid4())})
    page = late.content.decode()
    assert (late.status_code, BADGE in page, "Theirs differs from yours" in page) == (409, True, True)
    assert 'name="label_version" value="1"' in page
    done = screen.post(address, posted | {"action_id": str(uuid4()), "label_version": "1"})
    label = CanonicalLabel.objects.get(item_ref=waiting.item_ref)
    assert (done.status_code, label.version, label.last_modified_by) == (302, 2, "rosa")


def test_who_may_give_the_second_opinion_neither_sees_nor_replaces_the_first(
    waiting: QAPair, act: Act, screen: Client, api: APIClient, ana: Callable[..., dict[str, Any]], task: dict[str, Any]
) -> None:
    ask_for_opinions(sheet=task["sheet"], label_type=task["label_type"], share=100, actor="omar")
    ana(severity="critical")
    for _ in range(2):
        # Written just now, and then read: the screen asks who may see it.
        refused = act(waiting, "approve", label_version=1)
        assert (refused.status_code, "ana" in refused.content.decode()) == (409, False)
        page = page_of(screen, waiting, take="label")
        assert ("Waits for your second opinion" in page, "ana" in page.split("<main")[1]) == (True, False)
    assert "first, by POST /api/v1/label-opinions" in refused.json()["error"]["message"]
    assert api.get(f"/api/v1/qa-pairs/{waiting.pk}").json()["labeled_meanwhile"] is None
    give_opinion(**task, label_data={**answer_of(waiting), "severity": "none"}, actor="rosa")
    assert BADGE in page_of(screen, waiting)
    assert act(waiting, "approve", label_version=1).status_code == 200


def test_a_batch_leaves_out_what_was_labeled_meanwhile(
    waiting: QAPair, screen: Client, ana: Callable[..., dict[str, Any]]
) -> None:
    ana()
    page = screen.post(
        f"/review/{waiting.training_sheet_id}/list", {"verb": "approve", "pair": [waiting.pk]}
    ).content.decode()
    assert "0 approved, 1 refused: 1 labeled meanwhile" in page


def test_a_change_of_uses_hides_no_label(waiting: QAPair, act: Act, ana: Callable[..., dict[str, Any]]) -> None:
    ana()
    assert act(waiting, "uses", prohibit=["testing"], reason="a contract").status_code == 200
    assert act(waiting, "approve").json()["error"]["code"] == "stale_version"


def test_the_same_answer_is_no_conflict(waiting: QAPair, act: Act, task: dict[str, Any]) -> None:
    record_label(**task, label_data=answer_of(waiting), actor="ana")
    assert act(waiting, "approve").status_code == 200
    assert CanonicalLabel.objects.get(item_ref=waiting.item_ref).labeled_by == "ana"
