"""Drafts: what may be saved, and who may change them."""

from __future__ import annotations

from typing import Any

import pytest

from templates_app.actions import archive, create_template, delete_template, update_template
from templates_app.drafts import draft_faults
from templates_app.models import PromptTemplate
from tests.templates_app.conftest import BODY
from workbench.problems import Conflict, Invalid, NotFound

FAULTS = [
    ("version", "1.0", "semantic version"),
    ("version", "01.0.0", "semantic version"),
    ("label_type", "Entity Extraction", "lower-case"),
    ("temperature", 2.5, "from 0 to 2"),
    ("temperature", float("nan"), "from 0 to 2"),
    ("max_tokens", 0, "from 1 to 1,000,000"),
    ("max_tokens", 1_000_001, "from 1 to 1,000,000"),
    ("user_prompt_template", "One\n{% for x in %}", "line 2"),
    ("system_prompt", "{{ x | uper }}", "Did you mean 'upper'"),
    ("input_schema", [{"name": "x", "type": "strin"}], "Did you mean 'string'"),
    ("output_schema", {"type": "strin"}, "output_schema.type"),
    ("examples", [{"input": {}}], "'output'"),
    ("name", "", "blank"),
]


@pytest.mark.parametrize(("field", "value", "words"), FAULTS)
def test_what_is_wrong_in_itself_is_not_saved(field: str, value: Any, words: str) -> None:
    faults = draft_faults(PromptTemplate(**BODY | {field: value}, created_by="omar"))
    assert set(faults) == {field} and words in faults[field][0]


@pytest.mark.usefixtures("lakehouse")
def test_every_fault_is_told_and_nothing_saved() -> None:
    with pytest.raises(Invalid) as refusal:
        create_template(BODY | {"version": "one", "temperature": -1}, actor="omar")
    assert set(refusal.value.fields) == {"version", "temperature"}
    assert not PromptTemplate.objects.exists()


@pytest.mark.usefixtures("lakehouse")
def test_a_draft_may_lack_what_publishing_needs() -> None:
    draft = create_template({"name": "Later", "label_type": "summary", "examples": None}, actor="rosa")
    assert (draft.status, draft.version, draft.examples, draft.created_by) == ("draft", "1.0.0", [], "rosa")
    changed = update_template(draft, {"user_prompt_template": "{{ unknown_yet }}"}, actor="omar")
    assert changed.user_prompt_template == "{{ unknown_yet }}" and changed.updated_at > draft.updated_at


def test_name_and_version_are_taken_once(draft: PromptTemplate) -> None:
    with pytest.raises(Conflict, match=r"of version 1\.0\.0 already"):
        create_template(BODY, actor="rosa")
    other = create_template(BODY | {"version": "1.1.0"}, actor="rosa")
    with pytest.raises(Conflict, match=r"of version 1\.0\.0 already"):
        update_template(other, {"version": "1.0.0"}, actor="rosa")


def test_an_unknown_field_is_named(draft: PromptTemplate) -> None:
    with pytest.raises(Invalid, match="Did you mean 'guidelines'"):
        update_template(draft, {"guidlines": "x"}, actor="omar")
    with pytest.raises(Invalid, match="no field 'status'"):
        update_template(draft, {"status": "published"}, actor="omar")


def test_a_change_by_someone_who_saw_the_draft_before_it_was_published_is_refused(published: PromptTemplate) -> None:
    stale = PromptTemplate.objects.get(pk=published.pk)
    stale.status = "draft"
    with pytest.raises(Conflict, match="is published and does not change: duplicate it"):
        update_template(stale, {"description": "late"}, actor="rosa")
    assert PromptTemplate.objects.get(pk=published.pk).description == ""


def test_only_drafts_are_deleted(draft: PromptTemplate) -> None:
    other = archive(create_template(BODY | {"version": "1.1.0"}, actor="omar"), actor="omar")
    with pytest.raises(Conflict, match="is archived: only drafts are deleted"):
        delete_template(other, actor="omar")
    delete_template(draft, actor="omar")
    assert list(PromptTemplate.objects.values_list("version", flat=True)) == ["1.1.0"]
    with pytest.raises(NotFound, match="has been deleted"):
        delete_template(draft, actor="omar")
