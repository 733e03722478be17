"""Templates over HTTP."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connections
from rest_framework.test import APIClient

from sheets.models import Sheet
from templates_app.actions import create_template
from templates_app.models import PromptTemplate
from tests.templates_app.conftest import BODY
from workbench.router import LAKEHOUSE

URL = "/api/v1/templates"
pytestmark = pytest.mark.usefixtures("lakehouse")


def test_a_template_is_made_changed_published_copied_archived_and_deleted(api: APIClient) -> None:
    made = api.post(URL, BODY)
    assert made.status_code == 201 and made.json()["created_by"] == "rosa"
    url = f"{URL}/{made.json()['id']}"
    assert api.patch(url, {"temperature": 0.5}).json()["temperature"] == 0.5
    assert api.get(url).json()["version"] == "1.0.0"
    assert api.post(f"{url}/publish").json()["status"] == "published"
    copy = api.post(f"{url}/duplicate")
    assert (copy.status_code, copy.json()["version"], copy.json()["status"]) == (201, "1.1.0", "draft")
    assert api.post(f"{url}/archive").json()["status"] == "archived"
    assert api.delete(f"{URL}/{copy.json()['id']}").status_code == 204
    assert api.delete(url).status_code == 409
    assert api.get(f"{URL}/{copy.json()['id']}").status_code == 404


def test_a_published_template_does_not_change(api: APIClient, published: PromptTemplate) -> None:
    url = f"{URL}/{published.pk}"
    for answer in (api.patch(url, {"description": "late"}), api.post(f"{url}/publish"), api.delete(url)):
        assert answer.status_code == 409 and answer.json()["error"]["code"] == "conflict"
    assert "duplicate it" in api.patch(url, {"description": "late"}).json()["error"]["message"]
    assert api.get(url).json()["description"] == ""


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("Board\n{{ colour }}", "line 2: the variable 'colour' is not in input_schema"),
        (
            "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
            "does too much|takes longer",
        ),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
    ],
)
def test_publishing_refuses_what_no_row_can_fill(api: APIClient, boards: Sheet, prompt: str, words: str) -> None:
    url = f"{URL}/{api.post(URL, BODY | {'user_prompt_template': prompt, 'examples': []}).json()['id']}"
    answer = api.post(f"{url}/publish")
    assert answer.status_code == 400
    assert re.search(words, answer.json()["error"]["fields"]["user_prompt_template"][0])
    assert api.get(url).json()["status"] == "draft"
    tested = api.post(f"{url}/test", {"sheet_id": boards.pk, "limit": 1}).json()
    assert tested["items"][0]["problems"] and tested["items"][0]["messages"] == []


def test_a_syntax_error_is_not_saved(api: APIClient, draft: PromptTemplate) -> None:
    answer = api.post(URL, BODY | {"version": "2.0.0", "user_prompt_template": "a\nb {{ x"})
    assert answer.status_code == 400
    assert "line 2" in answer.json()["error"]["fields"]["user_prompt_template"][0]
    answer = api.patch(f"{URL}/{draft.pk}", {"output_schema": {"properties": 1}})
    assert answer.status_code == 400 and "output_schema" in answer.json()["error"]["fields"]
    assert PromptTemplate.objects.get().output_schema == BODY["output_schema"]


def test_a_taken_version_is_a_conflict(api: APIClient, draft: PromptTemplate) -> None:
    answer = api.post(URL, BODY)
    assert answer.status_code == 409 and "already" in answer.json()["error"]["fields"]["version"][0]


def test_a_template_is_tested_on_rows(api: APIClient, draft: PromptTemplate, boards: Sheet) -> None:
    url = f"{URL}/{draft.pk}/test"
    tested = api.post(url, {"sheet_id": boards.pk}).json()
    assert (tested["faults"], tested["missing"]) == ({}, [])
    assert [item["item_ref"] for item in tested["items"]] == ["a1", "b2", "c3"]
    assert tested["items"][0]["messages"][-1] == {"role": "user", "content": "Board a1\nof line 1?"}
    for body in ({}, {"sheet_id": "nothing"}, {"sheet_id": boards.pk, "limit": 21}):
        assert api.post(url, body).status_code == 400


def test_preflight_counts_items_and_tokens(api: APIClient, published: PromptTemplate, boards: Sheet) -> None:
    url = f"{URL}/{published.pk}/preflight"
    found = api.get(url, {"sheet": boards.pk}).json()
    assert (found["items"], found["pre_approved"], found["to_draft"], found["cost"]) == (3, 0, 3, 0.0)
    assert found["tokens"] > 60 and found["model"] == "offline-nearest"
    assert api.get(url, {"sheet": boards.pk, "limit": 2}).json()["to_draft"] == 2
    assert [api.get(url, given).status_code for given in ({}, {"sheet": boards.pk, "limit": 0})] == [400, 400]


@pytest.mark.parametrize(
    ("query", "versions"),
    [
        ({"status": "published"}, ["1.0.0"]),
        ({"version": "1.1.0"}, ["1.1.0"]),
        ({"label_type": "summary"}, ["1.1.0"]),
        ({"name": "Board defects"}, ["1.1.0", "1.0.0"]),
        ({"search": "DEFECT"}, ["1.1.0", "1.0.0"]),
        ({"search": "nothing"}, []),
    ],
)
def test_the_list_is_filtered(api: APIClient, published: Any, query: dict[str, str], versions: list[str]) -> None:
    create_template(BODY | {"version": "1.1.0", "label_type": "summary"}, actor="omar")
    assert [each["version"] for each in api.get(URL, query).json()["results"]] == versions


def test_a_list_is_one_query(api: APIClient, django_assert_num_queries: Any) -> None:
    for minor in range(3):
        create_template(BODY | {"version": f"1.{minor}.0"}, actor="omar")
    with django_assert_num_queries(1, connection=connections[LAKEHOUSE]):
        assert len(api.get(URL).json()["results"]) == 3


def test_who_is_not_signed_in_gets_nothing(draft: PromptTemplate) -> None:
    stranger, url = APIClient(), f"{URL}/{draft.pk}"
    answers = [
        stranger.get(URL),
        stranger.post(URL, BODY),
        stranger.get(url),
        stranger.patch(url, {}),
        stranger.delete(url),
    ]
    answers += [stranger.post(f"{url}/{verb}") for verb in ("publish", "duplicate", "archive", "test")]
    answers.append(stranger.get(f"{url}/preflight"))
    assert {answer.status_code for answer in answers} == {401}
    assert PromptTemplate.objects.get().status == "draft"
