"""Each row of the table, tried as a user of each role: who may gets past 401 and 403, nobody else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse
from rest_framework.test import APIClient

from tests.workbench.access.conftest import EVERYBODY
from workbench import access

REFUSED = {401, 403}


def may(user: User, asked: str) -> bool:
    if asked in (access.OPEN, access.SIGNED_IN):
        return True
    return user.is_staff if asked == access.STAFF else user.has_perm(asked)


@pytest.mark.parametrize("role", EVERYBODY)
def test_endpoints(lakehouse: Path, of_role: dict[str, User], role: str) -> None:
    user, faults = of_role[role], []
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    for row, asked in access.ENDPOINTS.items():
        method, path = row.lower().split(" ", 1)
        answer = getattr(client, method)(path.replace("{}", "x"), {} if method != "get" else None)
        if (answer.status_code not in REFUSED) != may(user, asked) or answer.status_code == 500:
            faults.append((row, answer.status_code))
    # The page of the docs wants a browser; a session has no token to revoke.
    assert set(faults) <= {("DELETE /api/v1/auth/token", 401)}


@pytest.mark.parametrize("role", EVERYBODY)
def test_screens(lakehouse: Path, of_role: dict[str, User], role: str) -> None:
    client = Client()
    client.force_login(of_role[role])
    for row in access.SCREENS:
        path = row.replace("{}", "x")
        assert client.get(path).status_code in (200, 302, 404, 405), row
        away = Client().get(path)
        assert away.status_code == 302 and (row == "/" or "/admin/login/" in away.headers["Location"]), row


@pytest.mark.parametrize("role", EVERYBODY)
def test_pages_of_the_admin(lakehouse: Path, of_role: dict[str, User], role: str) -> None:
    user = of_role[role]
    pages = {url_of(name): may(user, asked) for name, asked in access.ADMIN_PAGES.items()}
    for label, listed in access.ADMIN_MODELS.items():
        app, model = label.split(".")
        for right, page in (("view", "changelist"), ("add", "add"), ("change", "change"), ("delete", "delete")):
            looks = {"change", "view"} if right == "change" else {right}
            rights = [f"{app}.{each}_{model}" for each in looks & set(listed.split())]
            pages[url_of(f"{app}_{model}_{page}")] = any(user.has_perm(each) for each in rights)
    client = Client()
    client.force_login(user)
    wrong = [url for url, allowed in pages.items() if opens(client, url) != (user.is_staff and allowed)]
    assert not wrong


@pytest.mark.parametrize("role", EVERYBODY)
def test_actions_of_the_admin(lakehouse: Path, of_role: dict[str, User], role: str) -> None:
    user, client = of_role[role], Client()
    client.force_login(user)
    for row, asked in access.ADMIN_ACTIONS.items():
        label, name = row.split(" ")
        answer: Any = client.get(reverse(f"admin:{label.replace('.', '_')}_changelist"))
        offered = answer.context["cl"].model_admin.get_actions(answer.wsgi_request) if answer.status_code == 200 else {}
        assert (name in offered) == (user.is_staff and may(user, asked)), row


def opens(client: Client, url: str) -> bool:
    """Return whether the page is more than a refusal, by GET or, where it takes none, by POST."""
    answer: Any = client.get(url)
    if answer.status_code in (403, 405):
        answer = client.post(url)
    return answer.status_code not in REFUSED and "/admin/login/" not in answer.headers.get("Location", "")


def url_of(name: str) -> str:
    """Return the address of a page of the admin, with "x" for whatever it names."""
    for args in ((), ("x",), ("x", "x"), ("x", "x", "x")):
        try:
            return reverse(f"admin:{name}", args=args)
        except NoReverseMatch:
            continue
    raise AssertionError(name)


def test_without_signing_in_no_row_is_open(lakehouse: Path) -> None:
    for row, asked in access.ENDPOINTS.items():
        method, path = row.lower().split(" ", 1)
        answer = getattr(APIClient(), method)(path.replace("{}", "x"))
        if asked != access.OPEN:
            assert answer.status_code in REFUSED or "/admin/login/" in answer.headers["Location"], row
