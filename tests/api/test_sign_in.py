"""Signing in: by token, by session, and not at all."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

TOKEN = "/api/v1/auth/token"


def test_a_password_gives_a_token_that_opens_the_api(rosa: User, lakehouse: Path) -> None:
    client = APIClient()
    token = client.post(TOKEN, {"username": "rosa", "password": "rosa's password"}).json()["token"]
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.get("/api/v1/sheets").status_code == 200
    assert client.post(TOKEN, {"username": "rosa", "password": "rosa's password"}).json()["token"] == token


def test_a_wrong_password_gives_none(rosa: User) -> None:
    answer = APIClient().post(TOKEN, {"username": "rosa", "password": "guess"})
    assert answer.status_code == 400 and "Unable to log in" in answer.json()["error"]["message"]
    assert set(APIClient().post(TOKEN, {}).json()["error"]["fields"]) == {"username", "password"}


def test_a_wrong_token_is_told(lakehouse: Path) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Token nonsense")
    answer = client.get("/api/v1/sheets")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "authentication_failed")


def test_a_session_opens_the_api_and_guards_its_writes(rosa: User, lakehouse: Path) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(rosa)
    assert client.get("/api/v1/sheets").status_code == 200
    answer = client.post("/api/v1/sheets", {})
    assert answer.status_code == 403 and "CSRF" in answer.json()["error"]["message"]


def test_the_front_door_is_the_admin(db: None) -> None:
    assert Client().get("/").headers["Location"] == "/admin/"
