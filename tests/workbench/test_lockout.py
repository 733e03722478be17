"""Too many failures, too many requests, too long away: refused, told, and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Permission, User
from django.core.cache import caches
from django.test import Client, override_settings
from django.urls import reverse
from rest_framework.test import APIClient

from workbench.models import Refusal
from workbench.tokens import make_token

TOKEN, LOGIN = "/api/v1/auth/token", "/admin/login/"
WRONG, RIGHT = {"username": "rosa", "password": "guess"}, {"username": "rosa", "password": "rosa's password"}


@pytest.fixture
def rates(settings: Any, tmp_path: Path) -> Any:
    """Rates that a test sets, counted in a place of its own."""
    settings.CACHES = {**settings.CACHES, "rates": settings.CACHES["rates"] | {"LOCATION": tmp_path / "rates"}}
    caches["own_rates"].clear()
    yield settings
    for name in ("rates", "own_rates"):
        caches[name].clear()


@override_settings(AXES_FAILURE_LIMIT=3)
def test_three_failures_lock_the_name_in_admin_and_api(rosa: User) -> None:
    answers = [APIClient().post(TOKEN, WRONG) for _ in range(2)] + [Client().post(LOGIN, WRONG)]
    assert [answer.status_code for answer in answers[:2]] == [400, 400]
    told = APIClient().post(TOKEN, RIGHT)
    assert told.status_code == 429 and told.json()["error"]["code"] == "locked_out"
    assert "Wait 15 minutes" in told.json()["error"]["message"] and told.headers["Retry-After"] == "900"
    page = Client().post(LOGIN, RIGHT)
    assert page.status_code == 429 and "Wait 15 minutes" in page.content.decode()
    assert Refusal.objects.filter(status=429, user="rosa", path=TOKEN).exists()


@override_settings(AXES_FAILURE_LIMIT=3)
def test_a_lead_unlocks_in_the_admin(rosa: User, nils: User, omar: User) -> None:
    for _ in range(4):
        APIClient().post(TOKEN, WRONG)
    assert APIClient().post(TOKEN, {"username": "nils", "password": "nils' password"}).status_code == 200
    assert APIClient(REMOTE_ADDR="10.0.0.9").post(TOKEN, RIGHT).status_code == 200
    browser = Client()
    browser.force_login(omar)
    attempt = AccessAttempt.objects.get(username="rosa", ip_address="127.0.0.1")
    shown = browser.get(reverse("admin:axes_accessattempt_changelist")).content.decode()
    assert "rosa" in shown and "locked" in shown
    browser.post(reverse("admin:axes_accessattempt_delete", args=[attempt.pk]), {"post": "yes"})
    assert APIClient().post(TOKEN, RIGHT).status_code == 200


def test_a_failure_in_the_admin_is_kept(rosa: User) -> None:
    assert Client().post(LOGIN, WRONG).status_code == 200
    row = Refusal.objects.get()
    assert (row.status, row.user, row.path, row.why) == (401, "rosa", LOGIN, "Wrong user name or password.")


def test_what_a_proxy_did_not_write_is_no_address(rosa: User, settings: Any) -> None:
    APIClient().post(TOKEN, WRONG, HTTP_X_FORWARDED_FOR="6.6.6.6")
    settings.BEHIND_PROXY = True
    APIClient().post(TOKEN, WRONG, HTTP_X_FORWARDED_FOR="6.6.6.6, 10.1.1.1")
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {"127.0.0.1", "10.1.1.1"}


def test_too_many_requests_are_told_when_to_come_again(lakehouse: Path, rosa: User, nils: User, rates: Any) -> None:
    rates.RATES = {"user": 3, "token": 2, "address": 2, "sign_in": 2}
    _, text = make_token(rosa, name="a script", actor="rosa")
    by_token, by_session, other = APIClient(), APIClient(), APIClient()
    by_token.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    by_session.force_login(rosa)
    other.force_login(nils)
    url = "/api/v1/sheets"
    assert [by_token.get(url).status_code for _ in range(3)] == [200, 200, 429]
    refused = by_session.get(url)
    assert refused.status_code == 429 and refused.json()["error"]["code"] == "throttled"
    assert 0 < int(refused.headers["Retry-After"]) <= 60 and "wait" in refused.json()["error"]["message"]
    assert other.get(url).status_code == 200
    assert [APIClient().post(TOKEN, WRONG).status_code for _ in range(3)] == [400, 400, 429]
    assert Refusal.objects.filter(status=429, user="rosa", path=url).exists()


def test_passwords_are_tried_so_often_from_one_address_whatever_the_names(rosa: User, rates: Any) -> None:
    rates.RATES = {**rates.RATES, "sign_in": 2}
    tried = [{"username": f"somebody-{number}", "password": "guess"} for number in range(2)]
    for each in tried:
        assert "Too many passwords" not in Client().post(LOGIN, each).content.decode()
    page = Client().post(LOGIN, RIGHT)
    assert (
        "Too many passwords were tried from here. Wait" in page.content.decode()
        and not page.wsgi_request.user.is_authenticated
    )
    assert APIClient().post(TOKEN, RIGHT).status_code == 429
    assert Refusal.objects.filter(status=429, user="rosa", path=LOGIN).exists()


def test_an_address_that_is_not_signed_in_asks_so_often(lakehouse: Path, rosa: User, rates: Any) -> None:
    rates.RATES = {**rates.RATES, "address": 2}
    wrong, nobody, signed_in = APIClient(HTTP_AUTHORIZATION="Token wb_wrong"), APIClient(), APIClient()
    signed_in.force_login(rosa)
    answers = [client.get(f"/api/v1/sheets/{at}") for at, client in enumerate((wrong, nobody, wrong, nobody))]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 60 and answers[2].json()["error"]["code"] == "throttled"
    assert signed_in.get("/api/v1/sheets").status_code == 200
    (flood,) = Refusal.objects.filter(status=429)
    assert (flood.path, flood.count) == ("", 2) and Refusal.objects.count() == 3


def test_a_window_ends(lakehouse: Path, rosa: User, rates: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rates.RATES = dict.fromkeys(rates.RATES, 1)
    client = APIClient()
    client.force_login(rosa)
    assert [client.get("/api/v1/sheets").status_code for _ in range(2)] == [200, 429]
    key = f"user-{rosa.pk}"
    started, count = caches["rates"].get(key)
    for name in ("rates", "own_rates"):
        caches[name].set(key, (started - 60, count), 60)
    assert client.get("/api/v1/sheets").status_code == 200


def test_counts_that_cannot_be_written_let_nobody_guess_without_end(rosa: User, rates: Any, tmp_path: Path) -> None:
    rates.RATES = {**rates.RATES, "sign_in": 3}
    (tmp_path / "rates").write_text("no directory")
    others = [{"username": f"user {n}", "password": "guess"} for n in range(5)]
    assert [APIClient().post(TOKEN, each).status_code for each in others] == [400, 400, 400, 429, 429]
    assert Client().post(LOGIN, RIGHT).status_code == 200
    assert Refusal.objects.filter(status=429, path=LOGIN).exists()


@pytest.mark.parametrize("mark", ["started_at", "seen_at"])
def test_a_session_ends(lakehouse: Path, rosa: User, mark: str) -> None:
    browser = Client()
    browser.force_login(rosa)
    assert browser.get("/admin/").status_code == 200
    session = browser.session
    session[mark] -= 13 * 3600
    session.save()
    api = browser.get("/api/v1/sheets")
    assert api.status_code == 401 and "session ended" in Refusal.objects.get().why
    assert "/admin/login/" in browser.get("/admin/").headers["Location"]


def test_whoever_is_refused_a_page_is_kept(lakehouse: Path, rosa: User) -> None:
    rosa.user_permissions.set(Permission.objects.none())
    browser = Client()
    browser.force_login(rosa)
    assert browser.get(reverse("admin:sheets_sheet_changelist")).status_code == 403
    row = Refusal.objects.get()
    assert (row.status, row.user, row.method) == (403, "rosa", "GET")
