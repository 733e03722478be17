"""Second opinions by the edges people use: asked for, given blind, agreed or decided, and never half done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Barrier
from typing import Any

import polars
import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from labels.actions import record_label
from labels.models import CanonicalLabel, CanonicalLabelVersion, LabelOpinion
from labels.opinions import actions
from labels.opinions.actions import adjudicate, ask_for_opinions, give_opinion
from labels.opinions.due import blind_of_sheet, due_refs
from labels.opinions.reporting import agreement_of, opinions_of
from labels.opinions.rules import is_chosen
from labels.opinions.settling import settle
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from tests.labels.conftest import KEY, WRITERS, Record, as_, at_once
from workbench.problems import Conflict
from workbench.router import LAKEHOUSE


def table(lakehouse: Path, name: str) -> polars.DataFrame:
    return polars.read_delta(str(next(lakehouse.rglob(name))))


@pytest.mark.usefixtures("template")
def test_a_rule_is_for_a_label_type_that_is_there(boards: Sheet, omar: User) -> None:
    asked = {"sheet_id": boards.pk, "label_type": "defekt", "share": 20}
    refused = as_(omar).post("/api/v1/second-opinions", asked, format="json")
    assert refused.status_code == 400 and "Did you mean 'defect'?" in refused.content.decode()
    assert as_(omar).post("/api/v1/second-opinions", asked | {"label_type": "defect"}, format="json").status_code == 200
    PromptTemplate.objects.update(status="archived")
    assert ask_for_opinions(sheet=boards, label_type="defect", share=0, actor="omar").share == 0


@pytest.mark.usefixtures("template")
def test_a_share_chooses_the_same_items_whatever_comes(boards: Sheet) -> None:
    refs = [f"item-{number}" for number in range(1_000)]
    small = ask_for_opinions(sheet=boards, label_type="defect", share=10, actor="omar")
    few = {ref for ref in refs if is_chosen(small, ref)}
    large = ask_for_opinions(sheet=boards, label_type="defect", share=40, actor="omar")
    many = {ref for ref in refs if is_chosen(large, ref)}
    assert (large.pk, few < many) == (small.pk, True)
    assert (60 < len(few) < 140, 340 < len(many) < 460) == (True, True)
    assert few == {ref for ref in reversed(refs) if is_chosen(small, ref)}


@pytest.mark.usefixtures("template")
def test_the_rule_is_set_by_who_may(boards: Sheet, api: APIClient, ben: User) -> None:
    body = {"sheet_id": boards.pk, "label_type": "defect", "share": 20, "tolerance": 0.5}
    assert as_(ben).post("/api/v1/second-opinions", body).status_code == 403
    rule = api.post("/api/v1/second-opinions", body, format="json").json()
    assert (rule["share"], rule["tolerance"], rule["updated_by"]) == (20, 0.5, "rosa")
    refused = api.post("/api/v1/second-opinions", body | {"min_iou": 0}, format="json")
    assert (refused.status_code, "min_iou" in refused.json()["error"]["fields"]) == (400, True)
    assert len(api.get("/api/v1/second-opinions", {"sheet": boards.pk}).json()["results"]) == 1


def test_nothing_of_the_first_answer_is_shown_before_the_second(
    asked: Sheet, record: Record, ben: User, client: Client
) -> None:
    record(item_ref="b2", label_data={"defect": "scratch"}, notes="by the left screw", actor="ana")
    client.force_login(ben)
    page = reverse("label", args=[asked.pk, "defect"])
    shown = client.get(page, {"order": "second"}).content.decode() + client.get(page, {"item": "b2"}).content.decode()
    shown += client.get(page + "item", {"ref": "b2"}).content.decode()
    assert shown.count("Your second opinion") == 3
    assert not [
        word for word in ("by ana", "left screw", "checked", "version&quot;: 1") if word in shown.split("</head>")[1]
    ]
    seen = as_(ben)
    listed = seen.get("/api/v1/canonical-labels").json()["results"]
    assert {(row["is_blind"], row["label_data"], row["labeled_by"], row["notes"]) for row in listed} == {
        (True, None, "", "")
    }
    one = f"/api/v1/canonical-labels/{listed[0]['id']}"
    assert seen.get(one).json()["label_data"] is None
    assert seen.get(f"{one}/versions").status_code == 409
    assert client.get(reverse("label-versions", args=[listed[0]["id"]])).status_code == 302
    body = {**KEY, "sheet_id": asked.pk, "label_data": {"defect": "none"}, "version": 0}
    refused = seen.post("/api/v1/canonical-labels", body, format="json")
    assert (refused.status_code, "scratch" in refused.content.decode()) == (409, False)
    assert seen.get(
        "/api/v1/canonical-labels/ahead", {"sheet": asked.pk, "label_type": "defect", "order": "second"}
    ).json()["stops"] == [{"item_ref": ref, "version": 1, "is_stale": False} for ref in ("a1", "b2")]


@pytest.fixture
def una(db: None) -> User:
    """Of the role that is recommended to experts; she may take the whole record of labels."""
    user = User.objects.create_user("una", is_staff=True)
    user.groups.add(Group.objects.get(name="domain expert"))
    return user


@pytest.mark.parametrize("query", [{}, {"use": "training"}])
def test_an_export_leaves_out_what_waits_for_the_readers_opinion(
    asked: Sheet, record: Record, una: User, query: dict[str, str]
) -> None:
    def exported() -> Any:
        answer = as_(una).get("/api/v1/canonical-labels/export", {"sheet": asked.pk, **query})
        return b"".join(answer.streaming_content) if answer.streaming else answer.json()["error"]["message"]  # type: ignore[attr-defined]

    assert "1 labels: they wait for a second opinion, which may be yours" in exported()
    record(item_ref="b2", label_data={"defect": "scratch"}, actor="una")
    assert [json.loads(line)["item_ref"] for line in exported().splitlines()] == ["b2"]
    give_opinion(sheet=asked, label_data={"defect": "none"}, actor="una", **KEY)
    assert [json.loads(line)["item_ref"] for line in exported().splitlines()] == ["a1", "b2"]


def test_an_import_neither_tells_nor_changes_what_waits_for_the_readers_opinion(
    asked: Sheet, una: User, client: Client, settings: Any, tmp_path: Path
) -> None:
    url = f"/api/v1/canonical-labels/import?sheet={asked.pk}"
    for guess in ("scratch", "none"):
        body = json.dumps({**KEY, "label_data": {"defect": guess}}).encode()
        for more in ("&preview=true", ""):
            done = as_(una).post(url + more, body, content_type="application/jsonl").json()
            assert (done["unchanged"], done["changed"], done["refused"]) == (0, 0, 1)
            assert "a1 waits for a second opinion" in done["refused_lines"][0]["reason"]
    settings.VAR_DIR = tmp_path
    client.force_login(una)
    file = SimpleUploadedFile("labels.jsonl", body)
    page = client.post(reverse("label-import", args=[asked.pk]), {"file": file}).content.decode()
    assert "a1 waits for a second opinion" in page
    assert CanonicalLabel.objects.get().version == 1


def test_of_two_who_answer_at_once_one_is_stored(
    asked: Sheet, default_file: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = Barrier(WRITERS)
    expect_due = actions._expect_due

    def together(*given: Any) -> None:
        expect_due(*given)
        both.wait(10)

    monkeypatch.setattr(actions, "_expect_due", together)

    def give(number: int) -> str:
        try:
            return give_opinion(sheet=asked, label_data={"defect": "none"}, actor=f"expert {number}", **KEY).author
        except Conflict as problem:
            return problem.message

    said = sorted(at_once(give))
    stored = LabelOpinion.objects.get().author
    assert said == [stored, *[f"{stored} gave the second opinion on a1 already: take another item."] * (WRITERS - 1)]


def test_lists_take_two_statements_more_where_opinions_are_asked(asked: Sheet, ben: User) -> None:
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        as_(ben).get("/api/v1/canonical-labels")
    assert len(queries) == 4
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        as_(ben).get("/api/v1/label-opinions")
    assert len(queries) == 1


def test_the_same_answer_closes_itself_and_names_both(asked: Sheet, ben: User, lakehouse: Path) -> None:
    body = {**KEY, "sheet_id": asked.pk, "label_data": {"defect": "scratch"}}
    given = as_(ben).post("/api/v1/label-opinions", body, format="json").json()
    assert (given["status"], given["first_author"]) == ("agreed", "ana")
    row = table(lakehouse, "canonical_labels").row(0, named=True)
    assert (row["opinions_by"], row["decided_by"], row["version"]) == (["ana", "ben"], "", 1)
    again = as_(ben).post("/api/v1/label-opinions", body, format="json").json()
    assert (again["id"], again["status"]) == (given["id"], "agreed")
    assert as_(ben).get(f"/api/v1/canonical-labels/{row['id']}").json()["label_data"] == {"defect": "scratch"}


def test_who_may_not_give_one_is_told_why(asked: Sheet, opinion: LabelOpinion, api: APIClient, nils: User) -> None:
    body = {**KEY, "sheet_id": asked.pk, "label_data": {"defect": "none"}}
    assert as_(nils).post("/api/v1/label-opinions", body, format="json").status_code == 403

    def why(**changes: Any) -> str:
        refused = api.post("/api/v1/label-opinions", {**body, **changes}, format="json")
        assert refused.status_code in (400, 409)
        return str(refused.json()["error"]["message"])

    assert "ben gave the second opinion" in why()
    assert "has no label" in why(item_ref="b2")
    assert "has no item" in why(item_ref="zz")
    assert "scratch" in why(label_data={"defect": "crack"})
    with pytest.raises(Conflict, match="yours"):
        give_opinion(sheet=asked, label_data={"defect": "none"}, actor="ana", **KEY)
    with pytest.raises(Conflict, match="stands"):
        give_opinion(sheet=asked, label_data={"defect": "scratch"}, actor="ben", **KEY)


def test_the_decision_is_a_version_that_names_everybody(opinion: LabelOpinion, api: APIClient, lakehouse: Path) -> None:
    url = f"/api/v1/label-opinions/{opinion.pk}/adjudicate"
    decided = api.post(url, {"label_data": {"defect": "none"}, "version": 1}, format="json").json()
    assert (decided["decided_by"], decided["opinions_by"], decided["version"]) == ("rosa", ["ana", "ben"], 2)
    assert api.post(url, {"label_data": {"defect": "none"}, "version": 1}, format="json").json() == decided
    versions = table(lakehouse, "canonical_label_versions").sort("version")
    assert versions["decided_by"].to_list() == ["", "rosa"]
    assert versions["opinion_id"].to_list() == ["", opinion.pk]
    row = table(lakehouse, "label_opinions").row(0, named=True)
    assert (row["status"], row["decided_by"], row["label_version"]) == ("adjudicated", "rosa", 1)
    exported = b"".join(api.get("/api/v1/canonical-labels/export", {"sheet": opinion.sheet_id}).streaming_content)
    assert b'"decided_by":"rosa"' in exported


def test_of_two_who_decide_at_once_the_second_sees_both(opinion: LabelOpinion, api: APIClient, omar: User) -> None:
    url = f"/api/v1/label-opinions/{opinion.pk}/adjudicate"
    api.post(url, {"label_data": {"defect": "none"}, "version": 1}, format="json")
    late = as_(omar).post(url, {"label_data": {"defect": "scratch"}, "version": 1}, format="json")
    details = late.json()["error"]["details"]
    assert (late.status_code, late.json()["error"]["code"]) == (409, "stale_version")
    assert (details["theirs"]["label_data"], details["mine"]) == ({"defect": "none"}, {"defect": "scratch"})
    closed = as_(omar).post(url, {"label_data": {"defect": "scratch"}, "version": 2}, format="json")
    assert (closed.status_code, "decided already: by rosa" in closed.json()["error"]["message"]) == (409, True)


def test_nobody_decides_about_an_answer_of_their_own(opinion: LabelOpinion, ben: User) -> None:
    ben.user_permissions.add(Permission.objects.get(codename="change_labelopinion"))
    url = f"/api/v1/label-opinions/{opinion.pk}/adjudicate"
    refused = as_(ben).post(url, {"label_data": {"defect": "none"}, "version": 1}, format="json")
    assert (refused.status_code, "One of both answers is yours" in refused.json()["error"]["message"]) == (403, True)


def test_what_is_recorded_later_is_nobodys_decision(opinion: LabelOpinion, record: Record) -> None:
    adjudicate(opinion, label_data={"defect": "none"}, actor="rosa", seen_version=1)
    kept = record(label_data={"defect": "none"}, notes="seen again", actor="omar")
    assert (kept.version, kept.decided_by) == (3, "rosa")
    changed = record(label_data={"defect": "scratch"}, actor="omar")
    assert (changed.decided_by, changed.opinions_by, changed.opinion_id) == ("", [], "")


class Killed(BaseException):
    """The process is gone."""


def killed_before(statement: int, act: Callable[[], Any]) -> bool:
    """Run until before the so-manyth statement that writes; return whether that came."""
    left = [statement]

    def kill(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith("SELECT"):
            left[0] -= 1
            if not left[0]:
                raise Killed
        return execute(sql, params, many, context)

    try:
        with connections[LAKEHOUSE].execute_wrapper(kill):
            act()
    except Killed:
        return True
    return False


def test_killed_between_any_two_steps_of_deciding(opinion: LabelOpinion) -> None:
    def decide() -> None:
        seen = LabelOpinion.objects.select_related("sheet").get(pk=opinion.pk)
        adjudicate(seen, label_data={"defect": "none"}, actor="rosa", seen_version=1)

    deaths = 0
    while killed_before(1 if deaths < 2 else 9, decide):
        deaths += 1
    statement = 1
    while killed_before(statement, decide):
        statement += 1
    stored = LabelOpinion.objects.get()
    label = CanonicalLabel.objects.get()
    assert (stored.status, stored.decided_by, label.version, label.decided_by) == ("adjudicated", "rosa", 2, "rosa")
    assert [row.decided_by for row in CanonicalLabelVersion.objects.order_by("version")] == ["", "rosa"]


def test_a_decision_whose_process_died_is_found_by_the_next(opinion: LabelOpinion, record: Record) -> None:
    decided = {"label_data": {"defect": "none"}, "actor": "rosa", "seen_version": 1}
    assert killed_before(3, lambda: adjudicate(opinion, **decided))
    assert LabelOpinion.objects.get().status == "waiting"
    record(label_data={"defect": "scratch"}, actor="omar")
    found = settle(LabelOpinion.objects.select_related("sheet").get())
    assert (found.status, found.decided_by) == ("adjudicated", "rosa")


def test_an_agreement_whose_process_died_is_found_by_the_next(asked: Sheet) -> None:
    def give() -> LabelOpinion:
        return give_opinion(sheet=asked, label_data={"defect": "scratch"}, actor="ben", **KEY)

    for statement in (1, 2, 2):
        assert killed_before(statement, give)
    assert give().status == "agreed"
    assert LabelOpinion.objects.count() == 1


def test_agreement_by_field_and_pair(
    asked: Sheet, opinion: LabelOpinion, record: Record, template: PromptTemplate, api: APIClient
) -> None:
    record(item_ref="b2", label_data={"defect": "none"}, actor="ana", template=template)
    give_opinion(sheet=asked, item_ref="b2", label_type="defect", label_data={"defect": "none"}, actor="ben")
    adjudicate(opinion, label_data={"defect": "none"}, actor="rosa", seen_version=1)
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        found = api.get("/api/v1/agreement", {"sheet": asked.pk, "label_type": "defect"}).json()
    assert len(queries) <= 4
    assert (found["items"], found["same_items"], found["percent"], found["waiting"]) == (2, 1, 50.0, 0)
    (field,) = found["by_field"]
    assert (field["name"], field["kind"], field["places"], field["same"], field["kappa"]) == (
        "defect", "category", 2, 1, 0.0,
    )  # fmt: skip
    assert [(pair["first"], pair["second"], pair["percent"]) for pair in found["by_pair"]] == [("ana", "ben", 50.0)]
    assert [(each["item_ref"], each["differs_in"], each["decided_by"]) for each in found["differing"]] == [
        ("a1", ["defect"], "rosa")
    ]


def test_a_hidden_sheet_answers_nothing(asked: Sheet, opinion: LabelOpinion, rosa: User, omar: User) -> None:
    as_(omar).post(f"/api/v1/sheets/{asked.pk}/grants", {"grants": [{"user": "omar"}]}, format="json")
    seen = as_(User.objects.get(pk=rosa.pk))
    assert seen.get("/api/v1/agreement", {"sheet": asked.pk, "label_type": "defect"}).status_code in (400, 404)
    assert seen.get("/api/v1/label-opinions").json()["results"] == []
    assert seen.get(f"/api/v1/label-opinions/{opinion.pk}").status_code == 404


def test_a_label_from_review_is_a_first_opinion_too(boards: Sheet, template: PromptTemplate) -> None:
    ask_for_opinions(sheet=boards, label_type="defect", share=100, actor="omar")
    record_label(sheet=boards, label_data={"defect": "none"}, actor="a reviewer", template=template, **KEY)
    given = give_opinion(sheet=boards, label_data={"defect": "none"}, actor="ben", **KEY)
    assert (given.first_author, given.status) == ("a reviewer", "agreed")


def test_an_opinion_stays_the_items_when_its_label_is_taken_back_and_given_anew(
    opinion: LabelOpinion, record: Record, template: PromptTemplate, client: Client, rosa: User, nils: User
) -> None:
    address = reverse("adjudicate", args=[opinion.sheet_id, "defect"])
    CanonicalLabel.objects.filter(item_ref="a1")._raw_delete(LAKEHOUSE)
    client.force_login(rosa)
    assert "<b>0</b> to decide" in client.get(address).content.decode()
    assert opinions_of([opinion.sheet_id], actor="omar")[opinion.sheet_id, "defect"] == (1, 0)
    assert agreement_of(opinion.sheet, "defect").waiting == 0
    record(label_data={"defect": "scratch"}, actor="ana", template=template)
    assert due_refs(opinion.sheet, "defect", ["a1"], actor="cara") == set()
    assert blind_of_sheet(opinion.sheet, nils) == set()
    assert "<b>1</b> to decide" in client.get(address).content.decode()
    assert opinions_of([opinion.sheet_id], actor="omar")[opinion.sheet_id, "defect"] == (1, 1)


def test_the_screen_says_what_is_missing_and_who_was_faster(
    opinion: LabelOpinion, client: Client, rosa: User, nils: User
) -> None:
    address = reverse("adjudicate", args=[opinion.sheet_id, "defect"])
    posted = {"opinion": opinion.pk, "version": "1", "verb": "save"}
    client.force_login(nils)
    assert client.post(address, posted | {"choice.defect": "second"}).status_code == 403
    client.force_login(rosa)
    page = client.get(address).content.decode()
    assert [word for word in ("ana", "ben", "scratch", "none", "1 field differs") if word not in page] == []
    refused = client.post(address, posted)
    assert (refused.status_code, "Choose the first, the second" in refused.content.decode()) == (400, True)
    unfit = client.post(address, posted | {"choice.defect": "other", "other.defect": '"crack"'})
    assert (unfit.status_code, "crack" in unfit.content.decode()) == (400, True)
    assert client.post(address, posted | {"verb": "skip"}).headers["Location"].endswith(f"after={opinion.pk}")
    adjudicate(opinion, label_data={"defect": "none"}, actor="omar", seen_version=1)
    late = client.post(address, posted | {"choice.defect": "first"})
    said = "Theirs differs from yours: defect is “none”, yours “scratch”."
    assert (late.status_code, said in late.content.decode()) == (409, True)
    agreement = client.get(reverse("agreement", args=[opinion.sheet_id, "defect"])).content.decode()
    assert "by omar" in agreement
