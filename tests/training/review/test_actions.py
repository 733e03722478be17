"""What each verb does to pair, label and events, as an independent reader of the Delta tables sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.contrib.auth.models import Permission, User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from labels.models import CanonicalLabel, CanonicalLabelVersion
from templates_app.models import PromptTemplate
from tests.training.review.conftest import Act
from training.chat import assistant_answer
from training.models import QAPair, ReviewAction, ReviewEvent, ReviewPair
from training.review.applying import apply_waiting
from workbench.router import LAKEHOUSE

OTHER = {"minor": "major", "major": "critical", "critical": "minor", "none": "minor"}


def rows(lakehouse: Path, table: str) -> list[dict[str, Any]]:
    return pl.read_delta(str(lakehouse / "mirion_vital/workbench" / table)).to_dicts()


def answer_of(pair: QAPair) -> dict[str, Any]:
    return dict(json.loads(assistant_answer(pair.messages) or "{}"))


def test_approving_writes_the_label_and_links_it(waiting: QAPair, act: Act, lakehouse: Path) -> None:
    response = act(waiting, "approve", notes="as on the board", confidence="medium")
    assert (response.status_code, response.json()["pair"]["status"]) == (200, "labeled")
    pair = next(row for row in rows(lakehouse, "qa_pairs") if row["id"] == waiting.pk)
    label = next(row for row in rows(lakehouse, "canonical_labels") if row["item_ref"] == waiting.item_ref)
    assert (pair["status"], pair["reviewed_by"], pair["version"]) == ("labeled", "rosa", 2)
    assert (pair["canonical_label_id"], pair["canonical_label_version"]) == (label["id"], 1)
    assert json.loads(label["label_data"]) == answer_of(waiting)
    assert (label["confidence"], label["notes"], label["item_hash"]) == (
        "medium",
        "as on the board",
        waiting.item_hash,
    )
    assert label["output_schema"]
    events = rows(lakehouse, "review_events")
    assert [(e["action"], e["old_status"], e["new_status"], e["actor"]) for e in events] == [
        ("approve", "unlabeled", "labeled", "rosa")
    ]


def test_an_edit_keeps_what_changed_by_field(waiting: QAPair, act: Act) -> None:
    old = answer_of(waiting)
    act(waiting, "edit", answer={**old, "severity": OTHER[old["severity"]]})
    event = ReviewEvent.objects.get()
    assert event.changes == [
        {"field_path": "severity", "old_value": old["severity"], "new_value": OTHER[old["severity"]]}
    ]
    assert answer_of(QAPair.objects.get(pk=waiting.pk))["severity"] == OTHER[old["severity"]]
    assert CanonicalLabel.objects.get(item_ref=waiting.item_ref).label_data["severity"] == OTHER[old["severity"]]


def test_an_edit_of_a_conversation_changes_its_last_message_alone(waiting: QAPair, act: Act, lakehouse: Path) -> None:
    part = {"type": "object", "properties": {"name": {"type": "string"}, "defects": {"type": "array"}}}
    schema = {"type": "object", "properties": {"parts": {"type": "array", "items": part}}}
    PromptTemplate.objects.filter(pk=waiting.training_sheet.template_id).update(output_schema=schema)
    old = {"parts": [{"name": "C1", "defects": ["scratch"]}, {"name": "C2", "defects": []}]}
    said = ["system", "user", "assistant", "user", "assistant"]
    messages = [{"role": role, "content": json.dumps(old)} for role in said]
    QAPair.objects.filter(pk=waiting.pk).update(messages=messages)
    new = {"parts": [{"name": "C1", "defects": ["scratch", "burn"]}, {"name": "C7", "defects": []}]}
    changed = act(waiting, "edit", answer=new)
    assert [tuple(change.values()) for change in changed.json()["action"]["changes"]] == [
        ("parts[0].defects[1]", None, "burn", "add"),
        ("parts[1].name", "C2", "C7"),
    ]
    pair = next(row for row in rows(lakehouse, "qa_pairs") if row["id"] == waiting.pk)
    assert json.loads(pair["messages"])[:-1] == messages[:-1]
    assert json.loads(json.loads(pair["messages"])[-1]["content"]) == new
    label = next(row for row in rows(lakehouse, "canonical_labels") if row["item_ref"] == waiting.item_ref)
    assert json.loads(label["output_schema"])["properties"]["parts"]["items"] == part


def test_deciding_asks_the_default_database_a_few_times(waiting: QAPair, act: Act, settings: Any) -> None:
    settings.REVIEW_APPLY = "worker"
    act(waiting, "flag", reason="look again")
    with CaptureQueriesContext(connections["default"]) as asked, CaptureQueriesContext(connections[LAKEHOUSE]) as read:
        assert act(waiting, "approve").status_code == 200
    # Where it lies; in a transaction pair, closed, pair, action; after the answer whether the worker was told.
    assert (len(asked), len(read)) == (8, 0), [query["sql"][:80] for query in asked]


def test_editing_an_approved_pair_is_the_next_version_of_its_label(waiting: QAPair, act: Act) -> None:
    act(waiting, "approve")
    old = answer_of(waiting)
    act(waiting, "edit", answer={**old, "severity": OTHER[old["severity"]]})
    label = CanonicalLabel.objects.get(item_ref=waiting.item_ref)
    versions = CanonicalLabelVersion.objects.filter(canonical_label=label).order_by("version")
    assert label.version == 2
    assert [version.label_data["severity"] for version in versions] == [old["severity"], OTHER[old["severity"]]]
    assert QAPair.objects.get(pk=waiting.pk).canonical_label_version == 2


@pytest.mark.parametrize(("verb", "status"), [("reject", "rejected"), ("flag", "flagged")])
def test_reject_and_flag_take_a_reason(waiting: QAPair, act: Act, verb: str, status: str) -> None:
    refused = act(waiting, verb)
    assert (refused.status_code, "Say why" in refused.json()["error"]["message"]) == (400, True)
    assert act(waiting, verb, reason="unreadable").json()["pair"]["status"] == status
    pair = QAPair.objects.get(pk=waiting.pk)
    assert (pair.status, pair.review_notes, pair.reviewed_by) == (status, "unreadable", "rosa")
    assert not CanonicalLabel.objects.filter(item_ref=waiting.item_ref).exists()


def test_undo_takes_back_an_approval_with_its_label(waiting: QAPair, act: Act) -> None:
    act(waiting, "approve")
    assert act(waiting, "undo").json()["pair"]["status"] == "unlabeled"
    pair = QAPair.objects.get(pk=waiting.pk)
    assert (pair.status, pair.reviewed_by, pair.canonical_label_id, pair.version) == ("unlabeled", "", None, 3)
    assert not CanonicalLabel.objects.filter(item_ref=waiting.item_ref).exists()
    assert [event.action for event in ReviewEvent.objects.order_by("pair_version")] == ["approve", "undo"]
    assert act(waiting, "undo").status_code == 409


def test_undo_of_an_edit_restores_the_label_as_a_new_version(waiting: QAPair, act: Act) -> None:
    act(waiting, "approve")
    old = answer_of(waiting)
    act(waiting, "edit", answer={**old, "severity": OTHER[old["severity"]]})
    act(waiting, "undo")
    label = CanonicalLabel.objects.get(item_ref=waiting.item_ref)
    assert (label.version, label.label_data) == (3, old)
    pair = QAPair.objects.get(pk=waiting.pk)
    assert (pair.status, answer_of(pair), pair.canonical_label_version) == ("labeled", old, 3)


def test_undo_of_an_edit_brings_back_who_decided_on_the_answer(waiting: QAPair, act: Act) -> None:
    act(waiting, "approve")
    rests = {"decided_by": "lee", "opinion_id": "one", "opinions_by": ["ana", "bob"]}
    CanonicalLabel.objects.filter(item_ref=waiting.item_ref).update(**rests)
    old = answer_of(waiting)
    seen = []
    for verb, body in (("edit", {"answer": {**old, "severity": OTHER[old["severity"]]}}), ("undo", {})):
        act(waiting, verb, **body)
        seen.append(CanonicalLabel.objects.values(*rests).get(item_ref=waiting.item_ref))
    assert seen == [{"decided_by": "", "opinion_id": "", "opinions_by": []}, rests]


def test_an_undo_may_say_of_what(waiting: QAPair, act: Act) -> None:
    act(waiting, "approve", action_id="a1")
    act(waiting, "flag", reason="look again", action_id="a2")
    refused = act(waiting, "undo", undoes="a1")
    assert (refused.status_code, refused.json()["error"]["message"]) == (
        409, "The pair has changed since: flag by rosa comes first.",
    )  # fmt: skip
    assert act(waiting, "undo", undoes="a2").json()["pair"]["status"] == "labeled"


def test_what_is_not_allowed_says_from_what_to_what(waiting: QAPair, act: Act) -> None:
    act(waiting, "reject", reason="unreadable")
    refused = act(waiting, "approve")
    assert refused.status_code == 409
    assert refused.json()["error"]["message"] == (
        "The pair is rejected, and approve leads from unlabeled or flagged to labeled. Reopen it first."
    )
    act(waiting, "reopen")
    assert act(waiting, "approve").status_code == 200


def test_an_empty_answer_cannot_be_approved(waiting: QAPair, act: Act) -> None:
    empty = [*waiting.messages[:-1], {"role": "assistant", "content": " "}]
    QAPair.objects.filter(pk=waiting.pk).update(messages=empty)
    refused = act(waiting, "approve")
    assert (refused.status_code, "empty" in refused.json()["error"]["fields"]["answer"][0]) == (400, True)


def test_an_answer_that_does_not_fit_is_refused_by_field(waiting: QAPair, act: Act) -> None:
    refused = act(waiting, "edit", answer={"nothing": "fits"})
    assert refused.status_code == 400
    assert refused.json()["error"]["fields"]["answer"]
    assert not ReviewAction.objects.exists()


def test_the_same_action_twice_happens_once(waiting: QAPair, act: Act) -> None:
    first, second = (act(waiting, "approve", action_id="a1", version=1) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert ReviewEvent.objects.count() == ReviewAction.objects.count() == 1
    assert act(waiting, "reopen", action_id="a1").status_code == 409


@pytest.mark.parametrize("verb", ["edit", "reject", "flag"])
def test_an_action_id_that_says_something_else_is_refused(waiting: QAPair, act: Act, verb: str) -> None:
    """What was acknowledged is kept: a second answer, reason, note or confidence is not dropped unseen."""
    first = {"answer": answer_of(waiting)} if verb == "edit" else {"reason": "unreadable"}
    other = {"answer": {**answer_of(waiting), "severity": "major"}} if verb == "edit" else {"reason": "blurred"}
    for body in (first, {**first, "version": 1}):
        assert act(waiting, verb, action_id="a1", **body).status_code == 200
    for body in (other, {**first, "notes": "seen again"}, {**first, "confidence": "low"}):
        refused = act(waiting, verb, action_id="a1", **body)
        assert (refused.status_code, "said something else" in refused.json()["error"]["message"]) == (409, True)
    assert act(waiting, "undo", action_id="a2", undoes="a1").status_code == 200
    assert act(waiting, "undo", action_id="a2").status_code == 200
    assert act(waiting, "undo", action_id="a2", undoes="a0").status_code == 409
    assert ReviewAction.objects.count() == 2


def test_a_stale_version_is_told_with_base_theirs_and_mine(waiting: QAPair, act: Act) -> None:
    act(waiting, "approve", version=1)
    act(waiting, "flag", version=2, reason="look again")
    stale = act(waiting, "edit", version=2, answer=answer_of(waiting))
    error = stale.json()["error"]
    assert (stale.status_code, error["code"]) == (409, "stale_version")
    assert (error["details"]["base"]["status"], error["details"]["theirs"]["status"]) == ("labeled", "flagged")
    assert error["details"]["mine"]["answer"] == answer_of(waiting)


def test_only_who_may_take_over_undoes_what_another_did(waiting: QAPair, act: Act, rosa: User) -> None:
    act(waiting, "approve")
    ReviewAction.objects.update(actor="ana")
    right = Permission.objects.get(codename="take_over_reviewpair")
    for give, status in ((rosa.user_permissions.remove, 403), (rosa.user_permissions.add, 200)):
        give(right)
        client = APIClient()
        client.force_authenticate(User.objects.get(pk=rosa.pk))  # without the rights that are remembered
        assert client.post(f"/api/v1/qa-pairs/{waiting.pk}/undo", {}).status_code == status


def test_a_refused_undo_offers_only_what_can_be_done(waiting: QAPair, act: Act) -> None:
    right = Permission.objects.get(codename="take_over_reviewpair")
    User.objects.get(username="rosa").user_permissions.remove(right)
    bela = APIClient()
    bela.force_authenticate(User.objects.get(username="rosa"))
    said = []
    for verb in ("flag", "reopen"):
        act(waiting, verb, reason="look again")
        ReviewAction.objects.update(actor="ana")
        said.append(bela.post(f"/api/v1/qa-pairs/{waiting.pk}/undo", {}).json()["error"]["message"])
    assert said == [
        "The latest action is flag by ana, who may undo it: reopen it instead.",
        "The latest action is reopen by ana, who may undo it.",
    ]


@pytest.mark.parametrize("apply", ["inline", "worker"])
def test_a_label_that_stands_after_a_rejection_is_said(
    waiting: QAPair, act: Act, client: Client, rosa: User, settings: Any, apply: str
) -> None:
    settings.REVIEW_APPLY = apply
    client.force_login(rosa)
    page = f"/review/{waiting.training_sheet_id}/"
    stands = []
    for verb in ("approve", "reopen", "reject", "reopen"):
        stands.append(act(waiting, verb, reason="Not an item of this task").json()["action"]["label_stands"])
    stands.append("Its canonical label stands" in client.get(page, {"pair": waiting.pk}).content.decode())
    answer = {"pair_id": waiting.pk, "verb": "reject", "reason": "Not an item of this task"}
    stands.append("Its canonical label stands." in client.post(page, answer, follow=True).content.decode())
    for _ in range(5):
        stands.append(act(waiting, "undo").json()["action"]["label_stands"])
    assert stands == [False, True, True, True, True, True, True, True, True, False, False]


def test_a_pre_approved_pair_that_is_rejected_keeps_the_label_it_was_made_from(boards: Any, act: Act) -> None:
    pair = QAPair.objects.filter(labeling_mode="canonical", status="labeled")[0]
    for verb in ("flag", "reject"):
        assert act(pair, verb, reason="The source is wrong").json()["action"]["label_stands"]


def test_a_batch_is_undone_as_one(waiting: QAPair, api: APIClient, act: Act) -> None:
    pairs = list(QAPair.objects.filter(status="unlabeled")[:3])
    actions = [{"pair_id": pair.pk, "action": "reject", "reason": "old"} for pair in pairs]
    batch = api.post("/api/v1/qa-pairs/review", {"actions": actions}).json()["batch_id"]
    act(pairs[0], "reopen")
    undone = api.post("/api/v1/qa-pairs/undo-batch", {"batch_id": batch}).json()
    assert (undone["done"], [each["pair_id"] for each in undone["refused"]]) == (2, [pairs[0].pk])
    assert not QAPair.objects.filter(status="rejected").exists()
    assert api.post("/api/v1/qa-pairs/undo-batch", {"batch_id": "none"}).status_code == 404


def test_a_batch_is_one_persons(waiting: QAPair, api: APIClient, omar: User) -> None:
    mine, theirs = QAPair.objects.filter(status="unlabeled")[:2]
    omars = APIClient()
    omars.force_authenticate(omar)
    codes = []
    for client, pair in ((api, mine), (omars, theirs), (api, theirs)):
        actions = [{"pair_id": pair.pk, "action": "flag", "reason": "old"}]
        answer = client.post("/api/v1/qa-pairs/review", {"actions": actions, "batch_id": "monday"})
        codes.append((answer.status_code, "by rosa" in answer.content.decode()))
    assert codes == [(200, False), (409, True), (200, False)]
    many = {"ids": [theirs.pk], "prohibit": ["training"], "reason": "PHI", "batch_id": "monday", "preview": False}
    assert omars.post("/api/v1/qa-pairs/uses", many).status_code == 409


def test_a_decision_comes_after_what_something_else_wrote(waiting: QAPair, act: Act, settings: Any) -> None:
    settings.REVIEW_APPLY = "worker"
    act(waiting, "approve")
    act(waiting, "flag", reason="look again")
    QAPair.objects.filter(pk=waiting.pk).update(version=2, model="asked again")
    assert apply_waiting(waiting.training_sheet_id) == 2
    pair, known = QAPair.objects.get(pk=waiting.pk), ReviewPair.objects.get()
    assert (pair.status, pair.version, pair.model, known.version) == ("flagged", 4, "asked again", 4)
    assert [event.pair_version for event in ReviewEvent.objects.order_by("pair_version")] == [3, 4]


def test_undo_leaves_a_label_that_another_pair_was_made_from(waiting: QAPair, act: Act) -> None:
    act(waiting, "approve")
    label = CanonicalLabel.objects.get(item_ref=waiting.item_ref)
    other = QAPair.objects.exclude(pk=waiting.pk)[0]
    QAPair.objects.filter(pk=other.pk).update(canonical_label_id=label.pk, canonical_label_version=1)
    act(waiting, "undo")
    assert CanonicalLabel.objects.filter(pk=label.pk).exists()
    assert QAPair.objects.get(pk=waiting.pk).canonical_label_id is None


def test_an_older_label_marks_the_pairs_made_from_it(waiting: QAPair, act: Act) -> None:
    label = CanonicalLabel.objects.all()[0]
    CanonicalLabel.objects.filter(pk=label.pk).update(version=label.version + 1)
    (older,) = QAPair.objects.from_older_labels()
    assert (older.canonical_label_id, older.is_from_older_label) == (label.pk, True)


def test_a_skipped_pair_comes_later(waiting: QAPair, api: APIClient) -> None:
    url = f"/api/v1/training-sheets/{waiting.training_sheet_id}/queue/claim"
    first = api.post(url, {}).json()["pair"]["id"]
    assert api.post(url, {}).json()["pair"]["id"] == first
    assert api.post(url, {"skip": [first]}).json()["pair"]["id"] not in (first, None)


def test_who_may_not_review_is_refused(waiting: QAPair, nils: Any) -> None:
    client = APIClient()
    client.force_authenticate(nils)
    assert client.post(f"/api/v1/qa-pairs/{waiting.pk}/approve", {}).status_code == 403
    assert not ReviewPair.objects.exists()


def test_a_training_sheet_is_approved_when_nothing_waits(waiting: QAPair, api: APIClient) -> None:
    pairs = QAPair.objects.filter(status="unlabeled")
    actions = [{"pair_id": pair.pk, "action": "reject", "reason": "old"} for pair in pairs]
    answer = api.post("/api/v1/qa-pairs/review", {"actions": actions}).json()
    assert (answer["done"], answer["refused"]) == (40, [])
    waiting.training_sheet.refresh_from_db()
    assert waiting.training_sheet.status == "approved"


def test_a_dry_run_says_what_would_happen_and_changes_nothing(waiting: QAPair, api: APIClient, act: Act) -> None:
    done = QAPair.objects.filter(status="labeled")[0]
    actions = [{"pair_id": pair.pk, "action": "approve"} for pair in (waiting, done)]
    answer = api.post("/api/v1/qa-pairs/review", {"actions": actions, "dry_run": True}).json()
    assert (answer["done"], [refusal["pair_id"] for refusal in answer["refused"]]) == (1, [done.pk])
    assert not ReviewAction.objects.exists()
    assert QAPair.objects.get(pk=waiting.pk).status == "unlabeled"


def test_a_confidence_that_nobody_says_is_the_labels_or_high(waiting: QAPair, act: Act) -> None:
    said = []
    for confidence in ({}, {"confidence": "low"}, {}):
        act(waiting, "approve", **confidence)
        said.append(CanonicalLabel.objects.get(item_ref=waiting.item_ref).confidence)
        act(waiting, "reopen")
    assert said == ["high", "low", "low"]


def test_events_are_listed_by_time_also_where_many_share_one(
    boards: Any, act: Act, api: APIClient, client: Any
) -> None:
    pairs = list(QAPair.objects.filter(status="unlabeled").order_by("position")[:9])
    for pair in pairs:
        act(pair, "reject", reason="Not sure")
    shared = ReviewEvent.objects.get(qa_pair=pairs[3]).created_at
    ReviewEvent.objects.filter(qa_pair__in=pairs[3:7]).update(created_at=shared)
    names = [pair.item_ref for pair in reversed(pairs)]
    url, seen = "/api/v1/review-events?page_size=2", []
    while url:
        page = api.get(url).json()
        seen += [event["qa_pair_id"] for event in page["results"]]
        url = page["next"]
    assert seen[:2] == [pairs[8].pk, pairs[7].pk] and seen[6:] == [pair.pk for pair in pairs[2::-1]]
    assert sorted(seen) == sorted(pair.pk for pair in pairs)
    client.force_login(User.objects.get(username="rosa"))
    listed = client.get("/admin/training/reviewevent/").context["cl"].result_list
    shown = [event.qa_pair.item_ref for event in listed]
    assert shown[:2] + shown[6:] == names[:2] + names[6:]
    assert api.get("/api/v1/review-events", {"cursor": "cD14"}).status_code == 400
