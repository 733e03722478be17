"""Signing in: by token, by session, and not at all."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from workbench.models import AccessToken, Refusal
from workbench.roles import ENGINEER, LEAD
from workbench.tokens import make_token, revoke_token

TOKEN = "/api/v1/auth/token"
ROSA = {"username": "rosa", "password": "rosa's password"}


def using(text: str, word: str = "Token") -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"{word} {text}")
    return client


@pytest.fixture
def token(rosa: User) -> tuple[AccessToken, str]:
    return make_token(rosa, name="a script", actor="rosa")


def refused(client: APIClient) -> str:
    answer = client.get("/api/v1/sheets")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "authentication_failed")
    return str(answer.json()["error"]["message"])


def test_a_password_gives_a_token_that_opens_the_api(rosa: User, lakehouse: Path) -> None:
    given = APIClient().post(TOKEN, {**ROSA, "name": "laptop"}).json()
    assert given["name"] == "laptop" and given["token"].startswith(given["prefix"])
    assert using(given["token"]).get("/api/v1/sheets").status_code == 200
    assert using(given["token"], "Bearer").get("/api/v1/sheets").status_code == 200
    assert AccessToken.objects.get().last_used_at is not None
    assert APIClient().post(TOKEN, ROSA).json()["token"] != given["token"]


def test_the_token_itself_is_kept_nowhere(token: tuple[AccessToken, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM access_tokens")
        assert not [value for row in cursor.fetchall() for value in row if token[1] in str(value)]


def test_a_wrong_password_gives_none(rosa: User) -> None:
    answer = APIClient().post(TOKEN, {"username": "rosa", "password": "guess"})
    assert answer.status_code == 400 and "Unable to log in" in answer.json()["error"]["message"]
    assert set(APIClient().post(TOKEN, {}).json()["error"]["fields"]) == {"username", "password"}


def test_a_wrong_token_is_told(lakehouse: Path) -> None:
    for text in ("nonsense", "", "ä"):
        assert "token" in refused(using(text)).lower()


def test_a_revoked_token_is_refused(lakehouse: Path, token: tuple[AccessToken, str]) -> None:
    assert using(token[1]).delete(TOKEN).status_code == 204
    assert "is revoked" in refused(using(token[1]))
    assert using(token[1]).delete(TOKEN).status_code == 401


def test_an_expired_token_is_refused(lakehouse: Path, token: tuple[AccessToken, str]) -> None:
    AccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "is expired" in refused(using(token[1]))


def test_a_token_of_a_removed_user_is_refused(lakehouse: Path, rosa: User, token: tuple[AccessToken, str]) -> None:
    rosa.is_active = False
    rosa.save()
    assert "rosa" in (words := refused(using(token[1]))) and "deactivated" in words
    rosa.delete()
    assert "was removed" in refused(using(token[1]))


def test_a_token_may_have_some_of_the_owners_roles_only(lakehouse: Path, omar: User) -> None:
    omar.groups.set(Group.objects.filter(name__in=[ENGINEER, LEAD]))
    asked = {"username": "omar", "password": "omar's password", "roles": [ENGINEER]}
    scoped, whole = (APIClient().post(TOKEN, body).json()["token"] for body in (asked, asked | {"roles": [LEAD]}))
    assert using(scoped).post("/api/v1/sheets", {}).status_code == 403
    assert using(whole).post("/api/v1/sheets", {}).status_code == 400
    assert using(scoped).get("/api/v1/training-sheets/x/export/jsonl").status_code == 404
    omar.groups.remove(Group.objects.get(name=ENGINEER))
    assert using(scoped).get("/api/v1/training-sheets/x/export/jsonl").status_code == 403
    omar.refresh_from_db()
    assert omar.is_superuser


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"roles": [LEAD]}, "roles"),
        ({"expires_at": "2000-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2999-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x" * 101}, "name"),
        ({"roles": [[]] * 5_000}, "roles"),
    ],
)
def test_a_token_that_cannot_be_is_not_made(rosa: User, wrong: Any, field: str) -> None:
    answer = APIClient().post(TOKEN, ROSA | wrong)
    assert answer.status_code == 400 and field in answer.json()["error"]["fields"]
    assert not AccessToken.objects.exists()


def test_a_body_that_no_sign_in_needs_is_not_read(db: None) -> None:
    answer = APIClient().post(TOKEN, {**ROSA, "roles": [[]] * 300_000})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_a_token_is_made_and_revoked_in_the_admin(lakehouse: Path, rosa: User, omar: User) -> None:
    browser = Client()
    browser.force_login(rosa)
    page = browser.post(
        reverse("admin:workbench_accesstoken_add"), {"name": "nightly", "expires_at_0": "", "expires_at_1": ""}
    )
    text = page.context["token"]
    assert text in page.content.decode() and "no-store" in page.headers["Cache-Control"]
    assert using(text).get("/api/v1/sheets").status_code == 200
    shown = browser.get(reverse("admin:workbench_accesstoken_changelist")).content.decode()
    assert "nightly" in shown and text not in shown
    of_omar, _ = make_token(omar, name="not for Rosa", actor="omar")
    assert "not for Rosa" not in shown
    browser.post(reverse("admin:workbench_accesstoken_revoke", args=[of_omar.pk]), {"_form_submitted": "on"})
    browser.post(
        reverse("admin:workbench_accesstoken_revoke", args=[AccessToken.objects.get(name="nightly").pk]),
        {"_form_submitted": "on"},
    )
    assert AccessToken.objects.get(revoked_at=None).name == "not for Rosa"


def test_a_session_opens_the_api_and_guards_its_writes(rosa: User, lakehouse: Path) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(rosa)
    assert client.get("/api/v1/sheets").status_code == 200
    answer = client.post("/api/v1/sheets", {})
    assert answer.status_code == 403 and "CSRF" in answer.json()["error"]["message"]


def test_the_front_door_is_the_admin(db: None) -> None:
    assert Client().get("/").headers["Location"] == "/admin/"


def test_revoking_twice_keeps_the_first_time(token: tuple[AccessToken, str]) -> None:
    first = revoke_token(token[0], actor="rosa").revoked_at
    assert revoke_token(AccessToken.objects.get(), actor="omar").revoked_at == first


def test_a_refused_token_is_kept_among_the_refusals(lakehouse: Path, token: tuple[AccessToken, str]) -> None:
    for _ in range(3):
        using("wb_forged").get("/api/v1/sheets?key=secret", HTTP_X_FORWARDED_FOR="6.6.6.6")
    row = Refusal.objects.get()
    assert (row.status, row.path, row.count, row.address) == (401, "/api/v1/sheets", 3, "127.0.0.1")
    assert "unknown" in row.why and "wb_forged" not in row.why
