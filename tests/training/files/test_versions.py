"""What a training file held before it was changed or deleted is known, so that a recall finds what was downloaded then."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from tests.seeded import boards, seeded
from training.models import Conversation, QAPair, TrainingFileVersion, TrainingSheet

__all__ = ["boards", "seeded"]

FILES = "/api/v1/training-files"
RECALL = "/api/v1/governance/recall"


@pytest.fixture
def ids(boards: TrainingSheet, api: APIClient) -> list[str]:
    """The conversations of three approved pairs."""
    TrainingSheet.objects.filter(pk=boards.pk).update(status="approved")
    made = api.post("/api/v1/conversations/from-training-sheet", {"training_sheet": boards.pk})
    assert made.status_code == 201
    return list(Conversation.objects.order_by("pk").values_list("pk", flat=True)[:3])


def about(conversation_id: str) -> dict[str, str]:
    pair = QAPair.objects.get(pk=Conversation.objects.get(pk=conversation_id).qa_pair_id)
    return {"sheet": pair.training_sheet.sheet_id, "item_ref": pair.item_ref}


def digests(found: Any) -> list[tuple[int, str]]:
    return [(each["version"], each["jsonl_sha256"]) for each in found]


def test_a_recall_names_the_versions_that_had_the_item(
    ids: list[str], api: APIClient, create: Any, fetch: Any, tmp_path: Path
) -> None:
    one, two, three = ids
    key = create("growing", [one, two]).json()["trainingFile"]["id"]
    left = [hashlib.sha256(fetch(key, "jsonl")).hexdigest()]
    for verb, changed in (("add", three), ("remove", one), ("remove", three)):
        assert api.post(f"{FILES}/{key}/{verb}-conversations", {"conversation_ids": [changed]}).status_code == 200
        left.append(hashlib.sha256(fetch(key, "jsonl")).hexdigest())
    versions = list(enumerate(left, 1))
    out, still_in = (api.get(RECALL, about(each)).json() for each in (one, two))
    assert out["training_files"] == [] and digests(out["earlier_training_files"]) == versions[:2]
    assert [each["conversation_id"] for each in out["earlier_training_files"]] == [one] * 2
    assert digests(still_in["training_files"]) == versions[3:]
    assert digests(still_in["earlier_training_files"]) == versions[:3]
    assert api.delete(f"{FILES}/{key}").status_code == 204
    deleted = api.get(RECALL, about(two)).json()
    assert deleted["training_files"] == [] and digests(deleted["earlier_training_files"]) == versions
    report, said = tmp_path / "recall.jsonl", io.StringIO()
    report.write_bytes(api.get(f"{RECALL}/report", about(two)).content)
    call_command("verify_report", report, stdout=said)
    assert "0 training files, 4 earlier training files" in said.getvalue()


def test_a_change_that_failed_is_no_version(
    ids: list[str], api: APIClient, create: Any, client: Client, rosa: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, _ = ids
    key = create("steady", [one]).json()["trainingFile"]["id"]

    def fails(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("training.files.building.send", fails)
        assert api.post(f"{FILES}/{key}/add-conversations", {"conversation_ids": [two]}).status_code == 503
    found = api.get(RECALL, about(one)).json()
    assert (len(found["training_files"]), found["earlier_training_files"]) == (1, [])
    for _ in range(2):
        api.post(f"{FILES}/{key}/add-conversations", {"conversation_ids": [two]})
    assert TrainingFileVersion.objects.count() == 1
    client.force_login(rosa)
    page = client.get(reverse("admin:governance_usageconstraintaudit_recall"), about(one)).content.decode()
    assert "steady as it was until" in page
