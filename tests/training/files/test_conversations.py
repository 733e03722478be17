"""Conversations: imported all or none, made from an approved training sheet through both gates, and gated again at use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit
from sheets.models import Sheet
from sheets.restricting import restrict_sheet
from tests.seeded import boards, seeded
from tests.training.files.conftest import Make, an_hour_later, document, key_of
from training.actions import conversations
from training.actions.conversations import conversations_from, import_conversations
from training.actions.training_files import create_training_file
from training.files import building
from training.models import Conversation, QAPair, TrainingFile, TrainingSheet
from workbench.problems import Conflict, Invalid

__all__ = ["boards", "seeded"]
URL = "/api/v1/conversations"


KEYS = ("persona_key", "emotional_arc_key", "training_topic_key")


def answered(words: str) -> list[dict[str, Any]]:
    return [document(2)["training_pairs"][0] | {"target_response": words}]


def test_import_by_api_keeps_what_is_known_of_each(lakehouse: Path, api: APIClient) -> None:
    answer = api.post(f"{URL}/import", {"conversations": [document(1), document(2)], "batch_id": "may"})
    assert answer.status_code == 201
    assert answer.json() == {"batch_id": "may", "conversation_ids": [key_of(1), key_of(2)]}
    row = api.get(f"{URL}/{key_of(1)}").json()
    assert (row["enrichment_status"], row["total_turns"], row["training_pairs"]) == ("completed", 3, 2)
    assert (row["quality_score"], row["quality_tier"], row["human_reviewed_pairs"]) == (6.75, "experimental", 1)
    assert (row["source_file"], row["emotional_arc"]) == (f"fp_conversation_{key_of(1)}.json", "shame to acceptance")


def test_the_api_takes_what_a_file_may_hold(lakehouse: Path, api: APIClient, settings: Any) -> None:
    full = {"training_file_metadata": {}, "consultant_profile": {}, "conversations": [document(4)]}
    for number, body in enumerate((document(1), [document(2), document(3)], full), 1):
        assert api.post(f"{URL}/import", body).status_code == 201, number
    assert Conversation.objects.count() == 4
    limited = document(5) | {"prohibited_uses": ["training"], "usage_reason": "No consent"}
    assert api.post(f"{URL}/import", limited | {"prohibited_use": []}).status_code == 400
    assert api.post(f"{URL}/import", limited).status_code == 201
    assert Conversation.objects.get(pk=key_of(5)).prohibited_uses == ["training"]
    large = document(6, training_pairs=answered("x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE))
    refused = api.post(f"{URL}/import", large)
    assert refused.status_code == 413 and "into a volume" in refused.json()["error"]["message"]


def test_a_volume_holds_files_with_one_and_with_many(lakehouse: Path, api: APIClient, sql: Any) -> None:
    sql("CREATE VOLUME IF NOT EXISTS mirion_vital.workbench.talks")
    where = lakehouse / "Volumes/mirion_vital/workbench/talks"
    (where / "one.json").write_text(json.dumps(document(1)))
    (where / "full.json").write_text(json.dumps({"conversations": [document(2), document(3)]}))
    paths = [f"/Volumes/mirion_vital/workbench/talks/{name}.json" for name in ("one", "full")]
    assert len(api.post(f"{URL}/import", {"paths": paths}).json()["conversation_ids"]) == 3
    assert Conversation.objects.get(pk=key_of(1)).source_file == "one.json"
    assert api.post(f"{URL}/import", {"paths": [paths[0] + "x"]}).status_code == 404


@pytest.fixture
def talk(lakehouse: Path, sql: Any) -> str:
    """The path of a conversation in a volume of its own."""
    sql("CREATE SCHEMA mirion_vital.talks")
    sql("CREATE VOLUME mirion_vital.talks.may")
    (lakehouse / "Volumes/mirion_vital/talks/may/one.json").write_text(json.dumps(document(1)))
    return "/Volumes/mirion_vital/talks/may/one.json"


def test_an_import_is_limited_as_the_tags_of_its_volume_say(talk: str, api: APIClient, sql: Any) -> None:
    sql("ALTER VOLUME mirion_vital.talks.may SET TAGS ('PHI' = '')")
    body = {"paths": [talk], "prohibited_uses": ["few_shot"], "usage_reason": "Not asked"}
    assert api.post(f"{URL}/import", body).status_code == 201
    row = api.get(f"{URL}/{key_of(1)}").json()
    assert row["prohibited_uses"] == ["training", "validation", "few_shot"]
    assert (row["usage_reason"], row["data_classification"]) == ("Not asked; volume tag PHI", "restricted")


def test_nothing_is_imported_from_a_volume_of_a_hidden_sheet(
    talk: str, api: APIClient, rosa: User, client: Client, sql: Any
) -> None:
    volume = {"type": "volume", "path": talk.rpartition("/")[0]}
    sheet = Sheet.objects.create(name="Talks", primary_table="a.b.c", secondary_sources=[volume], created_by="omar")
    restrict_sheet(sheet, [{"group": "platform lead"}], actor="omar")
    assert api.post(f"{URL}/import", {"paths": [talk]}).status_code == 404
    client.force_login(rosa)
    form = {"paths": talk, "classification": "internal"}
    page = client.post(reverse("admin:training_conversation_bring_in"), form)
    assert page.status_code == 404 and "you may not see it" in page.content.decode()
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"training_pairs": []}, ".training_pairs: [] should be non-empty"),
        ({"metadata": {"conversation_id": "7"}}, ".conversation_metadata.conversation_id: '7' does not match"),
        ({"metadata": {"conversation_id": f"{key_of(2)}\n"}}, ".conversation_metadata.conversation_id: "),
        ({"metadata": {"total_turns": 99_999_999_999}}, "99999999999 is greater than the maximum of 2147483647"),
        ({"metadata": {"quality_score": 11}}, ".conversation_metadata.quality_score: 11 is greater than the maximum"),
        ({"metadata": {"conversation_id": key_of(9)}}, f"allowed is '{key_of(9)}'"),
        ({"enrichment_status": "done"}, ".enrichment_status: 'done' is not one of"),
        (
            {"training_pairs": answered("   ")},
            ".training_pairs[0].target_response: found blank text; give an answer, or null",
        ),
        ({"training_pairs": answered("yes") * 2}, "stands twice; give each pair its own"),
        ({"metadata": {"scaffolding": dict.fromkeys(KEYS, " ")}}, ".scaffolding.persona_key: found blank text"),
    ],
)
def test_one_that_does_not_fit_keeps_all_out(
    lakehouse: Path, api: APIClient, broken: dict[str, Any], words: str
) -> None:
    answer = api.post(f"{URL}/import", {"conversations": [document(1), document(2, **broken)]})
    assert answer.status_code == 400
    (faults,) = answer.json()["error"]["fields"].values()
    assert list(answer.json()["error"]["fields"]) == ["conversations[1]"] and words in faults[0]
    assert not Conversation.objects.exists()


def test_importing_again_replaces_row_and_file(imported: Make, lakehouse: Path) -> None:
    imported(1)
    for _ in range(2):
        imported(1, metadata={"quality_score": 9.5})
    (row,) = Conversation.objects.all()
    assert (row.quality_score, row.quality_tier) == (9.5, "seed_dataset")
    an_hour_later()
    (file,) = lakehouse.glob("Volumes/*/*/training_files/*")
    assert str(row.enriched_file_path).endswith(f"/{file.name}")
    imported(1, enrichment_status="processing")
    assert file.exists(), "a build may be reading it"
    an_hour_later()
    assert not file.exists()


def test_a_tier_follows_from_the_score_and_importing_a_written_file_keeps_both(
    imported: Make, api: APIClient, create: Any, fetch: Any
) -> None:
    ids = imported(1, metadata={"quality_score": 3, "quality_tier": "seed_dataset"}) + imported(2)
    rows = Conversation.objects.order_by("pk").values_list("quality_score", "quality_tier")
    before = list(rows)
    assert before == [(3, "rejected"), (7.5, "production")]
    key = create("written", ids).json()["trainingFile"]["id"]
    import_conversations([("written.json", fetch(key, "json"))], actor="rosa")
    assert list(rows.all()) == before
    imported(1, metadata={"quality_score": None, "quality_tier": "production"})
    assert rows.all()[0] == (8, "production")


def test_rejected_ones_are_suggested_where_a_bound_asks_for_them(imported: Make, api: APIClient, create: Any) -> None:
    ids = imported(1, 2) + imported(3, metadata={"quality_score": 3})
    file = f"/api/v1/training-files/{create('good', ids[:1]).json()['trainingFile']['id']}"
    found = [api.get(f"{file}/suggestions", bound).json() for bound in ({}, {"max_quality": 5}, {"min_quality": 1})]
    assert [[row["id"] for row in each] for each in found] == [ids[1:2], ids[2:], ids[1:]]


def test_a_whole_number_that_would_not_stay_exact_is_refused(lakehouse: Path) -> None:
    for number, exact in ((2**64 - 1, True), (2**64, False)):
        content = json.dumps(document(1) | {"extra": {"n": number, "text": "1" * 30}}).encode()
        try:
            import_conversations([("one.json", content)], actor="rosa")
            assert exact
        except Invalid as refused:
            assert not exact and "found the whole number 18446744073709551616" in refused.fields["one.json"][0]


def test_lists_are_filtered_by_quality_and_scaffolding(imported: Make, api: APIClient) -> None:
    imported(1, 2, 3, 4)
    found = api.get(URL, {"min_quality": 7, "max_quality": 8.5}).json()["results"]
    assert {row["id"] for row in found} == {key_of(2), key_of(3)}
    assert len(api.get(URL, {"emotional_arc_key": "fear_to_relief"}).json()["results"]) == 2


def test_an_import_with_limits_is_stopped_by_the_gate(lakehouse: Path, api: APIClient, create: Any) -> None:
    body = {"conversations": [document(1)], "prohibited_uses": ["training"]}
    assert api.post(f"{URL}/import", body).status_code == 400
    api.post(f"{URL}/import", body | {"usage_reason": "No consent"})
    refused = create("gated", [key_of(1)])
    assert refused.status_code == 400 and "training prohibited: No consent" in refused.json()["error"]["message"]
    again = api.post(f"{URL}/import", {"conversations": [document(1)]})
    assert again.status_code == 400 and "an import cannot allow it" in again.json()["error"]["message"]


def test_uses_are_changed_later_and_given_back_by_who_may_loosen(
    imported: Make, api: APIClient, nils: User, create: Any
) -> None:
    (key,) = imported(1)
    file = create("limited", [key]).json()["trainingFile"]["id"]
    refused = api.post(f"{URL}/{key}/uses", {"prohibit": ["training"]})
    assert refused.status_code == 400 and "Say why" in refused.json()["error"]["message"]
    limit = {"prohibit": ["training"], "reason": "Withdrawn consent"}
    changed = api.post(f"{URL}/{key}/uses", limit)
    assert (changed.status_code, changed.json()["prohibited_uses"]) == (200, ["training"])
    assert api.post(f"{URL}/{key}/uses", limit).status_code == 409
    gated = api.get(f"/api/v1/training-files/{file}/download", {"format": "json"})
    assert gated.status_code == 409 and "Withdrawn consent" in gated.json()["error"]["message"]
    nils.user_permissions.add(Permission.objects.get(codename="change_uses"))
    other = APIClient()
    other.force_authenticate(nils)
    back = {"allow": ["training"], "reason": "Asked again"}
    assert other.post(f"{URL}/{key}/uses", back).status_code == 403
    assert api.post(f"{URL}/{key}/uses", back).status_code == 200
    told = UsageConstraintAudit.objects.filter(subject=f"conversation {key}").order_by("sequence")
    assert [(row.kind, row.modified_by) for row in told] == [("uses", "rosa"), ("refusal", "nils"), ("uses", "rosa")]


def test_a_limit_that_comes_while_it_is_imported_again_stays(
    imported: Make, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = imported(1)
    limit = {"prohibit": ["training"], "reason": "Withdrawn consent"}
    real = conversations._write_files
    monkeypatch.setattr(
        conversations, "_write_files", lambda *given: (real(*given), api.post(f"{URL}/{key}/uses", limit))
    )
    with pytest.raises(Invalid, match="Nothing was imported"):
        imported(1)
    assert Conversation.objects.get().prohibited_uses == ["training"]


def test_one_that_no_file_holds_is_deleted_with_its_contents(
    imported: Make, api: APIClient, create: Any, lakehouse: Path, nils: User
) -> None:
    one, two = imported(1, 2)
    file = create("holding", [one]).json()["trainingFile"]["id"]
    refused = api.delete(f"{URL}/{one}")
    assert refused.status_code == 409 and "holding" in refused.json()["error"]["message"]
    assert api.delete(f"{URL}/{two}").status_code == 204 and api.get(f"{URL}/{two}").status_code == 404
    assert api.delete(f"/api/v1/training-files/{file}").status_code == 204
    assert api.delete(f"{URL}/{one}").status_code == 204
    an_hour_later()
    assert not [*lakehouse.glob("Volumes/*/*/training_files/*")]


def test_one_that_is_deleted_while_a_file_is_built_of_it_is_named(
    imported: Make, api: APIClient, create: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = imported(1, 2)
    real = building._write_members
    monkeypatch.setattr(building, "_write_members", lambda *given: (api.delete(f"{URL}/{one}"), real(*given)))
    refused = create("late", [one, two])
    assert (
        refused.status_code == 409 and f"deleted while the file was built: {one}" in refused.json()["error"]["message"]
    )
    assert not TrainingFile.objects.exists()


def test_importing_again_lowers_no_classification_and_is_audited(lakehouse: Path, api: APIClient) -> None:
    body = {"conversations": [document(1)], "data_classification": "restricted"}
    assert api.post(f"{URL}/import", body).status_code == 201
    lower = api.post(f"{URL}/import", body | {"data_classification": "internal"})
    assert lower.status_code == 400 and "an import cannot lower it" in lower.json()["error"]["message"]
    assert api.post(f"{URL}/import", body).status_code == 201
    assert not UsageConstraintAudit.objects.exists()
    stricter = body | {"prohibited_uses": ["few_shot"], "usage_reason": "The client forbids it"}
    assert api.post(f"{URL}/import", stricter).status_code == 201
    told = UsageConstraintAudit.objects.get()
    assert (told.subject, told.old_prohibited_uses, told.new_prohibited_uses) == (
        f"conversation {key_of(1)}",
        [],
        ["few_shot"],
    )
    assert "The client forbids it" in told.reason and told.new_data_classification == "restricted"


def test_a_misspelled_limit_or_filter_is_refused(imported: Make, api: APIClient, create: Any) -> None:
    body = {"conversations": [document(2)], "prohibited_use": ["training"], "usage_reason": "No consent"}
    refused = api.post(f"{URL}/import", body)
    assert refused.status_code == 400 and "prohibited_uses" in refused.json()["error"]["fields"]["prohibited_use"][0]
    assert api.post(f"{URL}/import", [body]).status_code == 400 and not Conversation.objects.exists()
    file = f"/api/v1/training-files/{create('one', imported(1)).json()['trainingFile']['id']}"
    imported(3)
    assert api.post(f"{file}/add-matching", {"min_qualty": 9}).status_code == 400
    assert api.get(f"{file}/suggestions", {"min_qualty": 9}).status_code == 400
    assert api.get(file).json()["conversation_count"] == 1


def test_pairs_of_an_approved_training_sheet_become_conversations(
    boards: TrainingSheet, api: APIClient, sql: Any, fetch: Any
) -> None:
    with pytest.raises(Conflict, match="review all its pairs first"):
        conversations_from(boards, actor="rosa")
    TrainingSheet.objects.filter(pk=boards.pk).update(status="approved")
    made = api.post(f"{URL}/from-training-sheet", {"training_sheet": boards.pk}).json()
    assert (made["total"], made["exported"], made["excluded"]) == (50, 10, 40)
    ids = list(Conversation.objects.values_list("pk", flat=True))
    row = create_training_file("from boards", ids, actor="rosa")
    line = json.loads(fetch(row.pk, "jsonl").splitlines()[1])
    pair = QAPair.objects.get(pk=Conversation.objects.get(pk=line["conversation_id"]).qa_pair_id)
    assert line["target_response"] == pair.messages[-1]["content"] and line["training_metadata"]["human_reviewed"]
    assert row.human_reviewed_count == row.total_training_pairs == 10
    replaced = document(1, metadata={"conversation_id": line["conversation_id"]}, training_pairs=[line])
    assert "made from a pair" in api.post(f"{URL}/import", {"conversations": [replaced]}).json()["error"]["message"]
    table = boards.sheet.primary_table
    sql(f"ALTER TABLE {table} SET TAGS ('PHI')")
    refused = api.get(f"/api/v1/training-files/{row.pk}/download", {"format": "json"})
    assert refused.status_code == 409 and "table tag PHI" in refused.json()["error"]["message"]
    sql(f"ALTER TABLE {table} UNSET TAGS ('PHI')")
    assert api.get(f"/api/v1/training-files/{row.pk}/download", {"format": "json"}).status_code == 200
