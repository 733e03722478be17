"""The OpenAPI document and its page."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient


def test_the_schema_is_complete_and_valid() -> None:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    for path in ("/api/v1/sheets/{id}/items/{item_ref}", "/api/v1/catalog/{name}", "/api/v1/files/{path}"):
        assert path in out.getvalue()


def test_schema_and_page_need_a_sign_in(rosa: User) -> None:
    assert APIClient().get("/api/schema").status_code == 401
    assert Client().get("/api/docs").status_code == 302
    client = Client()
    client.force_login(rosa)
    assert client.get("/api/schema").status_code == 200
    page = client.get("/api/docs").content.decode()
    assert "swagger-ui" in page
    for source in ("https://", "http://", "//cdn"):
        assert f'src="{source}' not in page and f'href="{source}' not in page


@pytest.mark.django_db
def test_no_path_ends_in_a_slash(rosa: User) -> None:
    client = APIClient()
    client.force_authenticate(rosa)
    paths = client.get("/api/schema", HTTP_ACCEPT="application/vnd.oai.openapi+json").json()["paths"]
    assert paths and not [path for path in paths if path.endswith("/")]


@pytest.mark.parametrize(
    ("path", "sent", "answered"),
    [("qa-pairs/{id}/approve", "Decision", "Reviewed"), ("jobs/{id}/pause", None, "JobRun")],
)
def test_a_verb_tells_what_it_takes_and_gives(path: str, sent: str | None, answered: str, api: APIClient) -> None:
    document = api.get("/api/schema", HTTP_ACCEPT="application/vnd.oai.openapi+json").json()
    verb = document["paths"][f"/api/v1/{path}"]["post"]
    body = verb.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    answer = verb["responses"]["200"]["content"]["application/json"]["schema"]
    assert (body.get("$ref", "/").split("/")[-1] or None, answer["$ref"].split("/")[-1]) == (sent, answered)
    assert "409" in verb["responses"]
