"""Whom the proxy names becomes a user, with no more rights than were meant."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.test import Client, override_settings

from workbench.forwarded import LONGEST_NAME

NILS = "nils@example.com"


@pytest.fixture
def browser(db: None) -> Iterator[Client]:
    """A browser behind the proxy."""
    with override_settings(
        MIDDLEWARE=[*settings.MIDDLEWARE, "workbench.forwarded.ForwardedUserMiddleware"],
        AUTHENTICATION_BACKENDS=["workbench.forwarded.ForwardedUserBackend"],
        OWNERS=frozenset({"omar@example.com"}),
    ):
        yield Client()


def test_a_new_user_has_no_rights_and_no_password(browser: Client) -> None:
    browser.get("/admin/", headers={"X-Forwarded-Email": " Nils@Example.com "})
    nils = User.objects.get()
    assert (nils.username, nils.email, nils.is_staff, nils.is_superuser) == (NILS, NILS, False, False)
    assert not nils.has_usable_password() and not nils.get_all_permissions()


def test_a_new_user_joins_the_configured_group(browser: Client) -> None:
    group = Group.objects.create(name="reviewers")
    with override_settings(NEW_USERS_GROUP="reviewers"):
        assert browser.get("/admin/", headers={"X-Forwarded-Email": NILS}).status_code == 200
    assert list(User.objects.get().groups.all()) == [group]


def test_a_group_that_is_not_there_gives_nothing(browser: Client, caplog: pytest.LogCaptureFixture) -> None:
    with override_settings(NEW_USERS_GROUP="reviewers"):
        browser.get("/admin/", headers={"X-Forwarded-Email": NILS})
    assert not User.objects.get().is_staff and "no group 'reviewers'" in caplog.text


def test_one_who_becomes_an_owner_later_owns(browser: Client) -> None:
    User.objects.create_user("omar@example.com")
    assert browser.get("/admin/auth/user/", headers={"X-Forwarded-Email": "omar@example.com"}).status_code == 200
    assert User.objects.get().is_superuser


def test_one_without_an_address_is_known_by_the_other_name(browser: Client) -> None:
    browser.get("/admin/", headers={"X-Forwarded-User": "1234@5678"})
    assert User.objects.get().username == "1234@5678"


def test_a_request_leaves_no_session(browser: Client) -> None:
    browser.get("/admin/login/", headers={"X-Forwarded-Email": NILS})
    assert not Session.objects.exists()


def test_one_who_was_shut_out_stays_out(browser: Client) -> None:
    User.objects.create_superuser(NILS, is_active=False)
    assert browser.get("/admin/auth/user/", headers={"X-Forwarded-Email": NILS}).status_code == 302


def test_another_user_in_the_same_browser_is_another_user(browser: Client) -> None:
    for name in (NILS, "rosa@example.com"):
        answer = browser.get("/admin/login/", headers={"X-Forwarded-Email": name})
        assert answer.wsgi_request.user.get_username() == name
    assert not browser.get("/admin/login/").wsgi_request.user.is_authenticated


@pytest.mark.parametrize("name", ["", "   ", "x" * (LONGEST_NAME + 1)])
def test_a_name_that_is_none_signs_nobody_in(browser: Client, name: str) -> None:
    assert browser.get("/admin/", headers={"X-Forwarded-Email": name}).status_code == 302
    assert not User.objects.exists()
