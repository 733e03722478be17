"""The labeling screen without a browser: where it starts, what comes next, who holds it, its API."""

from __future__ import annotations

import re
from copy import copy
from pathlib import Path
from typing import Any

import polars
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from labels.actions import record_label
from labels.labeling.past import past_of
from labels.labeling.walking import walk
from labels.models import CanonicalLabel, CanonicalLabelVersion
from labels.opinions.actions import ask_for_opinions, give_opinion
from sheets.actions import create_sheet
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from tests.labels.conftest import Record
from workbench.lakehouse.ids import uuid7
from workbench.problems import Invalid
from workbench.router import LAKEHOUSE

URL = "/api/v1/canonical-labels"


def refs(sheet: Sheet, **wanted: Any) -> list[str]:
    return [stop.item_ref for stop in walk(sheet, "defect", **wanted).stops]


def test_gaps_all_stale_and_text(boards: Sheet, record: Record, lakehouse: Path) -> None:
    record(item_ref="b2")
    assert refs(boards) == ["a1", "c3"]
    assert refs(boards, order="all", after="a1", limit=1) == ["b2"]
    assert refs(boards, order="all", text="S") == ["c3"]
    assert refs(boards, order="stale") == []
    changed = pa.table({"board_id": ["a1", "b2", "c3"], "line": ["n", "other", "s"]})
    write_deltalake(lakehouse / "shop/raw/boards", changed, mode="overwrite")
    assert refs(boards, order="stale") == ["b2"]


def test_a_long_sheet_is_read_by_parts(boards: Sheet, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labels.labeling.walking.READ_AT_MOST", 2)
    record(item_ref="a1")
    record(item_ref="b2")
    first = walk(boards, "defect", text="s")
    assert (first.stops, first.after) == ([], "b2")
    assert [stop.item_ref for stop in walk(boards, "defect", text="s", after=first.after).stops] == ["c3"]


def test_gaps_are_found_by_one_statement_that_reads_names_alone(
    boards: Sheet, record: Record, lakehouse: Path, django_assert_num_queries: Any
) -> None:
    names = [f"p{number:04}" for number in range(3_000)]
    write_deltalake(
        lakehouse / "shop/raw/boards", pa.table({"board_id": names, "line": ["n"] * 3_000}), mode="overwrite"
    )
    record(item_ref=names[0])
    made, others = CanonicalLabel.objects.get(), []
    for name in names[1:2_990]:
        made.pk, made.item_ref = uuid7(), name
        others += [copy(made)] if name != "p1500" else []
    CanonicalLabel.objects.bulk_create(others)
    with CaptureQueriesContext(connections[LAKEHOUSE]) as read:
        found = walk(boards, "defect", limit=5, without={"p2991"})
    assert [stop.item_ref for stop in found.stops] == ["p1500", "p2990", "p2992", "p2993", "p2994"]
    walked = [query["sql"] for query in read if "canonical_labels" in query["sql"]]
    assert len(walked) == 1 and " LIMIT 6" in walked[0]
    rest = walk(boards, "defect", limit=5, without={"p2991"}, after=found.after)
    assert ([stop.item_ref for stop in rest.stops], rest.after) == (
        [f"p{number}" for number in range(2995, 3000)],
        None,
    )
    assert refs(boards, after="p2998", limit=1) == ["p2999"]


@pytest.mark.parametrize(("keys", "words"), [(["a1", None], "items without"), (["a1", "c3", "c3"], "more than once")])
def test_gaps_say_what_is_wrong_with_names(keys: list[Any], words: str, boards: Sheet, lakehouse: Path) -> None:
    table = pa.table({"board_id": pa.array(keys, pa.string()), "line": ["n"] * len(keys)})
    write_deltalake(lakehouse / "shop/raw/boards", table, mode="overwrite")
    with pytest.raises(Invalid, match=words):
        walk(boards, "defect")


def test_gaps_of_a_filtered_sample_whose_names_are_numbers(lakehouse: Path) -> None:
    table = pa.table({"no": list(range(1, 41)), "line": ["n", "s"] * 20})
    write_deltalake(lakehouse / "shop/raw/numbered", table)
    given = {"primary_table": "shop.raw.numbered", "join_keys": ["no"], "filter_condition": "line = 's'"}
    sheet = create_sheet({"name": "Numbered", "sample_size": 10, **given}, actor="omar")
    every = refs(sheet, order="all")
    assert len(every) == 10 and every == sorted(every, key=int) == refs(sheet)
    record_label(sheet=sheet, item_ref=every[3], label_type="defect", label_data={"defect": "none"}, actor="rosa")
    assert refs(sheet) == [ref for ref in every if ref != every[3]]


def test_an_item_is_held_by_one(api: APIClient, boards: Sheet, template: PromptTemplate, omar: User) -> None:
    task = {"sheet_id": boards.pk, "label_type": "defect"}
    assert api.post(f"{URL}/hold", {**task, "item_ref": "a1"}).json() == {"version": 0}
    other = APIClient()
    other.force_authenticate(omar)
    refused = other.post(f"{URL}/hold", {**task, "item_ref": "a1"})
    assert (refused.status_code, "rosa has a1" in refused.json()["error"]["message"]) == (409, True)
    ahead = other.get(f"{URL}/ahead", {"sheet": boards.pk, "label_type": "defect"}).json()
    assert [stop["item_ref"] for stop in ahead["stops"]] == ["b2", "c3"]
    assert api.post(f"{URL}/let-go", {**task, "item_ref": "a1"}).status_code == 204
    assert other.post(f"{URL}/hold", {**task, "item_ref": "a1"}).status_code == 200


def test_a_label_written_since_is_a_conflict_with_both(api: APIClient, boards: Sheet, record: Record) -> None:
    record(label_data={"defect": "none"}, actor="omar")
    body = {
        "sheet_id": boards.pk,
        "item_ref": "a1",
        "label_type": "defect",
        "label_data": {"defect": "x"},
        "version": 0,
    }
    refused = api.post(URL, body, format="json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "stale_version")
    details = refused.json()["error"]["details"]
    assert (details["base"], details["theirs"]["label_data"], details["mine"]) == (
        None,
        {"defect": "none"},
        {"defect": "x"},
    )
    saved = api.post(URL, body | {"version": 1}, format="json").json()
    assert saved["version"] == 2
    # The same once more, because its answer was lost: no conflict, no version.
    assert api.post(URL, body | {"version": 1}, format="json").json()["version"] == 2


def test_the_entry_page_in_few_queries(
    client: Client, rosa: User, boards: Sheet, template: Any, record: Record
) -> None:
    record()
    record(item_ref="b2", label_type="other")
    client.force_login(rosa)
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        page = client.get(reverse("label-entry")).content.decode()
    assert len(queries) == 5
    assert reverse("label", args=[boards.pk, "defect"]) in page
    assert "No published template is for this type" in page


def test_what_waits_for_an_expert_is_counted_for_that_expert(
    client: Client, rosa: User, omar: User, nils: User, boards: Sheet, template: PromptTemplate, record: Record
) -> None:
    ask_for_opinions(sheet=boards, label_type="defect", share=100, actor="omar")
    record(actor="ana", template=template)

    def says(user: User) -> list[bool]:
        client.force_login(user)
        entry = client.get(reverse("label-entry")).content.decode()
        screen = client.get(reverse("label", args=[boards.pk, "defect"])).content.decode()
        counted = ["1 for your second opinion</a>" in entry, "<b>1</b> for your second opinion</a>" in screen]
        return [*counted, "1 to adjudicate</a>" in entry]

    assert (says(rosa), says(nils)) == ([True, True, False], [False, False, False])
    key = {"sheet": boards, "item_ref": "a1", "label_type": "defect"}
    give_opinion(**key, label_data={"defect": "scratch"}, actor="rosa")
    assert (says(rosa), says(nils), says(omar)) == ([False] * 3, [False] * 3, [False, False, True])


def test_a_task_that_cannot_be_is_not_found(client: Client, rosa: User, boards: Sheet) -> None:
    client.force_login(rosa)
    address = reverse("label-entry")
    assert client.get(address, {"sheet": "a/b", "label_type": "defect"}).status_code == 404
    assert client.get(address, {"sheet": boards.pk, "label_type": "a/b"}).status_code == 404
    there = client.get(address, {"sheet": boards.pk, "label_type": "defect"})
    assert (there.status_code, there.headers["Location"]) == (302, reverse("label", args=[boards.pk, "defect"]))


def test_nils_looks_and_saves_nothing(client: Client, nils: User, boards: Sheet, template: PromptTemplate) -> None:
    client.force_login(nils)
    address = reverse("label", args=[boards.pk, "defect"])
    assert "ask an owner" in client.get(address).content.decode()
    posted = {"verb": "save", "item_ref": "a1", "version": "0", "answer.defect": '"none"'}
    assert client.post(address, posted).status_code == 403
    assert client.get(reverse("label-import", args=[boards.pk])).status_code == 403
    assert not CanonicalLabel.objects.exists()


def test_versions_are_compared_and_restored(
    client: Client, rosa: User, record: Record, template: PromptTemplate, lakehouse: Path
) -> None:
    record(label_data={"defect": "a long scratch on the left"}, notes="first")
    label = record(label_data={"defect": "a short scratch on the left"}, notes="first", actor="omar")
    client.force_login(rosa)
    address = reverse("label-versions", args=[label.pk])
    page = client.get(address).content.decode()
    assert "a <del>long</del><ins>short</ins> scratch on the left" in page
    assert client.post(address, {"version": "1", "seen": "1"}).status_code == 409
    assert client.post(address, {"version": "1", "seen": "2"}).status_code == 302
    rows = polars.read_delta(str(next(lakehouse.rglob("canonical_label_versions")))).sort("version")
    assert rows["change_note"].to_list() == ["", "", "Version 1 restored"]
    assert rows["label_data"][0] == rows["label_data"][2]


def test_a_value_and_the_one_that_replaced_it_stand_apart(client: Client, rosa: User, record: Record) -> None:
    record(label_data={"defect": "none"})
    label = record(label_data={"defect": "scratch"})
    client.force_login(rosa)
    page = client.get(reverse("label-versions", args=[label.pk])).content.decode()
    assert "<del>none</del> → <ins>scratch</ins>" in page


def test_a_list_that_changed_is_told_without_brackets(record: Record) -> None:
    label = record(label_data={"codes": ["85025"]}, allowed_uses=["training"])
    record(label_data={"codes": None})
    record(label_data={"codes": ["85025", "99214"]})
    told = [[piece for diff in past.diffs for piece in diff.pieces] for past in past_of(label)]
    assert told == [[("ins", "85025, 99214")], [("del", "85025")], []]


def test_uses_in_another_order_are_no_change(client: Client, rosa: User, record: Record) -> None:
    label = record()
    # As another writer of the table may have left them.
    CanonicalLabelVersion.objects.update(allowed_uses=["few_shot", "testing", "evaluation", "validation", "training"])
    record(label_data={"defect": "scratch"})
    client.force_login(rosa)
    page = client.get(reverse("label-versions", args=[label.pk])).content.decode()
    assert "<ins>scratch</ins>" in page and "allowed_uses" not in page


def test_a_posted_form_keeps_uses_with_their_reason(
    client: Client, rosa: User, boards: Sheet, template: PromptTemplate
) -> None:
    client.force_login(rosa)
    address = reverse("label", args=[boards.pk, "defect"])
    posted = {"verb": "save", "item_ref": "a1", "version": "0", "answer.defect": '"none"', "use.training": "prohibited"}
    assert "Say why uses are prohibited" in client.post(address, posted).content.decode()
    assert client.post(address, posted | {"usage_reason": "PHI"}).status_code == 302
    label = CanonicalLabel.objects.get()
    assert (label.prohibited_uses, label.usage_reason, label.template) == (["training"], "PHI", template)
    head = client.get(address, {"item": "a1"}).content.decode().partition('class="item-head"')[2].partition("</div>")[0]
    assert 'title="PHI">training prohibited</span>' in head


def test_the_items_are_read_again_after_the_answer(
    client: Client,
    rosa: User,
    boards: Sheet,
    template: PromptTemplate,
    lakehouse: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client.force_login(rosa)
    address = reverse("label-progress", args=[boards.pk, "defect"])
    assert "3 without a label" in in_words(client.get(address).content)
    more = pa.table({"board_id": ["a1", "b2", "c3", "d4"], "line": ["n", "n", "s", "s"]})
    write_deltalake(lakehouse / "shop/raw/boards", more, mode="overwrite")
    assert "3 without a label" in in_words(client.get(address).content)
    monkeypatch.setattr("labels.labeling.progress.FRESH", -1)
    shown = [in_words(client.get(address).content) for _ in range(2)]
    assert ["3 without a label" in shown[0], "4 without a label" in shown[1]] == [True, True]


def in_words(page: bytes) -> str:
    return " ".join(re.sub("<[^>]+>", "", page.decode()).split())
