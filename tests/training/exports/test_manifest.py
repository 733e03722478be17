"""The manifest proves the file, and the file is found wanting when one byte of it differs."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel
from tests.training.exports.conftest import Fetch, Write, answer_of
from training.actions.export import manifest_path, open_export
from training.exports.formats import FORMATS
from training.models import Export, ExportPart, QAPair, TrainingSheet

pytestmark = pytest.mark.usefixtures("beats_in_vain")


def verify(file: Path) -> tuple[int, str]:
    """Return the command's exit code and all that it said."""
    told = io.StringIO()
    try:
        call_command("verify_export", file, stdout=told, stderr=told)
    except CommandError as error:
        return error.returncode, f"{told.getvalue()}{error}"
    return 0, told.getvalue()


def test_a_pipe_is_given_the_lines_and_no_manifest(invoices: TrainingSheet, write: Write, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit((tmp_path / "pipe").read_bytes)
        write(invoices, "pipe")
    assert hashlib.sha256(read.result()).hexdigest() == Export.objects.get().sha256
    assert [each.name for each in tmp_path.iterdir() if each.is_file() or each.is_fifo()] == ["pipe"]


def test_a_link_to_an_export_stays_one_and_both_verify(invoices: TrainingSheet, write: Write, tmp_path: Path) -> None:
    (tmp_path / "latest.jsonl").symlink_to("of_may.jsonl")
    link = write(invoices, "latest.jsonl")
    assert link.is_symlink() and verify(link)[0] == verify(tmp_path / "of_may.jsonl")[0] == 0


def flipped(file: Path, line: int) -> None:
    """Change one byte in the middle of a line, counted from 1."""
    lines = file.read_bytes().splitlines(keepends=True)
    at = sum(map(len, lines[: line - 1])) + len(lines[line - 1]) // 2
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def told_of_flipped(file: Path, changed: Path, most: int = 100) -> Iterator[str]:
    """Flip a bit here and there in a file of an export, one at a time, and yield what is said of each."""
    whole = changed.read_bytes()
    for at in range(0, len(whole), 1 + len(whole) // most):
        changed.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        code, told = verify(file)
        assert code == 1, (at, told)
        yield told


def test_it_names_every_line_in_order(invoices: TrainingSheet, write: Write, api: APIClient) -> None:
    file = write(invoices)
    manifest = json.loads(manifest_path(file).read_bytes())
    pairs = QAPair.objects.of(invoices.pk).filter(canonical_label__prohibited_uses__len=0)
    lines = file.read_bytes().splitlines(keepends=True)
    assert [(each["pair_id"], each["label_id"]) for each in manifest["lines"]] == list(
        pairs.values_list("pk", "canonical_label_id")
    )
    assert [each["sha256"] for each in manifest["lines"]] == [hashlib.sha256(line).hexdigest() for line in lines]
    versions = ("pair_version", "label_version", "label_latest")
    assert {tuple(each[name] for name in versions) for each in manifest["lines"]} == {(1, 1, 1)}
    assert manifest["template"]["version"] == "1.0.0" and manifest["counts"]["exported"] == 5
    export = Export.objects.get()
    assert manifest["sha256"] == export.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert export.manifest_sha256 == hashlib.sha256(manifest_path(file).read_bytes()).hexdigest()


def test_the_api_gives_the_manifest_that_was_written(invoices: TrainingSheet, write: Write, api: APIClient) -> None:
    written = manifest_path(write(invoices)).read_bytes()
    response: Any = api.get(f"/api/v1/exports/{Export.objects.get().pk}/manifest")
    assert b"".join(response.streaming_content) == written
    assert response["Content-Disposition"].endswith(".jsonl.manifest.json")


def test_what_a_download_holds_is_kept_before_its_first_byte(invoices: TrainingSheet) -> None:
    """A process may be killed before its row is written: recall finds the pairs, and the audit who asked."""
    stream = iter(open_export(invoices, actor="rosa", channel="api"))
    lines = next(stream).splitlines()
    parts = ExportPart.objects.values_list("pair_ids", flat=True)
    assert len([pair for part in parts for pair in part]) == len(lines) == 5
    (begun,) = UsageConstraintAudit.objects.filter(subject=f"training sheet {invoices.pk}")
    assert (begun.kind, begun.modified_by) == ("export", "rosa")
    assert begun.reason == "An export for training as chat begins (api)" and not Export.objects.exists()
    assert list(stream) == [] and Export.objects.get().is_complete


def test_an_untouched_file_passes(invoices: TrainingSheet, write: Write) -> None:
    code, told = verify(write(invoices))
    assert code == 0 and "5 lines, each as it was exported" in told and "all 5 pairs stand as they left" in told


def test_both_commands_say_how_far_they_are(
    boards: TrainingSheet, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(boards)
    assert "50 of 50 pairs, 100%" in capsys.readouterr().err
    assert verify(file)[0] == 0 and "20 of 20 lines and pairs, 100%" in capsys.readouterr().err


def test_a_flipped_byte_is_found_with_its_line(boards: TrainingSheet, write: Write) -> None:
    file = write(boards)
    flipped(file, 4)
    code, told = verify(file)
    assert code == 1 and "line 4 is not what was exported" in told and "1 difference" in told


@pytest.mark.parametrize("name", FORMATS)
def test_every_flipped_byte_is_told(boards: TrainingSheet, edited: QAPair, write: Write, name: str) -> None:
    file = write(boards, format=name)
    assert verify(file)[0] == 0
    for told in told_of_flipped(file, file):
        assert "line " in told or name == "parquet"


def test_every_flipped_byte_of_a_manifest_is_told(boards: TrainingSheet, write: Write) -> None:
    file = write(boards)
    manifest = manifest_path(file)
    whole = manifest.read_bytes()
    for told in told_of_flipped(file, manifest):
        assert "is not one that was written with an export" in told
    manifest.write_bytes(whole + b" ")
    assert verify(file)[0] == 1


def test_a_header_is_a_line(boards: TrainingSheet, write: Write) -> None:
    file = write(boards, format="csv")
    flipped(file, 1)
    code, told = verify(file)
    assert code == 1 and "line 1, the header, is not what was exported" in told and "1 difference" in told


def test_missing_and_added_lines_are_named(boards: TrainingSheet, write: Write) -> None:
    file = write(boards)
    whole = file.read_bytes()
    file.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    assert "line 10 is missing" in verify(file)[1]
    file.write_bytes(whole + b"{}\n")
    assert "line 11 is not in the manifest" in verify(file)[1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: lines[:3] + lines[4:], ["line 4 is missing: pair {3}"]),
        (lambda lines: lines[:3] + lines[5:], ["line 4 is missing: pair {3}", "line 5 is missing: pair {4}"]),
        (lambda lines: [*lines[:3], b"{}\n", *lines[3:]], ["line 4 is not in the manifest"]),
        (
            lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]],
            ["line 4 is missing: pair {3}", "line 5 is not in the manifest"],
        ),
        (
            lambda lines: [b"{}\n", *lines[1:5], *lines[6:]],
            ["line 1 is not what was exported: pair {0}", "line 6 is missing: pair {5}"],
        ),
    ],
)
def test_behind_a_line_that_was_taken_out_or_slipped_in_the_others_are_as_they_were(
    boards: TrainingSheet, write: Write, change: Callable[[list[bytes]], list[bytes]], told: list[str]
) -> None:
    file = write(boards)
    pairs = [each["pair_id"] for each in json.loads(manifest_path(file).read_bytes())["lines"]]
    file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))
    code, found = verify(file)
    assert code == 1 and [line.strip() for line in found.splitlines()[:-1]] == [each.format(*pairs) for each in told]


def test_a_manifest_that_was_changed_to_fit_is_found(boards: TrainingSheet, write: Write) -> None:
    file = write(boards)
    manifest = manifest_path(file)
    manifest.write_bytes(manifest.read_bytes().replace(b'"pair_version":1', b'"pair_version":2', 1))
    code, told = verify(file)
    assert code == 1 and "is not one that was written with an export" in told


def test_pairs_that_changed_or_were_withdrawn_since_are_named(
    invoices: TrainingSheet, write: Write, api: APIClient
) -> None:
    file = write(invoices)
    labels = list(CanonicalLabel.objects.filter(prohibited_uses__len=0).order_by("item_ref"))
    CanonicalLabel.objects.filter(pk=labels[0].pk).update(prohibited_uses=["training"], usage_reason="Client NDA")
    CanonicalLabel.objects.filter(pk=labels[1].pk).update(version=2)
    pair = QAPair.objects.get(canonical_label=labels[2])
    assert api.post(f"/api/v1/qa-pairs/{pair.pk}/flag", {"reason": "blurred"}).status_code == 200
    code, told = verify(file)
    assert code == 3 and "1 pair changed and 2 were withdrawn" in told
    assert "training prohibited: Client NDA" in told and "flagged" in told and "its label is at 2" in told


def test_a_label_that_was_ahead_of_its_pair_when_it_left_has_not_changed(
    boards: TrainingSheet, write: Write, api: APIClient
) -> None:
    asked = {"sheet_id": boards.sheet_id, "template_id": boards.template_id}
    other = api.post("/api/v1/training-sheets/generate", asked, format="json").json()["id"]
    there = QAPair.objects.of(other).filter(labeling_mode="canonical")[0]
    answer = {**answer_of(there), "severity": "critical" if answer_of(there)["severity"] != "critical" else "minor"}
    assert api.post(f"/api/v1/qa-pairs/{there.pk}/edit", {"answer": answer}, format="json").status_code == 200
    label = CanonicalLabel.objects.get(pk=there.canonical_label_id)
    here = QAPair.objects.of(boards.pk).get(canonical_label=label)
    assert (label.version, here.canonical_label_version, here.status) == (2, 1, "labeled")
    file = write(boards)
    code, told = verify(file)
    assert (
        code == 0 and "all 10 pairs stand as they left\nof these 1 had a label that was changed before it left" in told
    )
    CanonicalLabel.objects.filter(pk=label.pk).update(version=3)
    code, told = verify(file)
    assert code == 3 and f"pair {here.pk} left when its label was at version 2; its label is at 3" in told
    assert "review the pair again whose label changed (docs/review.md#older-labels), then export anew" in told


def test_a_manifest_that_has_the_link_to_the_label_alone_still_verifies(boards: TrainingSheet, write: Write) -> None:
    file = write(boards)
    manifest = manifest_path(file)
    manifest.write_bytes(re.sub(rb',"label_latest":\w+', b"", manifest.read_bytes()))
    Export.objects.update(manifest_sha256=hashlib.sha256(manifest.read_bytes()).hexdigest())
    assert verify(file)[0] == 0
    label = CanonicalLabel.objects.filter(pairs__training_sheet=boards, prohibited_uses__len=0)[0]
    CanonicalLabel.objects.filter(pk=label.pk).update(version=2)
    code, told = verify(file)
    assert code == 3 and "its label is at 2" in told and "1 pair changed" in told


@pytest.mark.parametrize("name", FORMATS)
def test_a_text_that_changed_without_a_version_is_named(
    boards: TrainingSheet, edited: QAPair, write: Write, name: str
) -> None:
    file = write(boards, format=name)
    pair = QAPair.objects.get(pk=edited.pk)
    asked = {"role": "user", "content": "Another question"}
    QAPair.objects.filter(pk=pair.pk).update(messages=[*pair.messages[:-2], asked, pair.messages[-1]])
    code, told = verify(file)
    assert code == 3 and f"pair {pair.pk} has the version that it left with, but another line" in told
    assert "1 pair changed and 0 were withdrawn" in told


def test_parts_are_in_delta_and_lead_from_a_pair_to_its_exports(
    boards: TrainingSheet, fetch: Fetch, seeded: Path
) -> None:
    fetch(boards)
    fetch(boards, format="csv")
    parts = pl.read_delta(str(seeded / "mirion_vital/workbench/export_parts"))
    pair = QAPair.objects.of(boards.pk).filter(status="labeled")[0]
    reached = parts.filter(pl.col("pair_ids").list.contains(pair.pk))["export_id"].to_list()
    assert sorted(reached) == sorted(Export.objects.values_list("pk", flat=True))
