"""Every error has one shape and says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404
from django.test import Client, RequestFactory
from rest_framework import exceptions
from rest_framework.test import APIClient

from workbench.api.errors import flattened, handle, server_error
from workbench.problems import Conflict, Forbidden, Invalid, NotFound


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Invalid("x"), 400, "invalid"),
        (Forbidden("x"), 403, "forbidden"),
        (NotFound("x"), 404, "not_found"),
        (Conflict("x"), 409, "conflict"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "forbidden"),
        (ValidationError({"name": "x"}), 400, "invalid"),
        (ValidationError("x"), 400, "invalid"),
        (IntegrityError("x"), 409, "conflict"),
        (DataError("x"), 400, "invalid"),
        (OperationalError("password=x"), 503, "unavailable"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.Throttled(wait=3), 429, "throttled"),
    ],
)
def test_each_exception_has_its_status_and_code(error: Exception, status: int, code: str) -> None:
    answer = handle(error, {})
    assert answer is not None
    assert (answer.status_code, answer.data["error"]["code"]) == (status, code)
    assert answer.data["error"]["message"] and "password" not in answer.data["error"]["message"]


def test_what_nobody_foresaw_stays_an_exception() -> None:
    assert handle(KeyError("x"), {}) is None


def test_a_problem_of_fields_tells_them_in_words_as_well() -> None:
    answer = handle(Invalid.of_fields("Not saved.", {"name": ["Too long."], "line": ["Not a number."]}), {})
    assert answer is not None
    assert answer.data["error"]["message"] == "Not saved. name: Too long. line: Not a number."
    assert answer.data["error"]["fields"] == {"name": ["Too long."], "line": ["Not a number."]}


def test_nested_messages_are_named_by_their_path() -> None:
    detail = {"sources": [{}, {"type": ["Unknown."]}], "non_field_errors": ["Both."], "name": ["Short.", "Odd."]}
    assert flattened(detail) == {"sources.1.type": ["Unknown."], "": ["Both."], "name": ["Short.", "Odd."]}
    assert flattened(["Wrong."]) == {"": ["Wrong."]}
    many = flattened({"ids": {at: ["Odd."] for at in range(5_000)}})
    assert len(many) == 101 and many["ids.99"] == ["Odd."] and "4,900 more" in many[""][0]


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v2/sheets", "/api/v1/sheets/"])
def test_an_unknown_url_is_answered_in_json(path: str, settings: object) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert "/api/docs" in answer.json()["error"]["message"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_an_unknown_url_is_answered_in_json_to_every_method(method: str) -> None:
    answer = getattr(Client(enforce_csrf_checks=True), method)("/api/v1/sheets/a.b/restore")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_trailing_slash_is_explained() -> None:
    assert "try /api/v1/sheets " in Client().get("/api/v1/sheets/").json()["error"]["message"]


def test_a_failure_of_ours_is_json_under_api_only() -> None:
    assert server_error(RequestFactory().get("/api/v1/sheets")).headers["Content-Type"] == "application/json"
    assert server_error(RequestFactory().get("/admin/")).headers["Content-Type"].startswith("text/html")


def test_broken_json_and_wrong_methods_have_the_shape(api: APIClient, lakehouse: Path) -> None:
    answer = api.post("/api/v1/sheets", "{", content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "parse_error")
    assert api.delete("/api/v1/sheets").json()["error"]["code"] == "method_not_allowed"
    assert api.post("/api/v1/sheets", "a=1", content_type="text/csv").status_code == 415
    assert api.get("/api/v1/sheets/none").json()["error"]["code"] == "not_found"
