"""Signing in by OpenID Connect, through allauth as it is, at a provider on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from workbench import oidc

GIVEN = {
    "WORKBENCH_OIDC_ISSUER": "https://login.example",
    "WORKBENCH_OIDC_CLIENT_ID": "workbench",
    "WORKBENCH_OIDC_CLIENT_SECRET": "secret",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What came of signing in several times."""
    more = {
        "DJANGO_SETTINGS_MODULE": "workbench.settings",
        "WORKBENCH_VAR_DIR": str(tmp_path_factory.mktemp("oidc")),
        "WORKBENCH_OIDC_NAME": "the company",
        "WORKBENCH_OIDC_GROUPS_CLAIM": "teams",
        "WORKBENCH_OIDC_ROLES": '{"labs": "data scientist", "platform": "platform lead"}',
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.workbench.oidc.inside"],
        cwd=settings.BASE_DIR, env=os.environ | GIVEN | more, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_first_sign_in_makes_a_user_with_the_roles_of_the_claim(found: Any) -> None:
    first = found["first"]
    assert first["button"] and first["pkce"] and first["to"] == "/admin/sheets/sheet/"
    assert (first["user"], first["roles"], first["staff"], first["superuser"]) == (
        "ana",
        ["data scientist"],
        True,
        False,
    )


def test_the_next_one_takes_the_roles_as_they_are_then(found: Any) -> None:
    assert (found["again"]["user"], found["again"]["roles"]) == ("ana", ["platform lead"])
    assert (found["none"]["user"], found["none"]["roles"], found["none"]["staff"]) == ("ana", [], False)


def test_a_name_or_address_of_another_makes_nobody_that_other(found: Any) -> None:
    posing = found["posing"]
    assert posing["user"] not in ("omar", None) and not posing["superuser"]
    assert found["users"] == 3


@pytest.mark.parametrize("forged", ["forged state", "forged code"])
def test_a_forged_answer_signs_nobody_in(found: Any, forged: str) -> None:
    assert found[forged]["user"] is None and found[forged]["status"] in (302, 401)


def test_a_forged_answer_is_kept_among_the_refusals(found: Any) -> None:
    assert found["refusals"] >= 1


def test_it_is_off_when_it_is_not_configured(db: None) -> None:
    assert not settings.OIDC and "allauth" not in settings.INSTALLED_APPS
    assert Client().get("/accounts/oidc/login/").status_code == 404
    assert "Sign in with" not in Client().get("/admin/login/").content.decode()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"client_secret": ""}, "WORKBENCH_OIDC_CLIENT_SECRET"),
        ({"issuer": "http://login.example"}, "https://"),
        ({"roles": "labs"}, "WORKBENCH_OIDC_ROLES"),
        ({"roles": '{"labs": "king"}'}, "'king'"),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, str], named: str) -> None:
    fine = {
        "issuer": "https://login.example", "client_id": "workbench", "client_secret": "secret", "name": "x",
        "scopes": "openid", "groups_claim": "groups", "roles": "",
    }  # fmt: skip
    with pytest.raises(ImproperlyConfigured) as caught:
        oidc.configured(**(fine | given))
    assert named in str(caught.value) and "secret'" not in str(caught.value)
