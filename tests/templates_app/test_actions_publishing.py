"""Publishing freezes a template; a copy is the way on."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from django.db import connections

from templates_app.actions import archive, create_template, duplicate, find_template, publish, update_template
from templates_app.models import PromptTemplate
from tests.templates_app.conftest import BODY
from workbench.problems import Conflict, Invalid, NotFound

REFUSED = [
    ("{{ board_id }} {{ lne }}", "user_prompt_template", "line 1: the variable 'lne' is not in input_schema"),
    ("{% for i in range(10 ** 9) %}x{% endfor %}", "user_prompt_template", "range of more than 100,000"),
    # Too many turns, or too long on a busy machine.
    (
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "user_prompt_template",
        "Loop over less",
    ),
    ("{{ board_id.__class__.__mro__ }}", "user_prompt_template", "unsafe"),
    (" ", "user_prompt_template", "write the question"),
    ("{{ board_id[9] }}", "examples", "the question cannot be filled from it"),
]
pytestmark = pytest.mark.usefixtures("lakehouse")


@pytest.mark.parametrize(("prompt", "field", "words"), REFUSED)
def test_a_template_that_would_fail_on_every_row_stays_a_draft(prompt: str, field: str, words: str) -> None:
    draft = create_template(BODY | {"user_prompt_template": prompt}, actor="omar")
    with pytest.raises(Invalid) as refusal:
        publish(draft, actor="omar")
    assert set(refusal.value.fields) == {field} and words in refusal.value.fields[field][0]
    assert PromptTemplate.objects.get().status == "draft"


def test_publishing_names_every_fault(draft: PromptTemplate) -> None:
    examples = [{"input": {"board_id": "z9"}, "output": {"defect": "burnt"}}]
    update_template(draft, {"user_prompt_template": "{{ x }}{{ y }}", "examples": examples}, actor="omar")
    with pytest.raises(Invalid) as refusal:
        publish(draft, actor="omar")
    assert {name: len(words) for name, words in refusal.value.fields.items()} == {
        "user_prompt_template": 2,
        "examples": 2,
    }


def test_a_published_template_is_published_once(published: PromptTemplate) -> None:
    assert published.status == "published"
    with pytest.raises(Conflict, match="duplicate it"):
        publish(published, actor="omar")


def test_copies_count_upwards_from_the_highest_version(published: PromptTemplate) -> None:
    create_template(BODY | {"version": "1.9.3"}, actor="omar")
    create_template(BODY | {"version": "1.10.2"}, actor="omar")
    copy = duplicate(published, actor="rosa")
    assert (copy.version, copy.status, copy.created_by) == ("1.11.0", "draft", "rosa")
    assert copy.examples == published.examples and copy.pk != published.pk


def test_two_who_duplicate_at_once_get_two_versions(published: PromptTemplate) -> None:
    start, versions = Barrier(2), []

    def work() -> None:
        start.wait()
        versions.append(duplicate(published, actor="rosa").version)
        connections.close_all()

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == ["1.1.0", "1.2.0"]


def test_the_newest_published_version_is_found_by_name(published: PromptTemplate) -> None:
    for version in ("1.9.0", "1.10.0"):
        publish(create_template(BODY | {"version": version}, actor="omar"), actor="omar")
    create_template(BODY | {"version": "2.0.0"}, actor="omar")
    assert find_template("Board defects").version == "1.10.0"
    assert find_template("Board defects@2.0.0").status == "draft"
    assert find_template(published.pk) == published


def test_what_is_not_found_is_told_with_what_there_is(published: PromptTemplate) -> None:
    with pytest.raises(NotFound, match="Did you mean 'Board defects'"):
        find_template("Bord defects")
    with pytest.raises(NotFound, match=r"no version 3.0.0; there is 1.0.0 \(published\)"):
        find_template("Board defects@3.0.0")
    archive(published, actor="omar")
    with pytest.raises(NotFound, match=r"no published version; there is 1.0.0 \(archived\)"):
        find_template("Board defects")
