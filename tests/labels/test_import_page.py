"""Importing on the screen: a preview, and then exactly that."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from labels.models import CanonicalLabel
from sheets.models import Sheet
from tests.labels.conftest import Record
from tests.labels.test_import_labels import line
from training.jobs.upkeep import look_after


@pytest.fixture
def address(client: Client, rosa: User, boards: Sheet, settings: Any, tmp_path: Path) -> str:
    settings.VAR_DIR = tmp_path
    client.force_login(rosa)
    return reverse("label-import", args=[boards.pk])


def previewed(client: Client, address: str) -> dict[str, str]:
    file = SimpleUploadedFile("labels.jsonl", line("a1") + b"\n" + line("b2") + b"\n" + line("x"))
    page = client.post(address, {"file": file}).content.decode()
    assert "<b>2</b> new" in page and "The sheet has no item" in page
    return dict(re.findall(r'name="(token|digest)" value="([^"]+)"', page))


def test_preview_then_import(client: Client, address: str) -> None:
    posted = previewed(client, address)
    assert not CanonicalLabel.objects.exists()
    done = client.post(address, posted | {"confirm": "yes"}, follow=True).content.decode()
    assert "2 new, 0 changed, 0 unchanged, 1 refused" in done
    assert sorted(CanonicalLabel.objects.values_list("item_ref", "labeled_by")) == [("a1", "rosa"), ("b2", "rosa")]


def test_the_preview_shows_what_changes_in_each_label(client: Client, address: str, record: Record) -> None:
    record(item_ref="b2", label_data={"defect": "scratch"}, notes="a thin line")
    old = line("b2", label_data={"defect": "none"}, notes="a thin hair")
    page = client.post(address, {"file": SimpleUploadedFile("labels.jsonl", b"\n".join([old, line("a1")]))}).text
    assert "defect: <del>scratch</del> → <ins>none</ins>" in page
    assert "notes: a thin <del>line</del><ins>hair</ins>" in page
    assert re.search(
        r"<td class=\"name\">a1</td><td class=\"name\">defect</td>\s*<td[^>]*><span[^>]*>New</span> none</td>", page
    )


def test_the_file_goes_when_it_was_imported_or_after_a_day(client: Client, address: str, tmp_path: Path) -> None:
    previewed(client, address)
    (kept,) = (tmp_path / "label_imports").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    look_after()
    assert kept.exists()
    os.utime(kept, (0, 0))
    look_after()
    assert not kept.exists()
    client.post(address, previewed(client, address) | {"confirm": "yes"})
    assert not list(kept.parent.iterdir())


def test_labels_that_changed_since_are_previewed_again(client: Client, address: str, record: Record) -> None:
    posted = previewed(client, address)
    record(item_ref="b2", label_data={"defect": "scratch"})
    refused = client.post(address, posted | {"confirm": "yes"})
    assert refused.status_code == 409
    assert "<b>1</b> changed" in refused.content.decode()
    assert CanonicalLabel.objects.count() == 1


def test_an_upload_is_its_owners(client: Client, address: str, omar: User) -> None:
    posted = previewed(client, address)
    client.force_login(omar)
    answer = client.post(address, posted | {"confirm": "yes"})
    assert (answer.status_code, "upload it again" in answer.content.decode()) == (400, True)


def test_too_much_is_refused(client: Client, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labels.labeling.uploads.MOST_BYTES", 10)
    answer = client.post(address, {"file": SimpleUploadedFile("labels.jsonl", line())})
    assert "a file has at most 10" in answer.content.decode()
