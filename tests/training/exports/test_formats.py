"""Every format holds what the chat lines hold, in the shape that its readers expect."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from django.core.management import call_command

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from tests.training.exports.conftest import Fetch, Write, answer_of
from training.actions.generate import generate
from training.exports.batches import Kept
from training.exports.formats import FORMATS
from training.exports.preferences import NO_DRAFT, NOT_EDITED
from training.exports.tables import GROUP_ROWS, RENAMED, SCHEMA, parquet
from training.models import Export, QAPair, TrainingSheet

CONSTANTS = dict.fromkeys(("training_sheet_id", "sheet_id", "template", "template_version", "use", "split"), "x")


def lines(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body.splitlines()]


def test_each_shape_keeps_every_text(boards: TrainingSheet, fetch: Fetch) -> None:
    chats = [record["messages"] for record in lines(fetch(boards))]
    for record, messages in zip(lines(fetch(boards, format="prompt_completion")), chats, strict=True):
        assert list(record) == ["prompt", "completion"]
        assert record["prompt"] + record["completion"] == messages
    speakers = {"system": "system", "user": "human", "assistant": "gpt"}
    for record, messages in zip(lines(fetch(boards, format="sharegpt")), chats, strict=True):
        said = [{"from": speakers[each["role"]], "value": each["content"]} for each in messages]
        assert record == {"conversations": said}


def test_alpaca_keeps_the_system_message_and_earlier_turns(boards: TrainingSheet, fetch: Fetch) -> None:
    pairs = QAPair.objects.of(boards.pk).filter(status="labeled")
    pair = pairs[0]
    QAPair.objects.filter(pk=pair.pk).update(messages=[pair.messages[0], *pair.messages[-2:]])
    first, second = lines(fetch(boards, format="alpaca"))[:2]
    asked, answered = (each["content"] for each in pair.messages[-2:])
    assert first == {"instruction": pair.messages[0]["content"], "input": asked, "output": answered}
    turns = [text for turn in second["history"] for text in turn]
    texts = [second["instruction"], *turns, second["input"], second["output"]]
    assert texts == [each["content"] for each in pairs[1].messages]


def test_dpo_prefers_the_edit_to_the_draft(boards: TrainingSheet, edited: QAPair, fetch: Fetch, api: Any) -> None:
    (record,) = lines(fetch(boards, format="dpo"))
    now = QAPair.objects.get(pk=edited.pk)
    assert list(record) == ["prompt", "chosen", "rejected"]
    assert record["prompt"] == now.messages[:-1]
    assert json.loads(record["chosen"][0]["content"]) == answer_of(now)
    assert record["rejected"] == [edited.messages[-1]]
    summary = api.get(f"/api/v1/training-sheets/{boards.pk}/export/summary", {"format": "dpo"}).json()
    (entry,) = [each for each in summary["exclusions"] if each["rule"] == "format"]
    assert (entry["count"], entry["source"]) == (11, "dpo")


def test_what_no_model_drafted_is_never_rejected(boards: TrainingSheet, api: Any) -> None:
    taken = generate(
        sheet=Sheet.objects.get(pk=boards.sheet_id),
        template=PromptTemplate.objects.get(pk=boards.template_id),
        actor="omar",
        mode="existing_column",
        config={"response_column": "aoi_result", "trusted": True},
    )
    answer = {"defect_type": "none", "severity": "minor", "location": "none"}
    for sheet, mode in ((boards, "canonical"), (taken, "existing_column")):
        pair = QAPair.objects.of(sheet.pk).filter(labeling_mode=mode, status="labeled")[0]
        assert api.post(f"/api/v1/qa-pairs/{pair.pk}/edit", {"answer": answer}, format="json").status_code == 200
        summary = api.get(f"/api/v1/training-sheets/{sheet.pk}/export/summary", {"format": "dpo"}).json()
        assert summary["exported"] == 0
        assert {each["reason"]: each["count"] for each in summary["exclusions"]}[NO_DRAFT] == 1


def test_an_edit_that_changes_nothing_is_no_preference(boards: TrainingSheet, edited: QAPair, api: Any) -> None:
    draft = json.loads(edited.messages[-1]["content"])
    assert api.post(f"/api/v1/qa-pairs/{edited.pk}/edit", {"answer": draft}, format="json").status_code == 200
    summary = api.get(f"/api/v1/training-sheets/{boards.pk}/export/summary", {"format": "dpo"}).json()
    assert "the approved edit is the same as the draft" in [each["reason"] for each in summary["exclusions"]]
    assert summary["exported"] == 0


def test_an_edit_that_was_undone_is_none(boards: TrainingSheet, edited: QAPair, api: Any) -> None:
    for verb in ("undo", "approve"):
        assert api.post(f"/api/v1/qa-pairs/{edited.pk}/{verb}", {}, format="json").status_code == 200
    summary = api.get(f"/api/v1/training-sheets/{boards.pk}/export/summary", {"format": "dpo"}).json()
    (entry,) = [each for each in summary["exclusions"] if each["rule"] == "format"]
    assert (entry["reason"], entry["count"]) == (NOT_EDITED, 12)


def test_polars_and_pandas_read_parquet(boards: TrainingSheet, edited: QAPair, fetch: Fetch) -> None:
    body = fetch(boards, format="parquet")
    chats = [record["messages"] for record in lines(fetch(boards))]
    table = pl.read_parquet(io.BytesIO(body))
    assert table["messages"].to_list() == chats
    frame = pd.read_parquet(io.BytesIO(body))
    assert [list(messages) for messages in frame["messages"]] == chats
    assert (list(frame["pair_id"]), frame.shape) == (table["pair_id"].to_list(), table.shape)
    (row,) = table.filter(pl.col("pair_id") == edited.pk).to_dicts()
    assert (row["reviewed_by"], row["item_ref"], row["pair_version"]) == ("rosa", edited.item_ref, 2)
    assert (row["template_version"], row["use"], row["model"]) == ("1.0.0", "training", "offline-nearest")
    assert row["canonical_label_id"] and "training" in row["allowed_uses"]


def test_csv_has_the_rows_of_the_table(boards: TrainingSheet, fetch: Fetch) -> None:
    rows = list(csv.DictReader(io.StringIO(fetch(boards, format="csv").decode())))
    table = pl.read_parquet(io.BytesIO(fetch(boards, format="parquet")))
    assert [json.loads(row["messages"]) for row in rows] == table["messages"].to_list()
    assert [row["pair_id"] for row in rows] == table["pair_id"].to_list()
    assert list(rows[0]) == table.columns


def test_csv_keeps_a_text_with_a_carriage_return_in_its_row(boards: TrainingSheet, write: Write) -> None:
    plain = write(boards, "plain.csv", format="csv").read_bytes()
    pair = QAPair.objects.of(boards.pk).filter(status="labeled")[1]
    said = {"usage_reason": "a\rb", "item_ref": "=1+1\r"}
    QAPair.objects.filter(pk=pair.pk).update(**said)
    out = write(boards, format="csv")
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [{name: row[name] for name in said} for row in rows if row["pair_id"] == pair.pk] == [said]
    frame = pd.read_csv(out)
    assert list(frame["pair_id"]) == [row["pair_id"] for row in rows] and len(rows) == 10
    assert frame.set_index("pair_id").loc[pair.pk, list(said)].to_dict() == said
    # The others are as they were.
    assert len(set(plain.split(b"\n")) - set(out.read_bytes().split(b"\n"))) == 1
    call_command("verify_export", out, stdout=io.StringIO(), stderr=io.StringIO())


@pytest.mark.parametrize("name", FORMATS)
def test_command_and_api_write_the_same_bytes(
    boards: TrainingSheet, edited: QAPair, fetch: Fetch, write: Write, name: str
) -> None:
    body = fetch(boards, format=name)
    assert write(boards, format=name).read_bytes() == body == fetch(boards, format=name)
    assert len(set(Export.objects.values_list("sha256", "size_bytes"))) == 1


def test_a_table_has_the_same_bytes_however_its_rows_come() -> None:
    """The local engine hands out 8,192 rows at a time, a warehouse 10,000."""
    count = 2 * GROUP_ROWS + 500
    text = [str(number % 900) * (number % 40) for number in range(count)]
    columns = {
        "id": [f"pair {number}" for number in range(count)],
        "item_ref": text,
        "position": list(range(count)),
        "version": [1] * count,
        "ai_confidence": [number % 100 / 100 for number in range(count)],
        "allowed_uses": ['["training"]'] * count,
        "prohibited_uses": ["[]"] * count,
    }
    given = {RENAMED.get(name, name) for name in SCHEMA.names} - columns.keys() - {"messages", *CONSTANTS}
    pairs = pa.table(columns | {name: pa.nulls(count) for name in given})
    records = [{"messages": [{"role": "user", "content": each}]} for each in text]

    def written(size: int) -> bytes:
        kept = (Kept(records[at : at + size], pairs.slice(at, size)) for at in range(0, count, size))
        return b"".join(block.data for block in parquet(kept, CONSTANTS))

    assert written(8_192) == written(10_000) == written(count) != b""
