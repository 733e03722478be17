"""Conversations, training files and ground truth in the admin: as a person does it, and what others may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.training.files.conftest import document, key_of
from training.models import Conversation, QAPair, TrainingFile, TrainingSheet


def upload(admin: Client, *documents: dict[str, Any]) -> Any:
    files = [SimpleUploadedFile(f"{at}.json", json.dumps(each).encode()) for at, each in enumerate(documents)]
    return admin.post(reverse("admin:training_conversation_bring_in"), {"uploads": files, "classification": "internal"})


def test_import_fill_download_archive_and_delete(admin: Client, boards: TrainingSheet) -> None:
    broken = upload(admin, document(1), document(2, enrichment_status="done"))
    assert broken.status_code == 400 and "1.json" in broken.content.decode()
    assert upload(admin, document(1), document(2), document(3)).status_code == 302
    Conversation.objects.filter(pk=key_of(3)).update(source_file="talk_of_the_first_quarter_with_client_03.json")
    page = admin.get(reverse("admin:training_trainingfile_new"), {"min_quality": "7"})
    assert [row["id"] for row in page.context["found"]] == [key_of(3), key_of(2)]
    made = admin.post(
        reverse("admin:training_trainingfile_new"), {"name": "Talks", "conversation": [key_of(2), key_of(3)]}
    )
    row = TrainingFile.objects.get()
    assert made.headers["Location"].endswith(f"{row.pk}/change/")
    filled = admin.post(reverse("admin:training_trainingfile_fill", args=[row.pk]), {"all": "1"}, follow=True)
    assert "Talks has 3 conversations" in filled.content.decode()
    twice = admin.post(reverse("admin:training_trainingfile_fill", args=[row.pk]), {"conversation": [key_of(1)]})
    assert twice.status_code == 400 and "already in training file" in twice.content.decode()
    got: Any = admin.post(reverse("admin:training_trainingfile_download", args=[row.pk]), {"format": "jsonl"})
    assert len(b"".join(got.streaming_content).splitlines()) == 7
    shown = admin.get(reverse("admin:training_trainingfile_change", args=[row.pk])).text
    assert TrainingFile.objects.get().jsonl_sha256 in shown.partition('id="downloads"')[2].partition("</section>")[0]
    assert ">anxious planner</td>" in shown and ">talk_of_the_…th_client_03.json</a>" in shown
    act = reverse("admin:training_trainingfile_act", args=[row.pk])
    assert 'id="changed"' not in shown and upload(admin, document(2, metadata={"quality_score": 2})).status_code == 302
    change = reverse("admin:training_trainingfile_change", args=[row.pk])
    assert "1 conversation in it has other contents" in admin.get(change).text
    assert 'id="changed"' not in admin.post(act, {"verb": "rebuild"}, follow=True).text
    admin.post(act, {"verb": "remove", "conversation": [key_of(1)]})
    admin.post(act, {"verb": "archive"})
    assert TrainingFile.objects.values_list("conversation_count", "status").get() == (2, "archived")
    admin.post(act, {"verb": "delete"})
    assert not TrainingFile.objects.exists() and Conversation.objects.count() == 3


def test_a_filter_that_cannot_be_read_takes_nothing(admin: Client, lakehouse: Path) -> None:
    upload(admin, document(1), document(2), document(3))
    new = reverse("admin:training_trainingfile_new")
    page = admin.get(new, {"min_quality": "7"})
    assert "Create with all 2 that fit" in page.text
    typed = {"name": "Talks", "min_quality": "9,5", "all": "1"}
    for refused in (admin.get(new, typed), admin.post(new, typed)):
        assert refused.status_code == 400 and "Quality from: Enter a number." in refused.text
        assert refused.context["found"] == [] and "that fit" not in refused.text
    assert not TrainingFile.objects.exists()


def test_an_approved_training_sheet_becomes_conversations(admin: Client, boards: TrainingSheet) -> None:
    url = reverse("admin:training_conversation_bring_in")
    assert admin.post(url, {"training_sheet": boards.pk}).status_code == 409
    TrainingSheet.objects.filter(pk=boards.pk).update(status="approved")
    assert "Made 10 conversations" in admin.post(url, {"training_sheet": boards.pk}, follow=True).content.decode()


def test_ground_truth_is_counted_and_downloaded(admin: Client, boards: TrainingSheet) -> None:
    url = reverse("admin:training_reviewevent_ground_truth")
    page = admin.get(url, {"count": "1", "training_sheet": boards.pk})
    labeled = QAPair.objects.of(boards.pk).filter(status="labeled").count()
    assert page.context["summary"]["exported"] == labeled
    got: Any = admin.post(url, {"training_sheet": boards.pk, "approved_only": "true", "use": "training"})
    assert len(b"".join(got.streaming_content).splitlines()) == labeled
    assert admin.get(url, {"since": "yesterday", "count": "1"}).status_code == 400


def test_who_may_not_does_nothing(client: Client, nils: User, boards: TrainingSheet) -> None:
    nils.is_staff = True
    nils.save()
    client.force_login(nils)
    names = ("reviewevent_ground_truth", "conversation_bring_in", "trainingfile_new")
    assert [client.get(reverse(f"admin:training_{name}")).status_code for name in names] == [403] * 3
