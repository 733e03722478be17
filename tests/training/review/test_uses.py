"""Changing what pairs may be used for: instant, audited, undone like any decision, and never half done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit
from tests.training.review.conftest import Act
from training.models import QAPair, ReviewEvent, ReviewPair, TrainingSheet
from training.review.frames import mark_closed

MANY = "/api/v1/qa-pairs/uses"
NO_TRAINING = {"prohibit": ["training"], "reason": "Contains PHI - HIPAA"}


def audit(lakehouse: Path) -> list[dict[str, Any]]:
    return pl.read_delta(str(lakehouse / "mirion_vital/workbench/usage_constraint_audit")).sort("sequence").to_dicts()


def as_who_may(user: User, *names: str) -> APIClient:
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=user.pk))
    return client


def test_a_change_is_kept_audited_and_undone(waiting: QAPair, act: Act, lakehouse: Path) -> None:
    answer = act(
        waiting, "uses", prohibited_uses=["training"], data_classification="restricted", reason=" HIPAA ", version=1
    )
    shown = answer.json()["pair"]
    assert (shown["status"], shown["version"], shown["prohibited_uses"]) == ("unlabeled", 2, ["training"])
    assert shown["allowed_uses"] == ["validation", "evaluation", "few_shot", "testing"]
    stored = QAPair.objects.get(pk=waiting.pk)
    assert (stored.prohibited_uses, stored.usage_reason, stored.data_classification) == (
        ["training"],
        "HIPAA",
        "restricted",
    )
    assert (stored.reviewed_by, stored.messages) == ("", waiting.messages)
    act(waiting, "undo")
    assert QAPair.objects.get(pk=waiting.pk).allowed_uses == waiting.allowed_uses
    there, back = audit(lakehouse)
    assert (there["qa_pair_id"], there["reason"], there["modified_by"]) == (waiting.pk, "HIPAA", "rosa")
    assert (there["old_prohibited_uses"], there["new_prohibited_uses"]) == ([], ["training"])
    assert (there["old_data_classification"], there["new_data_classification"]) == ("internal", "restricted")
    assert (back["reason"], back["new_prohibited_uses"]) == ("Undone: HIPAA", [])
    assert list(ReviewEvent.objects.order_by("pair_version").values_list("action", "changes")) == [
        ("uses", []),
        ("undo", []),
    ]


def test_twice_is_once_and_a_stale_version_is_told(waiting: QAPair, act: Act) -> None:
    for _ in range(2):
        assert act(waiting, "uses", action_id="one", **NO_TRAINING).status_code == 200
    assert UsageConstraintAudit.objects.count() == 1
    for more in ({"prohibit": ["training", "few_shot"]}, {"reason": "GDPR"}):
        assert act(waiting, "uses", action_id="one", **{**NO_TRAINING, **more}).status_code == 409
    stale = act(waiting, "uses", version=1, reason="x", allow=["training"]).json()["error"]
    assert (stale["code"], stale["details"]["theirs"]["prohibited_uses"]) == ("stale_version", ["training"])
    assert act(waiting, "uses", **NO_TRAINING).json()["error"]["message"].endswith("nothing changes.")


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"prohibited_uses": ["trainig"]}, "prohibited_uses", "Allowed: training, validation"),
        (
            {"allowed_uses": ["testing"], "prohibited_uses": ["testing"]},
            "prohibited_uses",
            "Both allowed and prohibited",
        ),
        ({"prohibit": ["testing"], "reason": " "}, "reason", "Say why"),
        ({"data_classification": "secret"}, "data_classification", "public, internal, confidential, restricted"),
        ({}, "allowed_uses", "Say what changes"),
    ],
)
def test_bad_input_names_its_field_and_changes_nothing(
    waiting: QAPair, act: Act, api: APIClient, body: dict[str, Any], field: str, words: str
) -> None:
    given = {"reason": "HIPAA", **body}
    for refused in (act(waiting, "uses", **given), api.post(MANY, {"ids": [waiting.pk], **given})):
        assert refused.status_code == 400
        assert words in refused.json()["error"]["fields"][field][0]
    assert not UsageConstraintAudit.objects.exists()


def test_only_who_may_changes_uses_or_undoes_such_a_change(waiting: QAPair, act: Act, nils: User, rosa: User) -> None:
    reviewer = as_who_may(nils, "change_qapair", "take_over_reviewpair")
    url = f"/api/v1/qa-pairs/{waiting.pk}"
    assert reviewer.post(f"{url}/uses", NO_TRAINING).status_code == 403
    act(waiting, "uses", **NO_TRAINING)
    refused = reviewer.post(f"{url}/undo", {})
    assert (refused.status_code, "needs the permission" in refused.json()["error"]["message"]) == (403, True)
    assert QAPair.objects.get(pk=waiting.pk).prohibited_uses == ["training"]


def test_what_a_tag_prohibited_only_a_platform_lead_allows(waiting: QAPair, nils: User, api: APIClient) -> None:
    limits = {"prohibited_uses": ["training"], "allowed_uses": ["testing"], "data_classification": "restricted"}
    QAPair.objects.filter(pk=waiting.pk).update(
        tag_prohibited_uses=["training"], usage_reason="table tag PHI", **limits
    )
    scientist, url = as_who_may(nils, "change_uses"), f"/api/v1/qa-pairs/{waiting.pk}/uses"
    for loosening in ({"allow": ["training"]}, {"data_classification": "public"}):
        refused = scientist.post(url, {**loosening, "reason": "I need it"})
        assert (refused.status_code, "platform lead" in refused.json()["error"]["message"]) == (403, True)
    refusals = UsageConstraintAudit.objects.filter(kind="refusal", qa_pair_id=waiting.pk, modified_by="nils")
    assert refusals.count() == 2
    preview = scientist.post(MANY, {"ids": [waiting.pk], "allow": ["training"], "reason": "I need it", "preview": True})
    assert (preview.json()["changed"], preview.json()["refused"][0]["count"]) == (0, 1)
    assert scientist.post(url, {"prohibited_uses": ["few_shot"], "reason": "Not as an example"}).status_code == 200
    assert scientist.post(url, {"allow": ["training"], "reason": "I need it"}).status_code == 403
    assert api.post(url, {"allow": ["training"], "reason": "Consent was given"}).status_code == 200
    stored = QAPair.objects.get(pk=waiting.pk)
    assert ("training" in stored.allowed_uses, stored.tag_prohibited_uses) == (True, [])


def test_many_are_changed_after_a_preview_and_undone_as_one(boards: TrainingSheet, api: APIClient) -> None:
    given = {"filter": {"training_sheet": boards.pk, "status": "labeled"}, **NO_TRAINING}
    preview = api.post(MANY, {**given, "preview": True}).json()
    assert (preview["count"], preview["changed"], preview["batch_id"]) == (10, 10, "")
    assert preview["changes"] == [{"words": "training prohibited", "count": 10}]
    assert not UsageConstraintAudit.objects.exists()
    done = api.post(MANY, given).json()
    assert (done["changed"], UsageConstraintAudit.objects.count()) == (10, 10)
    assert QAPair.objects.of(boards.pk).filter(prohibited_uses__contains=["training"]).count() == 10
    assert api.post(MANY, given).json()["unchanged"] == 10
    assert api.post("/api/v1/qa-pairs/undo-batch", {"batch_id": done["batch_id"]}).json()["done"] == 10
    assert not QAPair.objects.of(boards.pk).filter(prohibited_uses__len__gt=0).exists()


def test_a_change_of_pairs_that_are_not_to_be_seen_changes_nothing(waiting: QAPair, api: APIClient) -> None:
    answer = api.post(MANY, {"ids": [waiting.pk, "nowhere"], **NO_TRAINING})
    assert (
        answer.status_code,
        "1 of 2 do not exist, or you may not see them: nowhere" in answer.json()["error"]["message"],
    ) == (
        404,
        True,
    )
    typo = api.post(MANY, {"filter": {"trainingsheet": "x"}, **NO_TRAINING})
    assert "no filter 'trainingsheet'" in typo.json()["error"]["fields"]["filter"][0]
    wrong = api.post(MANY, {"filter": {"status": "labelled"}, **NO_TRAINING})
    assert "no status 'labelled'" in wrong.json()["error"]["fields"]["filter"][0]
    for empty in ({}, {"filter": {}}, {"ids": []}):
        assert api.post(MANY, {**empty, **NO_TRAINING}).status_code == 400
    told = UsageConstraintAudit.objects.get()
    assert told.kind == "refusal" and "nowhere" in told.reason


def test_a_limit_waits_for_nobody(waiting: QAPair, act: Act, api: APIClient, omar: User) -> None:
    """Whoever has the pair on the screen, and after a model was trained on it."""
    other = APIClient()
    other.force_authenticate(omar)
    other.post(f"/api/v1/qa-pairs/{waiting.pk}/hold", {})
    assert act(waiting, "uses", **NO_TRAINING).json()["pair"]["holder"] == "omar"
    mark_closed(waiting.training_sheet_id)
    assert act(waiting, "uses", allow=["training"], reason="Consent was given").status_code == 200
    assert act(waiting, "approve").status_code == 409


def test_an_approved_pair_gives_its_limits_to_the_label(waiting: QAPair, act: Act) -> None:
    act(waiting, "uses", **NO_TRAINING)
    act(waiting, "approve")
    label = QAPair.objects.select_related("canonical_label").get(pk=waiting.pk).canonical_label
    assert label is not None and (label.prohibited_uses, label.usage_reason) == (["training"], "Contains PHI - HIPAA")


def test_limiting_a_pair_that_was_drafted_meanwhile_keeps_the_draft(waiting: QAPair, act: Act, api: APIClient) -> None:
    """What review knows of the pair is from before, as it is while failed items are asked again."""
    api.get(f"/api/v1/training-sheets/{waiting.training_sheet_id}/queue", {"limit": 50})
    draft = [*waiting.messages[:-1], {"role": "assistant", "content": '{"severity":"minor"}'}]
    QAPair.objects.filter(pk=waiting.pk).update(messages=draft, version=2, updated_at=timezone.now())
    assert act(waiting, "uses", **NO_TRAINING).status_code == 200
    stored, known = QAPair.objects.get(pk=waiting.pk), ReviewPair.objects.get(pk=waiting.pk)
    assert (stored.messages, stored.prohibited_uses, stored.version) == (draft, ["training"], 3)
    assert (known.state["messages"], known.state["prohibited_uses"], known.version) == (draft, ["training"], 3)
    assert act(waiting, "undo").status_code == 200
    assert QAPair.objects.get(pk=waiting.pk).messages == draft
