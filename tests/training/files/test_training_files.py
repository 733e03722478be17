"""Training files: the seed's rules, status codes and messages, both shapes, and signed links."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.core import signing
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from tests.training.files.conftest import Make, document, key_of
from training.files.checking import SCHEMAS
from training.files.formats import LINE
from training.models import Conversation, FileBuild, TrainingFile

URL = "/api/v1/training-files"


def table(lakehouse: Path, name: str) -> pl.DataFrame:
    return pl.read_delta(str(lakehouse / "mirion_vital/workbench" / name))


def test_create_writes_both_shapes_and_the_rows(imported: Make, create: Any, fetch: Any, lakehouse: Path) -> None:
    answer = create("first", imported(1, 2, 3), description="for a try")
    assert answer.status_code == 201
    row = answer.json()["trainingFile"]
    assert (row["conversation_count"], row["total_training_pairs"], row["human_reviewed_count"]) == (3, 6, 3)
    assert (row["min_quality_score"], row["avg_quality_score"], row["max_quality_score"]) == (6.75, 7.5, 8.25)
    assert row["human_reviewed_percentage"] == 50
    whole = json.loads(fetch(row["id"], "json"))
    schema = json.loads((SCHEMAS / "training_file.json").read_text())
    Draft202012Validator(schema).validate(whole)
    metadata = whole["training_file_metadata"]
    assert list(whole) == ["training_file_metadata", "consultant_profile", "conversations"]
    assert (metadata["version"], metadata["format_spec"], metadata["file_name"]) == (
        "4.0.0",
        "brightrun-lora-v4",
        "first",
    )
    assert metadata["scaffolding_distribution"]["emotional_arcs"] == {"fear_to_relief": 1, "shame_to_acceptance": 2}
    assert metadata["quality_summary"]["human_reviewed_percentage"] == 50
    assert whole["consultant_profile"]["name"] == "Elena Morales, CFP"
    first = whole["conversations"][0]["conversation_metadata"]
    assert (first["conversation_id"], first["quality_tier"], first["batch_id"]) == (
        key_of(1),
        "experimental",
        "batch 1",
    )
    assert first["scaffolding"]["training_topic"] == "debt" and len(whole["conversations"][0]["training_pairs"]) == 3
    stored = table(lakehouse, "training_file_conversations").filter(pl.col("training_file_id") == row["id"])
    assert stored.sort("position")["conversation_id"].to_list() == [key_of(1), key_of(2), key_of(3)]
    assert table(lakehouse, "training_files")["conversation_count"].to_list() == [3]


def test_jsonl_has_a_header_and_a_line_for_each_answer(imported: Make, create: Any, fetch: Any) -> None:
    row = create("lines", imported(1, 2)).json()["trainingFile"]
    head, *rest = [json.loads(line) for line in fetch(row["id"], "jsonl").splitlines()]
    assert head == {"_meta": {"file_name": "lines", "total_pairs": 4, "version": "4.0.0"}}
    assert len(rest) == row["total_training_pairs"] == 4
    assert all(list(line) == list(LINE) and line["target_response"] for line in rest)
    assert rest[0]["conversation_metadata"]["scaffolding"]["persona_key"] == "overwhelmed_avoider"


def test_adding_counts_anew_and_keeps_what_was_there(imported: Make, create: Any, fetch: Any, api: APIClient) -> None:
    key = create("growing", imported(1, 2, 3)).json()["trainingFile"]["id"]
    added = api.post(f"{URL}/{key}/add-conversations", {"conversation_ids": imported(4, 5)})
    row = added.json()["trainingFile"]
    assert (added.status_code, row["conversation_count"], row["total_training_pairs"], row["version"]) == (
        200,
        5,
        10,
        2,
    )
    whole = json.loads(fetch(key, "json"))
    ids = [each["conversation_metadata"]["conversation_id"] for each in whole["conversations"]]
    assert ids == [key_of(number) for number in (1, 2, 3, 4, 5)]
    assert len(fetch(key, "jsonl").splitlines()) == 11
    assert sum(row["scaffolding_distribution"]["personas"].values()) == 5


def test_what_the_rules_refuse_changes_nothing(imported: Make, create: Any, api: APIClient) -> None:
    ids = imported(1, 2)
    key = create("rules", ids).json()["trainingFile"]["id"]
    again = api.post(f"{URL}/{key}/add-conversations", {"conversation_ids": [ids[0]]})
    assert again.status_code == 400
    assert again.json()["error"]["message"] == f"Conversations already in training file: {ids[0]}"
    assert create("rules", ids).status_code == 400
    assert create("x" * 256, ids).status_code == create("", ids).status_code == create("none", []).status_code == 400
    assert create("many", [key_of(number) for number in range(81)]).status_code == 400
    assert create("twice", [ids[0], ids[0]]).status_code == 400
    assert "there is no such conversation" in create("unknown", [key_of(99)]).json()["error"]["message"]
    (pending,) = imported(7, enrichment_status="processing")
    refused = create("pending", [pending])
    assert refused.status_code == 400 and "enrichment_status is processing" in refused.json()["error"]["message"]
    Conversation.objects.filter(pk=ids[1]).update(enriched_file_path=None)
    assert "no enriched file" in create("no file", [ids[1]]).json()["error"]["message"]
    assert api.post(f"{URL}/nope/add-conversations", {"conversation_ids": ids}).status_code == 404
    assert api.get(f"{URL}/{key}/download", {"format": "csv"}).status_code == 400
    assert api.get(f"{URL}/nope/download", {"format": "json"}).status_code == 404
    assert APIClient().get(URL).status_code == 401
    (row,) = TrainingFile.objects.all()
    assert (row.name, row.version, row.conversation_count) == ("rules", 1, 2)


def test_each_download_is_a_row_of_the_audit(imported: Make, create: Any, fetch: Any, api: APIClient) -> None:
    row = create("told", imported(1)).json()["trainingFile"]
    asked = {"subject": f"training file {row['id']}"}
    assert api.get("/api/v1/usage-constraint-audit", asked).json()["results"] == []
    shapes = ("json", "jsonl", "json")
    for shape in shapes:
        fetch(row["id"], shape)
    told = api.get("/api/v1/usage-constraint-audit", {**asked, "kind": "export"}).json()["results"]
    assert [(each["modified_by"], each["reason"]) for each in reversed(told)] == [
        ("rosa", f"Training file 'told', version 1, left as {shape} (link), SHA-256 {row[f'{shape}_sha256']}")
        for shape in shapes
    ]
    link = api.get(f"{URL}/{row['id']}/download", {"format": "json"}).json()["download_url"]
    assert APIClient().head(link)["Content-Length"] == str(row["json_file_size"])
    assert len(api.get("/api/v1/usage-constraint-audit", asked).json()["results"]) == len(shapes)
    Conversation.objects.update(prohibited_uses=["training"], usage_reason="Withdrawn consent")
    assert APIClient().get(link).status_code == 409
    (refused, *_) = api.get("/api/v1/usage-constraint-audit", asked).json()["results"]
    assert refused["kind"] == "refusal" and "Withdrawn consent" in refused["reason"]
    assert api.get(f"{URL}/{row['id']}/download", {"format": "jsonl"}).status_code == 409
    (again, *_) = api.get("/api/v1/usage-constraint-audit", asked).json()["results"]
    assert again["kind"] == "refusal" and "did not leave as jsonl" in again["reason"], "no link was given"


@pytest.mark.parametrize("damage", ["same size", "cut off", "longer", "gone"])
def test_a_file_that_was_changed_in_the_volume_does_not_leave(
    imported: Make, create: Any, api: APIClient, lakehouse: Path, damage: str
) -> None:
    key = create("changed", imported(1)).json()["trainingFile"]["id"]
    link = api.get(f"{URL}/{key}/download", {"format": "jsonl"}).json()["download_url"]
    (file,) = lakehouse.glob(f"Volumes/*/*/training_files/{key}.*.jsonl")
    whole = file.read_bytes()
    file.write_bytes({"same size": whole.replace(b"Answer", b"Poison"), "cut off": whole[:99]}.get(damage, whole * 2))
    if damage == "gone":
        file.unlink()
    refused = APIClient().get(link)
    assert refused.status_code == (404 if damage == "gone" else 409), refused.content
    (row,) = api.get("/api/v1/usage-constraint-audit", {"subject": f"training file {key}"}).json()["results"]
    assert row["kind"] == "refusal" and refused.json()["error"]["message"] in row["reason"]


def test_a_download_that_broke_off_is_gone_on_with(imported: Make, create: Any, fetch: Any, api: APIClient) -> None:
    row = create("parts", imported(1)).json()["trainingFile"]
    whole, size = fetch(row["id"], "jsonl"), row["jsonl_file_size"]
    link = api.get(f"{URL}/{row['id']}/download", {"format": "jsonl"}).json()["download_url"]
    rest: Any = APIClient().get(link, headers={"range": "bytes=10-", "if-range": f'"{row["jsonl_sha256"]}"'})
    assert (rest.status_code, b"".join(rest.streaming_content)) == (206, whole[10:])
    assert rest["Content-Range"] == f"bytes 10-{size - 1}/{size}"
    assert APIClient().get(link, headers={"range": f"bytes={size}-"}).status_code == 416


def test_a_link_is_for_one_file_and_expires(
    imported: Make, create: Any, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = create("linked", imported(1)).json()["trainingFile"]["id"]
    link = api.get(f"{URL}/{key}/download", {"format": "jsonl"}).json()
    assert (link["filename"], link["expires_in_seconds"]) == ("linked.jsonl", 3600)
    response = APIClient().get(link["download_url"])
    assert b"".join(response.streaming_content).count(b"\n") == 3
    assert response["Content-Disposition"] == 'attachment; filename="linked.jsonl"'
    other, wrong, none = (
        link["download_url"].replace("=jsonl", "=json"),
        f"{link['download_url']}x",
        f"{URL}/{key}/content",
    )
    for url, words in ((other, "is for another file"), (wrong, "is not valid"), (none, "is not valid")):
        refused = APIClient().get(url)
        assert refused.status_code == 403 and words in refused.json()["error"]["message"]
    now = signing.time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + 3601)
    late = APIClient().get(link["download_url"])
    assert late.status_code == 403 and "expired after 3600 seconds" in late.json()["error"]["message"]


def test_lists_are_of_active_files_the_newest_first(
    imported: Make, create: Any, api: APIClient, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    ids = imported(1, 2, 4)
    keys = [create(f"file {at}", [key]).json()["trainingFile"]["id"] for at, key in enumerate(ids)]
    archived = api.post(f"{URL}/{keys[1]}/archive").json()["trainingFile"]
    assert archived["status"] == "archived"
    with django_assert_max_num_queries(2, using="lakehouse"):
        listed = api.get(URL).json()
    assert [row["id"] for row in listed["files"]] == [keys[2], keys[0]]
    assert api.get(URL, {"status": "", "min_quality": ""}).json()["files"] == listed["files"]
    assert [row["id"] for row in api.get(URL, {"status": "archived"}).json()["files"]] == [keys[1]]
    assert [row["id"] for row in api.get(URL, {"status": "all", "min_quality": 9}).json()["files"]] == [keys[2]]
    assert api.post(f"{URL}/{keys[1]}/add-conversations", {"conversation_ids": ids[:1]}).status_code == 409
    assert api.post(f"{URL}/{keys[1]}/restore").json()["trainingFile"]["status"] == "active"


def test_removing_and_deleting(imported: Make, create: Any, api: APIClient, lakehouse: Path, fetch: Any) -> None:
    ids = imported(1, 2)
    key = create("short", ids).json()["trainingFile"]["id"]
    left = api.post(f"{URL}/{key}/remove-conversations", {"conversation_ids": ids[:1]}).json()["trainingFile"]
    assert left["conversation_count"] == 1 and len(fetch(key, "jsonl").splitlines()) == 3
    assert api.post(f"{URL}/{key}/remove-conversations", {"conversation_ids": ids[1:]}).status_code == 400
    assert api.delete(f"{URL}/{key}").status_code == 204
    assert api.get(f"{URL}/{key}").status_code == 404
    assert table(lakehouse, "training_file_conversations").is_empty()
    assert table(lakehouse, "conversations").height == 2
    assert create("short", ids).status_code == 201


def test_a_change_that_runs_says_how_far_it_is(imported: Make, create: Any, api: APIClient) -> None:
    key = create("long", imported(1)).json()["trainingFile"]["id"]
    assert api.get(f"{URL}/{key}").json()["building"] is None
    FileBuild.objects.create(pk=key_of(5), training_file_id=key, done=40, total=900, started_by="omar")
    assert api.get(f"{URL}/{key}").json()["building"] == {"done": 40, "total": 900}
    (listed,) = api.get(URL).json()["files"]
    assert listed["building"] == {"done": 40, "total": 900}


def test_a_file_says_what_was_imported_again_and_is_built_anew(
    imported: Make, create: Any, api: APIClient, fetch: Any
) -> None:
    ids = imported(1, 2)
    key = create("old", ids).json()["trainingFile"]["id"]
    imported(1)
    assert api.get(f"{URL}/{key}").json()["changed_conversations"] == 0, "the same contents"
    pairs = [document(1)["training_pairs"][0] | {"target_response": "[redacted]"}]
    imported(1, training_pairs=pairs, metadata={"quality_score": 2})
    (listed,) = api.get(URL).json()["files"]
    assert listed["changed_conversations"] == api.get(f"{URL}/{key}").json()["changed_conversations"] == 1
    (changed,) = api.get("/api/v1/conversations", {"changed_in": key}).json()["results"]
    assert changed["id"] == ids[0] and b"Answer 1" in fetch(key, "jsonl")
    built = api.post(f"{URL}/{key}/rebuild").json()["trainingFile"]
    assert (built["version"], built["changed_conversations"], built["min_quality_score"]) == (2, 0, 2)
    lines = [json.loads(line) for line in fetch(key, "jsonl").splitlines()[1:]]
    assert [line["target_response"] for line in lines] == ["[redacted]", "Answer 1", "Answer 2"]
    assert [line["conversation_id"] for line in lines] == [ids[0], ids[1], ids[1]]


@pytest.mark.parametrize(
    ("name", "words"),
    [("\u200b", "U+200B"), ("a\nb", "U+000A"), ("a\u202eb", "U+202E"), ("\u200d", "no character that can be seen")],
)
def test_a_name_that_cannot_be_seen_is_refused(imported: Make, create: Any, name: str, words: str) -> None:
    refused = create(name, imported(1))
    assert refused.status_code == 400 and words in refused.json()["error"]["message"]


def test_names_that_look_the_same_are_the_same_and_lead_into_no_folder(
    imported: Make, create: Any, api: APIClient
) -> None:
    ids = imported(1)
    assert create("caf\u00e9", ids).status_code == 201
    again = create("cafe\u0301", ids)
    assert again.status_code == 400 and "choose another name" in again.json()["error"]["message"]
    key = create("../x/y", ids).json()["trainingFile"]["id"]
    link = api.get(f"{URL}/{key}/download", {"format": "jsonl"}).json()
    opened = APIClient().get(link["download_url"])
    assert opened["Content-Disposition"] == f'attachment; filename="{link["filename"]}"'
    assert link["filename"] == ".._x_y.jsonl" and b"".join(opened.streaming_content)
