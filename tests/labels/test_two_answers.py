"""Two answers to an item while somebody decides between them: neither is replaced, and each stays its expert's."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from labels.importing import import_labels
from labels.models import CanonicalLabel, LabelOpinion
from labels.opinions.actions import give_opinion
from labels.opinions.settling import settle
from labels.recording import record_labels
from sheets.models import Sheet
from templates_app.actions import create_template, publish
from templates_app.models import PromptTemplate
from tests.labels.conftest import KEY, Record, as_

LABELS, OPINIONS = "/api/v1/canonical-labels", "/api/v1/label-opinions"


def reviewed(answer: Any, actor: str) -> CanonicalLabel:
    """Write another answer as applying a review does, which looks at no opinions."""
    before = CanonicalLabel.objects.get(**KEY)
    after = CanonicalLabel.objects.get(**KEY)
    after.label_data, after.version, after.last_modified_by = answer, before.version + 1, actor
    record_labels([], [after], before=[before])
    return CanonicalLabel.objects.get(**KEY)


def test_nobody_replaces_an_answer_that_waits_to_be_decided(
    opinion: LabelOpinion, ben: User, api: APIClient, record: Record
) -> None:
    body = {**KEY, "sheet_id": opinion.sheet_id, "label_data": {"defect": "none"}, "version": 1}
    for writer in (as_(ben), as_(User.objects.create_superuser("ana")), api):
        refused = writer.post(LABELS, body, format="json")
        assert (refused.status_code, "two answers that differ, from ana and ben" in refused.content.decode()) == (
            409,
            True,
        )
    assert record(label_data={"defect": "scratch"}, notes="by the left screw", actor="ana").version == 2
    decided = api.post(f"{OPINIONS}/{opinion.pk}/adjudicate", body | {"version": 2}, format="json").json()
    assert (decided["decided_by"], decided["opinions_by"], decided["version"]) == ("rosa", ["ana", "ben"], 3)
    assert (
        api.post(LABELS, body | {"label_data": {"defect": "scratch"}, "version": 3}, format="json").status_code == 200
    )


def test_an_import_leaves_an_answer_that_waits_to_be_decided(opinion: LabelOpinion) -> None:
    line = {**KEY, "label_data": {"defect": "none"}}
    done = import_labels(opinion.sheet, [orjson.dumps(line)], actor="rosa")
    assert (done.counts, CanonicalLabel.objects.get(**KEY).version) == ({"refused": 1}, 1)
    assert "two answers that differ, from ana and ben" in done.refused[0][1]
    noted = line | {"label_data": {"defect": "scratch"}, "notes": "by the left screw"}
    assert import_labels(opinion.sheet, [orjson.dumps(noted)], actor="rosa").counts == {"changed": 1}


def test_both_said_the_same_only_where_the_first_expert_did(opinion: LabelOpinion) -> None:
    label = reviewed({"defect": "none"}, "a reviewer")
    assert (settle(opinion).status, label.opinions_by) == ("waiting", [])


def test_each_answer_is_shown_and_recorded_as_who_gave_it(opinion: LabelOpinion, client: Client, rosa: User) -> None:
    reviewed({"defect": "none"}, "omar")
    address = reverse("adjudicate", args=[opinion.sheet_id, "defect"])
    client.force_login(rosa)
    page = client.get(address).content.decode()
    assert "omar gave the label another answer: defect is “none”, ana&#x27;s “scratch”." in page
    assert page.index(">scratch</") < page.index(">none</")
    posted = {"opinion": opinion.pk, "version": "2", "verb": "save", "choice.defect": "first"}
    assert client.post(address, posted).status_code == 302
    label = CanonicalLabel.objects.get(**KEY)
    assert (label.label_data, label.opinions_by, label.decided_by) == ({"defect": "scratch"}, ["ana", "ben"], "rosa")
    assert label.versions.get(version=3).change_note == "Adjudicated: defect from ana"


@pytest.mark.parametrize(("answer", "whose"), [("scratch", "ana"), ("none", "ben")])
def test_a_decision_by_api_says_from_whom_it_is(opinion: LabelOpinion, api: APIClient, answer: str, whose: str) -> None:
    body = {"label_data": {"defect": answer}, "version": 1}
    api.post(f"{OPINIONS}/{opinion.pk}/adjudicate", body, format="json")
    (_, note) = CanonicalLabel.objects.get().versions.order_by("version").values_list("change_note", flat=True)
    assert note == f"Adjudicated: defect from {whose}"


def test_who_changes_uses_or_notes_is_no_expert_who_answered(
    asked: Sheet, record: Record, api: APIClient, ben: User, omar: User
) -> None:
    change = {"filter": {"sheet": asked.pk}, "prohibit": ["testing"], "reason": "a contract"}
    assert api.post(f"{LABELS}/uses", change, format="json").json()["changed"] == 1
    record(label_data={"defect": "scratch"}, notes="by the left screw", actor="omar")
    body = {**KEY, "sheet_id": asked.pk, "label_data": {"defect": "none"}}
    given = as_(ben).post(OPINIONS, body, format="json").json()
    assert (given["first_author"], given["label_version"]) == ("ana", 3)
    (pair,) = api.get("/api/v1/agreement", {"sheet": asked.pk, "label_type": "defect"}).json()["by_pair"]
    assert (pair["first"], pair["second"]) == ("ana", "ben")
    decided = as_(omar).post(f"{OPINIONS}/{given['id']}/adjudicate", body | {"version": 3}, format="json")
    assert (decided.status_code, decided.json()["opinions_by"]) == (200, ["ana", "ben"])


def test_who_changes_uses_sees_nothing_of_the_answer_and_may_give_an_opinion(asked: Sheet, ben: User) -> None:
    ben.user_permissions.add(Permission.objects.get(codename="change_uses"))
    label = CanonicalLabel.objects.get()
    change = {"prohibit": ["testing"], "reason": "a contract"}
    one = as_(ben).post(f"{LABELS}/{label.pk}/uses", change, format="json")
    assert (one.status_code, one.json()["is_blind"], one.json()["label_data"]) == (200, True, None)
    assert (one.json()["prohibited_uses"], one.json()["labeled_by"], one.json()["last_modified_by"]) == (
        ["testing"],
        "",
        "",
    )
    assert as_(ben).get(f"{LABELS}/{label.pk}").json()["is_blind"] is True
    body = {**KEY, "sheet_id": asked.pk, "label_data": {"defect": "scratch"}}
    given = as_(ben).post(OPINIONS, body, format="json").json()
    assert (given["status"], given["first_author"]) == ("agreed", "ana")


def test_an_answer_under_a_newer_template_can_be_chosen(
    asked: Sheet, template: PromptTemplate, api: APIClient, client: Client, rosa: User
) -> None:
    names = ("name", "label_type", "user_prompt_template", "input_schema")
    newer = {name: getattr(template, name) for name in names} | {"version": "1.1.0"}
    newer["output_schema"] = [{"name": "defect", "type": "string", "enum": ["scratch", "none", "dent"]}]
    published = publish(create_template(newer, actor="omar"), actor="omar")
    opinion = give_opinion(sheet=asked, label_data={"defect": "dent"}, actor="ben", template=published, **KEY)
    client.force_login(rosa)
    address = reverse("adjudicate", args=[asked.pk, "defect"])
    posted = {"opinion": opinion.pk, "version": "1", "verb": "save", "choice.defect": "second"}
    assert client.post(address, posted).status_code == 302
    label = CanonicalLabel.objects.get(**KEY)
    assert (label.label_data, label.template_id, label.version) == ({"defect": "dent"}, published.pk, 2)
