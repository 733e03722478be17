"""The list beside the review screen: pages, decisions about many after a preview, and saved views; all without scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from rest_framework.test import APIClient

from sheets.actions import create_sheet
from sheets.restricting import restrict_sheet
from tests.training.review.conftest import Act
from training.models import QAPair, ReviewAction, ReviewView, TrainingSheet
from training.review.chosen import Choice
from training.review.filters import PairFilters
from training.review.leases import hold
from training.review.listing import page_of
from workbench.csp import POLICY
from workbench.router import LAKEHOUSE

VIEWS = "/api/v1/review-views"


@pytest.fixture
def screen(boards: TrainingSheet, rosa: User) -> Client:
    client = Client()
    client.force_login(rosa)
    return client


def at(boards: TrainingSheet, query: str = "") -> str:
    return f"/review/{boards.pk}/list{query}"


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(verb|batch_id|pairs)" value="([^"]*)">', page))


def test_a_page_is_three_statements_and_runs_nothing_inline(
    screen: Client, boards: TrainingSheet, django_assert_num_queries: Any
) -> None:
    answer = screen.get(at(boards, "?status=unlabeled&below=0.7"))
    page = answer.content.decode()
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert " style=" not in page
    count = QAPair.objects.filter(status="unlabeled", ai_confidence__lt=0.7).count()
    assert f"<b>{count}</b> pairs match" in page
    assert page.count('name="pair"') == count
    with django_assert_num_queries(3, connection=connections[LAKEHOUSE]):
        page_of(boards.pk, Choice(order="risk"), reader="rosa")


@pytest.mark.parametrize("order", ["risk", "sequence", "confidence", "changed"])
def test_pages_lead_forth_and_back(boards: TrainingSheet, order: str) -> None:
    choice, pages = Choice(PairFilters(), order), []
    page = page_of(boards.pk, choice, reader="rosa", size=20)
    while pages.append([row.pair.pk for row in page.rows]) or page.after:
        page = page_of(boards.pk, choice, reader="rosa", size=20, after=page.after)
    assert [len(each) for each in pages] == [20, 20, 10]
    assert len({key for each in pages for key in each}) == 50
    back = page_of(boards.pk, choice, reader="rosa", size=20, before=page.before)
    assert [row.pair.pk for row in back.rows] == pages[1]


def test_a_page_of_the_latest_changes_is_reached_by_its_address(screen: Client, boards: TrainingSheet) -> None:
    """The cursor of such a page is longer than the key of a pair."""
    changed = QAPair.objects.order_by("-updated_at", "position")[0].updated_at
    cursor = f"{changed.isoformat(timespec='microseconds')}~100000"
    page = screen.get(at(boards), {"order": "changed", "status": "unlabeled", "after": cursor}).content.decode()
    assert "were left out" not in page
    assert '<option value="changed" selected>' in page


def test_the_preview_says_what_will_happen_and_the_batch_is_taken_back(
    screen: Client, boards: TrainingSheet, act: Act
) -> None:
    waiting = list(QAPair.objects.filter(status="unlabeled").order_by("position"))
    act(waiting[0], "reject", reason="The same as another")
    hold(waiting[1].pk, actor="omar")
    chosen = [pair.pk for pair in waiting[:5]]
    page = screen.post(at(boards), {"verb": "approve", "pair": chosen}).content.decode()
    assert "3 approved, 2 refused: 1 rejected already, 1 held by omar" in page
    assert not ReviewAction.objects.filter(action="approve").exists()
    act(waiting[2], "flag", reason="Not sure")
    row = page.partition(f"{waiting[0].item_ref}</th>")[2].partition("</tr>")[0]
    assert "rejected already" in row and page.count('<th scope="row">') == 5
    done = screen.post(at(boards), hidden(page))
    listed = screen.get(done.headers["Location"]).content.decode()
    assert "2 approved, 3 refused: " in listed and "1 changed meanwhile" in listed
    assert screen.post(at(boards), hidden(page)).status_code == 302
    assert ReviewAction.objects.filter(action="approve").count() == 2
    offered = re.findall(r'name="undo" value="([^"]+)">(.*?)<', screen.get(at(boards)).content.decode())
    assert offered == [(hidden(page)["batch_id"], "Undo all 2")]
    undo = screen.post(at(boards), {"undo": offered[0][0]})
    assert "2 undone." in screen.get(undo.headers["Location"]).content.decode()
    assert QAPair.objects.get(pk=waiting[3].pk).status == "unlabeled"
    assert "Undo all" not in screen.get(at(boards)).content.decode()


def test_a_batch_is_not_taken_back_by_who_may_no_longer_see_its_sheet(
    screen: Client, boards: TrainingSheet, dora: User
) -> None:
    """Not even from the list of another training sheet, that they may review."""
    pair = QAPair.objects.filter(status="unlabeled")[0]
    page = screen.post(at(boards), {"verb": "approve", "pair": [pair.pk]}).content.decode()
    screen.post(at(boards), hidden(page))
    same = {"primary_table": boards.sheet.primary_table, "join_keys": boards.sheet.join_keys}
    sheet = create_sheet({"name": "other", **same}, actor="omar")
    other = TrainingSheet.objects.create(name="other", sheet=sheet, template=boards.template, status="review")
    restrict_sheet(boards.sheet, [{"user": "dora"}], actor="omar")
    undo = screen.post(at(other), {"undo": hidden(page)["batch_id"]})
    assert "There is no pair" in screen.get(undo.headers["Location"]).content.decode()
    assert not ReviewAction.objects.filter(action="undo").exists()


def test_all_that_match_need_no_choosing(screen: Client, boards: TrainingSheet) -> None:
    query = "?status=unlabeled&below=0.7"
    page = screen.post(at(boards, query), {"verb": "flag", "all": "yes"}).content.decode()
    wanted = set(QAPair.objects.filter(status="unlabeled", ai_confidence__lt=0.7).values_list("pk", flat=True))
    assert f"{len(wanted)} flagged" in page
    assert "Say why" in screen.get(screen.post(at(boards, query), hidden(page)).headers["Location"]).content.decode()
    screen.post(at(boards, query), {**hidden(page), "reason": "Not sure"})
    assert set(QAPair.objects.filter(status="flagged").values_list("pk", flat=True)) == wanted


def test_who_may_not_review_only_looks(screen: Client, boards: TrainingSheet, nils: User) -> None:
    screen.force_login(nils)
    page = screen.get(at(boards)).content.decode()
    assert 'name="verb"' not in page and "Save view" not in page
    assert screen.post(at(boards), {"verb": "approve", "all": "yes"}).status_code == 403
    assert screen.post(f"/review/{boards.pk}/views", {"name": "mine"}).status_code == 403


def test_a_faulty_address_shows_all_and_says_why(screen: Client, boards: TrainingSheet) -> None:
    page = screen.get(at(boards, "?below=7&order=sequence")).content.decode()
    assert "below: Ensure this value is less than or equal to 1." in page
    assert "<b>50</b> pairs match" in page


@pytest.mark.parametrize(
    "query",
    [
        "order=sequence&after=nonsense",
        "order=sequence&after=0.5~3",
        "order=changed&after=0001-01-01T00:00:00%2B14:00~1",
        "order=changed&before=9999-12-31T23:59:59-14:00~1",
    ],
)
def test_a_faulty_cursor_shows_the_first_page_of_the_choice(screen: Client, boards: TrainingSheet, query: str) -> None:
    page = screen.get(at(boards, f"?status=unlabeled&{query}")).content.decode()
    assert "which no page gave out" in page
    assert "<b>40</b> pairs match" in page


def test_a_cursor_may_leave_out_the_zone(screen: Client, boards: TrainingSheet, recwarn: Any) -> None:
    page = screen.get(at(boards, "?order=changed&after=9999-01-01~0")).content.decode()
    assert "<b>50</b> pairs match" in page and "which no page gave out" not in page
    assert not [each for each in recwarn if "naive datetime" in str(each.message)]


def test_a_view_is_saved_and_chosen_on_both_screens(screen: Client, boards: TrainingSheet) -> None:
    screen.post(f"/review/{boards.pk}/views?status=unlabeled&below=0.7&order=confidence", {"name": "Unsure"})
    view = ReviewView.objects.get()
    assert (view.owner, view.training_sheet_id, view.shared) == ("rosa", boards.pk, False)
    for page in (at(boards), f"/review/{boards.pk}/"):
        shown = screen.get(page).content.decode()
        assert 'href="?order=confidence&amp;status=unlabeled&amp;below=0.7">Unsure</a>' in shown
    screen.post(f"/review/{boards.pk}/views", {"delete": view.pk})
    assert not ReviewView.objects.exists()


def test_views_of_the_api(api: APIClient, boards: TrainingSheet, omar: User) -> None:
    wanted = {"name": "Flagged", "shared": True, "query": {"status": ["flagged"], "mine": True}}
    made = api.post(VIEWS, wanted, format="json")
    assert (made.status_code, made.json()["query"]) == (201, {"order": "risk", "status": ["flagged"], "mine": "yes"})
    assert api.post(VIEWS, wanted, format="json").status_code == 409
    assert api.post(VIEWS, {**wanted, "name": "x", "query": {"below": 9}}, format="json").status_code == 400
    api.post(VIEWS, {"name": "Private", "query": {}, "training_sheet_id": boards.pk}, format="json")
    theirs = APIClient()
    theirs.force_authenticate(omar)
    assert [view["name"] for view in theirs.get(VIEWS).json()["results"]] == ["Flagged"]
    assert theirs.delete(f"{VIEWS}/{made.json()['id']}").status_code == 403
    assert api.delete(f"{VIEWS}/{made.json()['id']}").status_code == 204


def test_uses_are_changed_with_a_reason(screen: Client, boards: TrainingSheet, rosa: User) -> None:
    page = f"/review/{boards.pk}/"
    pair = QAPair.objects.filter(status="unlabeled")[0]
    posted = {"verb": "uses", "pair_id": pair.pk, "version": pair.version, "data_classification": "confidential"}
    standing = dict.fromkeys(["use.training", "use.validation"], "prohibited") | {"use.testing": "allowed"}
    refused = screen.post(page, {**posted, **standing})
    assert refused.status_code == 400 and "Say why" in refused.content.decode()
    done = screen.post(page, {**posted, **standing, "reason": "Shows a serial number"})
    shown = screen.get(done.headers["Location"]).content.decode()
    assert "training prohibited" in shown and "Shows a serial number" in shown
    pair.refresh_from_db()
    assert (pair.status, pair.prohibited_uses, pair.allowed_uses) == (
        "unlabeled",
        ["training", "validation"],
        ["testing"],
    )
