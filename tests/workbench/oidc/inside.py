"""Run in a process of its own, whose environment configures the provider: signs in several times and prints what came of it."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.request import HTTPRedirectHandler, build_opener

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

from tests.workbench.oidc.provider import CLIENT_ID, CLIENT_SECRET, Provider  # noqa: E402
from workbench.models import Refusal  # noqa: E402

START, CALLBACK = "/accounts/oidc/login/", "/accounts/oidc/login/callback/"


class Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def sent_to(address: str) -> str:
    """Ask the provider as a browser does, and return where it sends the browser."""
    try:
        build_opener(Stay).open(address)
    except OSError as answer:
        return str(getattr(answer, "headers", {}).get("Location", ""))
    return ""


def sign_in(provider: Provider, spoil: str = "", **person: Any) -> dict[str, Any]:
    provider.person = person
    browser = Client(HTTP_HOST="127.0.0.1:8000")
    page = browser.get("/admin/login/").content.decode()
    away = browser.post(f"{START}?next=/admin/sheets/sheet/").headers["Location"]
    back = sent_to(away).partition("127.0.0.1:8000")[2]
    if spoil:
        back = back.replace(f"{spoil}=", f"{spoil}=x")
    answer = browser.get(back)
    user = User.objects.filter(pk=browser.session.get("_auth_user_id") or 0).first()
    return {
        "button": "Sign in with the company" in page,
        "pkce": "code_challenge_method=S256" in away,
        "status": answer.status_code,
        "to": answer.headers.get("Location", ""),
        "user": user and user.username,
        "staff": user and user.is_staff,
        "superuser": user and user.is_superuser,
        "roles": sorted(user.groups.values_list("name", flat=True)) if user else None,
        "api": browser.get("/api/v1/auth/token").status_code,
    }


def main() -> None:
    call_command("migrate", verbosity=0)
    User.objects.create_superuser("omar", "omar@example.com", "omar's password")
    with Provider() as provider:
        app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
        app["settings"]["server_url"] = provider.issuer
        app |= {"client_id": CLIENT_ID, "secret": CLIENT_SECRET}
        ana = {"sub": "1", "preferred_username": "ana", "email": "ana@example.com"}
        found = {
            "first": sign_in(provider, **ana, teams=["labs", "elsewhere"]),
            "again": sign_in(provider, **ana, teams=["platform"]),
            "none": sign_in(provider, **ana, teams=[]),
            "posing": sign_in(provider, sub="2", preferred_username="omar", email="omar@example.com", teams=["labs"]),
            "forged state": sign_in(provider, "state", **ana),
            "forged code": sign_in(provider, "code", **ana),
        }
        found["users"] = User.objects.count()
        found["refusals"] = Refusal.objects.filter(path=CALLBACK).count()
        found["get"] = Client(HTTP_HOST="127.0.0.1:8000").get(START).status_code
    print(json.dumps(found))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workbench.settings")
    main()
