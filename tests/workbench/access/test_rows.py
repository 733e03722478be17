"""Each row of the table, tried as a user of each role: who may gets past 401 and 403, nobody else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse
from rest_framework.test import APIClient

from workbench import access

REFUSED = {401, 403}


def may(user: User, asked: str) -> bool:
    if asked in (access.OPEN, access.SIGNED_IN):
        return True
    return user.is_staff if asked == access.STAFF else user.has_perm(asked)


@pytest.mark.parametrize("row", access.ENDPOINTS)
def test_endpoint(lakehouse: Path, of_role: dict[str, User], row: str) -> None:
    method, path = row.lower().split(" ", 1)
    for role, user in of_role.items():
        client = APIClient(raise_request_exception=False)
        client.force_authenticate(user)
        answer = getattr(client, method)(path.replace("{}", "x"), {} if method != "get" else None)
        # Revoking a token needs one: a session has none to revoke.
        if row != "DELETE /api/v1/auth/token":
            assert (answer.status_code not in REFUSED) == may(user, access.ENDPOINTS[row]), (role, answer.status_code)
            assert answer.status_code != 500


@pytest.mark.parametrize("row", access.SCREENS)
def test_screen(lakehouse: Path, of_role: dict[str, User], row: str) -> None:
    path = row.replace("{}", "x")
    for user in of_role.values():
        client = Client()
        client.force_login(user)
        assert client.get(path).status_code in (200, 302, 404)
    away = Client().get(path)
    assert away.status_code == 302 and (row == "/" or "/admin/login/" in away.headers["Location"])


def admin_answers(user: User, url: str) -> bool:
    """Return whether the page is more than a refusal, whether it is asked by GET or by POST."""
    client = Client()
    client.force_login(user)
    answers = [client.get(url), client.post(url)]
    return (
        not any(
            answer.status_code in REFUSED or "/admin/login/" in answer.headers.get("Location", "")
            for answer in answers[:1]
        )
        or answers[0].status_code == 405
        or (answers[0].status_code == 403 and answers[1].status_code not in REFUSED)
    )


def url_of(name: str) -> str:
    """Return the address of a page of the admin, with "x" for whatever it names."""
    for args in ((), ("x",), ("x", "x"), ("x", "x", "x")):
        try:
            return reverse(f"admin:{name}", args=args)
        except NoReverseMatch:
            continue
    raise AssertionError(name)


@pytest.mark.parametrize("row", access.ADMIN_PAGES)
def test_admin_page(lakehouse: Path, of_role: dict[str, User], row: str) -> None:
    for role, user in of_role.items():
        allowed = user.is_staff and may(user, access.ADMIN_PAGES[row])
        assert admin_answers(user, url_of(row)) == allowed, role


@pytest.mark.parametrize("row", access.ADMIN_MODELS)
def test_admin_model(lakehouse: Path, of_role: dict[str, User], row: str) -> None:
    app, model = row.split(".")
    pages = {"view": "changelist", "add": "add", "change": "change", "delete": "delete"}
    for role, user in of_role.items():
        for right, page in pages.items():
            looks = {right, "view"} if right == "change" else {right}
            listed = set(access.ADMIN_MODELS[row].split())
            allowed = user.is_staff and any(user.has_perm(f"{app}.{each}_{model}") for each in looks & listed)
            assert admin_answers(user, url_of(f"{app}_{model}_{page}")) == allowed, (role, page)


@pytest.mark.parametrize("row", access.ADMIN_ACTIONS)
def test_admin_action(lakehouse: Path, of_role: dict[str, User], row: str) -> None:
    label, action = row.split(" ")
    name = f"admin:{label.replace('.', '_')}_changelist"
    for role, user in of_role.items():
        client = Client()
        client.force_login(user)
        answer: Any = client.get(reverse(name))
        page = answer.context["cl"].model_admin if answer.status_code == 200 else None
        offered = page.get_actions(answer.wsgi_request) if page else {}
        assert (action in offered) == (page is not None and may(user, access.ADMIN_ACTIONS[row])), role


def test_without_signing_in_no_row_is_open(lakehouse: Path) -> None:
    for row, asked in access.ENDPOINTS.items():
        method, path = row.lower().split(" ", 1)
        answer = getattr(APIClient(), method)(path.replace("{}", "x"))
        if asked != access.OPEN:
            assert answer.status_code in REFUSED or "/admin/login/" in answer.headers["Location"], row
