"""An export that goes on from an earlier one has what is new or changed, and says what was taken back."""

from __future__ import annotations

import json
from typing import Any

from rest_framework.test import APIClient

from labels.models import CanonicalLabel
from tests.training.exports.conftest import Fetch, Write, answer_of
from training.actions.export import manifest_path
from training.models import Export, QAPair, TrainingSheet


def latest() -> str:
    return Export.objects.all()[0].pk


def approve(api: APIClient, pair: QAPair) -> None:
    assert api.post(f"/api/v1/qa-pairs/{pair.pk}/approve").status_code == 200


def test_only_what_is_new_or_changed_leaves(boards: TrainingSheet, fetch: Fetch, write: Write, api: APIClient) -> None:
    fetch(boards)
    base = latest()
    approve(api, QAPair.objects.of(boards.pk).filter(status="unlabeled", misfits__len=0, error="")[0])
    changed, withdrawn = QAPair.objects.of(boards.pk).filter(labeling_mode="canonical")[:2]
    answer = {**answer_of(changed), "severity": "critical" if answer_of(changed)["severity"] != "critical" else "minor"}
    assert api.post(f"/api/v1/qa-pairs/{changed.pk}/edit", {"answer": answer}, format="json").status_code == 200
    CanonicalLabel.objects.filter(pk=withdrawn.canonical_label_id).update(prohibited_uses=["training"])
    file = write(boards, since=base)
    manifest = json.loads(manifest_path(file).read_bytes())
    assert len(file.read_bytes().splitlines()) == 2 == manifest["counts"]["exported"]
    assert changed.pk in [line["pair_id"] for line in manifest["lines"]]
    assert (manifest["since"], manifest["withdrawn"]) == (base, [withdrawn.pk])
    reasons = {each["reason"]: each["count"] for each in manifest["counts"]["exclusions"]}
    assert reasons[f"unchanged since the export {base}"] == 8
    # What was taken back and may leave again is new, for whoever followed.
    CanonicalLabel.objects.filter(pk=withdrawn.canonical_label_id).update(prohibited_uses=[])
    again = json.loads(manifest_path(write(boards, since=latest())).read_bytes())
    assert [line["pair_id"] for line in again["lines"]] == [withdrawn.pk]


def test_nothing_new_is_said(boards: TrainingSheet, fetch: Fetch, api: APIClient) -> None:
    fetch(boards)
    answer: Any = api.get(f"/api/v1/training-sheets/{boards.pk}/export/jsonl", {"since": latest()})
    assert answer.status_code == 409
    assert f"10 pairs: unchanged since the export {latest()}" in answer.json()["error"]["message"]


def test_who_follows_learns_what_was_withdrawn_also_where_nothing_is_new(
    boards: TrainingSheet, fetch: Fetch, api: APIClient
) -> None:
    fetch(boards)
    asked, url = {"since": latest()}, f"/api/v1/training-sheets/{boards.pk}/export"
    gone = QAPair.objects.of(boards.pk).filter(labeling_mode="canonical")[0]
    CanonicalLabel.objects.filter(pk=gone.canonical_label_id).update(prohibited_uses=["training"])
    told = {"count": 1, "pair_ids": [gone.pk]}
    assert api.get(f"{url}/summary", asked).json()["withdrawn"] == told
    error = api.get(f"{url}/jsonl", asked).json()["error"]
    assert error["details"]["withdrawn"] == told and gone.pk in error["message"]


def test_other_options_or_sheets_are_no_base(
    boards: TrainingSheet, invoices: TrainingSheet, fetch: Fetch, api: APIClient
) -> None:
    fetch(boards)
    url = f"/api/v1/training-sheets/{boards.pk}/export/jsonl"
    other = api.get(url, {"since": latest(), "format": "csv"})
    assert other.status_code == 409 and "format 'chat'" in other.json()["error"]["message"]
    assert api.get(url.replace(boards.pk, invoices.pk), {"since": latest()}).status_code == 404
