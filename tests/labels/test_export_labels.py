"""Labels as JSONL: the same bytes over HTTP and by the command."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit
from sheets.models import Sheet
from tests.heads import head
from tests.labels.conftest import Record

URL = "/api/v1/canonical-labels/export"


@pytest.fixture
def labels(record: Record) -> None:
    record(item_ref="c3", label_data={"b": "é", "a": [1, 2.5]})
    record(item_ref="a1", label_type="quality", label_data="good")
    record(item_ref="a1")


@pytest.mark.usefixtures("labels")
def test_lines_are_labels_by_item_and_type(api: APIClient, boards: Sheet) -> None:
    answer = api.get(URL, {"sheet": boards.pk})
    assert answer["Content-Type"] == "application/jsonl"
    assert answer["Content-Disposition"] == f"attachment; filename=canonical_labels_{boards.pk}.jsonl"
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    rows = [json.loads(line) for line in text.splitlines()]
    assert [(row["item_ref"], row["label_type"]) for row in rows] == [
        ("a1", "defect"),
        ("a1", "quality"),
        ("c3", "defect"),
    ]
    assert '"label_data":{"a":[1,2.5],"b":"é"}' in text and rows[1]["label_data"] == "good"
    assert rows[0]["sheet_id"] == boards.pk and rows[0]["labeled_at"].endswith("Z")


@pytest.mark.usefixtures("labels")
@pytest.mark.parametrize("kind", ["", "defect"])
def test_the_command_writes_the_same_bytes(api: APIClient, boards: Sheet, tmp_path: Path, kind: str) -> None:
    file, out = tmp_path / "out" / "labels.jsonl", StringIO()
    call_command("export_labels", sheet="Boards", label_type=kind, out=file, stdout=out)
    query = {"sheet": boards.pk} | ({"label_type": kind} if kind else {})
    assert file.read_bytes() == b"".join(api.get(URL, query).streaming_content)  # type: ignore[attr-defined]
    assert f"{2 if kind else 3} labels exported" in out.getvalue()
    by_command, by_api = UsageConstraintAudit.objects.filter(kind="export", subject=f"sheet {boards.pk}").order_by(
        "sequence"
    )
    what = f"Labels of type {kind}" if kind else "Labels"
    assert by_command.reason == f"{what} left as the whole record as jsonl (command)"
    assert (by_api.modified_by, by_api.reason) == ("rosa", f"{what} left as the whole record as jsonl (api)")
    assert [path.name for path in file.parent.iterdir()] == ["labels.jsonl"]


@pytest.mark.usefixtures("labels")
def test_asking_for_the_head_alone_takes_nothing(api: APIClient, boards: Sheet) -> None:
    answer, body = head(api, URL, {"sheet": boards.pk})
    assert (answer.status_code, answer["Content-Type"], body) == (200, "application/jsonl", b"")
    assert answer["Content-Disposition"] == f"attachment; filename=canonical_labels_{boards.pk}.jsonl"
    assert not UsageConstraintAudit.objects.filter(kind="export").exists()
    refused, body = head(api, URL, {"sheet": boards.pk, "label_type": "odd"})
    assert refused.status_code == 404 and b"no canonical labels" in body


def test_nothing_to_export_is_said(api: APIClient, boards: Sheet, tmp_path: Path) -> None:
    answer = api.get(URL, {"sheet": boards.pk, "label_type": "defect"})
    assert answer.status_code == 404 and "has no canonical labels of type 'defect'" in answer.json()["error"]["message"]
    with pytest.raises(CommandError, match="Nothing to export"):
        call_command("export_labels", sheet=boards.pk, out=tmp_path / "labels.jsonl")
    with pytest.raises(CommandError, match="Did you mean 'Boards'"):
        call_command("export_labels", sheet="Bords", out=tmp_path / "labels.jsonl")
    assert not list(tmp_path.glob("*.jsonl"))
    assert api.get(URL).status_code == 400


def test_a_misspelled_use_is_refused_instead_of_giving_the_whole_record(
    api: APIClient, boards: Sheet, record: Record
) -> None:
    record(prohibited_uses=["training"], usage_reason="PHI")
    answer = api.get(URL, {"sheet": boards.pk, "uses": "training"})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["uses"])
    assert api.get(URL, {"sheet": boards.pk, "use": "training"}).status_code == 409
