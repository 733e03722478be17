"""Processes killed in the middle of applying: the next one goes on, and every action is applied exactly once."""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.db import connections

from tests.training.review.elsewhere import KILLED, apply_until, verify_audit
from tests.training.review.test_actions import OTHER, answer_of
from training.actions.review import review
from training.models import QAPair
from training.review.journal import Decision


@pytest.fixture
def journal(waiting: QAPair, settings: Any) -> list[QAPair]:
    """Five pairs with acknowledged actions that nobody applied.

    Approved, edited twice, approved and undone, flagged, limited and approved.
    """
    settings.REVIEW_APPLY = "worker"
    pairs = list(QAPair.objects.filter(status="unlabeled", misfits__len=0, error="")[:5])
    approved, edited, undone, flagged, limited = pairs
    for severity in (1, 2):
        old = answer_of(edited)
        answer = {**old, "severity": list(OTHER)[severity]}
        review(Decision(edited.pk, "edit", answer=answer), actor="rosa")
    phi = {"prohibit": ["training"]}
    review(Decision(limited.pk, "uses", uses=phi, reason="Contains PHI", may_change_uses=True), actor="rosa")
    for pair, actions in (
        (approved, ["approve"]),
        (undone, ["approve", "undo"]),
        (flagged, ["flag"]),
        (limited, ["approve"]),
    ):
        for action in actions:
            review(Decision(pair.pk, action, reason="look again"), actor="rosa")
    return pairs


def test_killed_again_and_again(journal: list[QAPair], lakehouse: Path, tmp_path: Path) -> None:
    database = tmp_path / "default.sqlite3"
    database.write_bytes(connections["default"].connection.serialize())
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.training.review.elsewhere"])
    deaths, statement, code = 0, 0, KILLED
    while code == KILLED:
        statement += 2
        given = (str(lakehouse), f"sqlite://{database}", journal[0].training_sheet_id, statement)
        process = context.Process(target=apply_until, args=given)
        process.start()
        process.join(60)
        code = process.exitcode
        deaths += code == KILLED
    assert (code, deaths > 4) == (0, True), deaths
    check(journal, lakehouse, database)
    chain = context.Process(target=verify_audit, args=(str(lakehouse), f"sqlite://{database}"))
    chain.start()
    chain.join(60)
    assert chain.exitcode == 0


def check(journal: list[QAPair], lakehouse: Path, database: Path) -> None:
    tables = ("qa_pairs", "canonical_labels", "canonical_label_versions", "review_events", "usage_constraint_audit")
    read = {name: pl.read_delta(str(lakehouse / "mirion_vital/workbench" / name)) for name in tables}
    refs, ids = [pair.item_ref for pair in journal], [pair.pk for pair in journal]
    pairs = {row["id"]: row for row in read["qa_pairs"].filter(pl.col("id").is_in(ids)).to_dicts()}
    assert [(pairs[key]["status"], pairs[key]["version"]) for key in ids] == [
        ("labeled", 2), ("labeled", 3), ("unlabeled", 3), ("flagged", 2), ("labeled", 3),
    ]  # fmt: skip
    labels = {
        row["item_ref"]: row for row in read["canonical_labels"].filter(pl.col("item_ref").is_in(refs)).to_dicts()
    }
    assert {ref: label["version"] for ref, label in labels.items()} == {refs[0]: 1, refs[1]: 2, refs[4]: 1}
    assert json.loads(labels[refs[1]]["label_data"])["severity"] == list(OTHER)[2]
    limited = (pairs[ids[4]], labels[refs[4]])
    assert [row["prohibited_uses"] for row in limited] == [["training"], ["training"]]
    (audited,) = read["usage_constraint_audit"].to_dicts()
    assert (audited["qa_pair_id"], audited["new_prohibited_uses"], audited["sequence"]) == (ids[4], ["training"], 1)
    keys = [label["id"] for label in labels.values()]
    versions = read["canonical_label_versions"].filter(pl.col("canonical_label_id").is_in(keys))
    assert sorted(versions["version"].to_list()) == [1, 1, 1, 2]
    assert read["review_events"].height == read["review_events"]["action_id"].n_unique() == 8
    counts = "SELECT (SELECT count(*) FROM review_actions WHERE applied_at IS NULL), sum(waiting) FROM review_pairs"
    assert sqlite3.connect(database).execute(counts).fetchone() == (0, 0)
