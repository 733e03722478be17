"""Conversations of a training sheet: what an export would leave out is left out, and reviewed is what a person reviewed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from tests.seeded import boards, seeded
from training.actions.generate import generate
from training.models import Conversation, QAPair, TrainingSheet
from training.review.applying import waiting

__all__ = ["boards", "seeded"]
FILES = "/api/v1/training-files"


def made(api: APIClient, sheet: TrainingSheet, **more: Any) -> Any:
    return api.post("/api/v1/conversations/from-training-sheet", {"training_sheet": sheet.pk, **more})


@pytest.fixture
def approved(boards: TrainingSheet) -> TrainingSheet:
    TrainingSheet.objects.filter(pk=boards.pk).update(status="approved")
    return boards


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ([{"role": "user", "content": ""}], "messages[0].content: found empty text"),
        ([{"role": "user", "content": "  "}], "messages[0].content: found empty text"),
        ([], "messages[0].role: found assistant; expected user"),
    ],
)
def test_a_pair_that_an_export_leaves_out_is_left_out(
    approved: TrainingSheet, api: APIClient, question: list[Any], words: str
) -> None:
    pair = QAPair.objects.of(approved.pk).filter(status="labeled")[0]
    QAPair.objects.filter(pk=pair.pk).update(messages=[*question, pair.messages[-1]])
    answer = made(api, approved)
    assert answer.status_code == 201, answer.content
    exported = api.get(f"/api/v1/training-sheets/{approved.pk}/export/summary").json()
    assert answer.json()["exported"] == exported["exported"] == 9
    (flaw,) = [each for each in answer.json()["exclusions"] if each["rule"] == "chat"]
    assert words in flaw["reason"] and flaw["reason"] in [each["reason"] for each in exported["exclusions"]]
    assert not Conversation.objects.filter(qa_pair_id=pair.pk).exists()


def test_the_score_of_a_pair_is_a_tenth_of_that_of_its_conversation(approved: TrainingSheet, api: APIClient) -> None:
    QAPair.objects.of(approved.pk).update(quality_score=0.95)
    assert made(api, approved).status_code == 201
    scores = set(Conversation.objects.values_list("quality_score", "quality_tier"))
    assert scores == {(9.5, "seed_dataset")}


def test_a_key_that_is_given_alone_names_itself_and_a_misspelled_one_is_refused(
    approved: TrainingSheet, api: APIClient
) -> None:
    refused = made(api, approved, scaffolding={"persona": "x"})
    assert refused.status_code == 400 and "persona_key" in refused.json()["error"]["fields"]["scaffolding.persona"][0]
    assert made(api, approved, scaffolding={"persona_key": "careful_tester"}).status_code == 201
    names = set(Conversation.objects.values_list("persona_key", "persona_name", "training_topic_key"))
    assert names == {("careful_tester", "careful tester", approved.template.label_type)}


def test_only_what_a_person_reviewed_is_called_so(boards: TrainingSheet, api: APIClient, create: Any) -> None:
    trusted = generate(
        sheet=Sheet.objects.get(pk=boards.sheet_id),
        template=PromptTemplate.objects.get(pk=boards.template_id),
        actor="omar",
        mode="existing_column",
        config={"response_column": "aoi_result", "trusted": True},
    )
    assert made(api, trusted).json()["exported"] == 50
    by_nobody = QAPair.objects.of(trusted.pk).filter(reviewed_by="").values_list("pk", flat=True)
    found = {each.qa_pair_id: each for each in Conversation.objects.all()}
    assert {key for key, each in found.items() if not each.human_reviewed_pairs} == set(by_nobody)
    row = create("trusted", [each.pk for each in found.values()]).json()["trainingFile"]
    assert (row["human_reviewed_count"], row["human_reviewed_percentage"]) == (10, 20)


def test_decisions_that_wait_are_applied_before_the_status_is_asked(
    boards: TrainingSheet, api: APIClient, settings: Any
) -> None:
    pairs = QAPair.objects.of(boards.pk)
    last = pairs.filter(status="unlabeled", misfits__len=0, error="")[0]
    pairs.exclude(pk=last.pk).update(status="labeled")
    settings.REVIEW_APPLY = "worker"
    assert api.post(f"/api/v1/qa-pairs/{last.pk}/approve", {}).status_code == 200
    assert waiting().actions == 1
    answer = made(api, boards)
    assert answer.status_code == 201, answer.content
    assert waiting().actions == 0 and Conversation.objects.filter(qa_pair_id=last.pk).exists()


def test_where_no_pair_may_leave_nothing_is_made(approved: TrainingSheet, api: APIClient) -> None:
    QAPair.objects.of(approved.pk).update(prohibited_uses=["training"], usage_reason="Client NDA")
    refused = made(api, approved)
    assert refused.status_code == 409 and "No pair may be trained on" in refused.json()["error"]["message"]
    assert not Conversation.objects.exists()


def test_an_answer_that_was_corrected_since_does_not_leave(
    approved: TrainingSheet, api: APIClient, create: Any, fetch: Any
) -> None:
    made(api, approved)
    ids = list(Conversation.objects.order_by("pk").values_list("pk", flat=True)[:2])
    one, other = (Conversation.objects.get(pk=key).qa_pair_id for key in ids)
    file = f"{FILES}/{create('early', ids).json()['trainingFile']['id']}"
    limit = {"prohibit": ["few_shot"], "reason": "Client NDA"}
    assert api.post(f"/api/v1/qa-pairs/{other}/uses", limit).status_code == 200
    assert api.get(f"{file}/download", {"format": "json"}).status_code == 200
    answer = {"defect_type": "scratch", "severity": "minor", "location": "top_right_quadrant"}
    assert api.post(f"/api/v1/qa-pairs/{one}/edit", {"answer": answer, "reason": "was wrong"}).status_code == 200
    for refused in (create("late", ids), api.get(f"{file}/download", {"format": "json"}), api.post(f"{file}/rebuild")):
        assert refused.status_code in (400, 409) and "has another answer now" in refused.json()["error"]["message"]
    TrainingSheet.objects.filter(pk=approved.pk).update(status="approved")  # others of it still wait
    assert made(api, approved).status_code == 201
    assert api.get(f"{file}/download", {"format": "json"}).status_code == 409, "the file has the old answer"
    assert api.post(f"{file}/rebuild").status_code == 200
    lines = [json.loads(line) for line in fetch(file.rpartition("/")[2], "jsonl").splitlines()[1:]]
    assert [json.loads(line["target_response"]) for line in lines if line["conversation_id"] == ids[0]] == [answer]
    Conversation.objects.filter(pk=ids[0]).update(answer_sha256="")
    assert "an older version made it" in create("unknown", ids).json()["error"]["message"]
