"""Walks every route of the API: nobody gets in unsigned, and who may nothing can write nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

WRITES = ("post", "put", "patch", "delete")
# Signing in is for those who are not; the other looks at rows and writes none.
OPEN_TO_ALL, HARMLESS = {"/api/v1/auth/token"}, {"/api/v1/templates/x/test"}


def routes(patterns: Any = None, prefix: str = "/") -> Iterator[tuple[str, Any]]:
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(entry.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, path)
        elif isinstance(entry, URLPattern):
            yield re.sub(r"\(\?P<\w+>[^)]*\)|<[^>]+>", "x", path), entry.callback


ENDPOINTS = sorted({path: view for path, view in routes() if path.startswith("/api/v1/")}.items())
PROTECTED = [path for path, _ in ENDPOINTS if path not in OPEN_TO_ALL]


def methods(view: Any) -> set[str]:
    return set(getattr(view, "actions", None) or {name for name in WRITES if hasattr(view.view_class, name)})


WRITING = [
    (path, method)
    for path, view in ENDPOINTS
    if path not in OPEN_TO_ALL | HARMLESS
    for method in WRITES
    if method in methods(view)
]


def test_the_walk_finds_the_endpoints() -> None:
    assert {"/api/v1/sheets", "/api/v1/files/x", "/api/v1/training-sheets/x/export/jsonl"} <= set(PROTECTED)
    assert {("/api/v1/templates/x/publish", "post"), ("/api/v1/canonical-labels", "post")} <= set(WRITING)


@pytest.mark.django_db
@pytest.mark.parametrize("path", PROTECTED)
@pytest.mark.parametrize("method", ["get", *WRITES])
def test_without_signing_in_nothing_is_answered(path: str, method: str) -> None:
    answer = getattr(APIClient(), method)(path)
    assert answer.status_code in (401, 403), (path, answer.status_code)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/schema", "/api/docs", "/admin/", "/"])
def test_pages_ask_to_sign_in(client: Client, path: str) -> None:
    answer = client.get(path, follow=True)
    assert answer.status_code == 401 or "/admin/login/" in answer.redirect_chain[-1][0]


@pytest.mark.parametrize(("path", "method"), WRITING)
def test_nils_writes_nothing(lakehouse: Any, nils: User, path: str, method: str) -> None:
    client = APIClient()
    client.force_authenticate(nils)
    assert getattr(client, method)(path, {}).status_code == 403


def test_nils_may_not_take_the_training_data_away(lakehouse: Any, nils: User) -> None:
    client = APIClient()
    client.force_authenticate(nils)
    assert client.get("/api/v1/training-sheets/x/export/jsonl").status_code == 403
