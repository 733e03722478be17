"""An item stands on one side for good."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from labels.models import CanonicalLabel
from templates_app.models import PromptTemplate
from tests.heads import head
from tests.training.exports.conftest import Fetch, Write
from training.exports.splits import Split, Strata, side_of
from training.models import Export, QAPair, SheetSplit, SplitItem, TrainingSheet

REFS = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=60)


@given(st.text(max_size=5), REFS, st.integers(1, 49))
def test_a_larger_share_moves_items_one_way(sheet: str, refs: list[str], percent: int) -> None:
    smaller, larger = Split(percent), Split(percent + 1)
    for ref in refs:
        assert side_of(sheet, ref, smaller) == "train" or side_of(sheet, ref, larger) == "validation"


def test_the_share_is_about_what_was_asked() -> None:
    sides = Counter(side_of("sheet", f"item {number}", Split(10)) for number in range(10_000))
    assert 900 < sides["validation"] < 1100


@given(st.lists(st.sampled_from("abc"), max_size=80), st.integers(1, 50))
def test_each_stratum_has_its_share_within_one_item(strata: list[str], percent: int) -> None:
    made = Strata("sheet", Split(percent, "kind"))
    for number, stratum in enumerate(strata):
        made.decide(stratum, str(number))
        total = made.counts[stratum, "train"] + made.counts[stratum, "validation"]
        assert abs(made.counts[stratum, "validation"] - percent / 100 * total) <= 1


def labeled(sheet: TrainingSheet) -> int:
    return QAPair.objects.of(sheet.pk).filter(status="labeled").count()


def test_the_sides_share_nothing_and_are_everything(boards: TrainingSheet, fetch: Fetch) -> None:
    more = {"validation_percent": 30}
    sides = [set(fetch(boards, split=side, **more).splitlines()) for side in ("train", "validation")]
    assert not sides[0] & sides[1]
    assert sides[0] | sides[1] == set(fetch(boards).splitlines())
    assert all(sides)


def test_each_side_asks_the_gate_for_its_own_use(boards: TrainingSheet, fetch: Fetch, api: APIClient) -> None:
    CanonicalLabel.objects.update(prohibited_uses=["validation"], usage_reason="Client NDA")
    url = f"/api/v1/training-sheets/{boards.pk}/export/"
    assert fetch(boards, split="train", validation_percent=30)
    refused = api.get(f"{url}jsonl", {"split": "validation"})
    assert refused.status_code == 409 and "validation prohibited: Client NDA" in refused.json()["error"]["message"]
    refused = api.get(f"{url}jsonl", {"split": "train", "use": "few_shot"})
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["use"])
    summary = api.get(f"{url}summary", {"split": "train"}).json()
    assert [each["source"] for each in summary["exclusions"] if each["rule"] == "split"] == ["split of the sheet"]
    assert summary["total"] == summary["exported"] + sum(each["count"] for each in summary["exclusions"])


def test_the_first_split_export_fixes_the_share(boards: TrainingSheet, fetch: Fetch, api: APIClient) -> None:
    fetch(boards, split="train", validation_percent=30)
    before = fetch(boards, split="validation")
    assert Export.objects.values_list("validation_percent", flat=True)[0] == 30
    url = f"/api/v1/training-sheets/{boards.pk}/export/jsonl"
    refused: Any = api.get(url, {"split": "train", "validation_percent": 10})
    assert refused.status_code == 409 and "split already, with 30 % validation" in refused.json()["error"]["message"]
    assert fetch(boards, split="validation") == before


def test_of_two_split_exports_at_once_both_have_one_share(boards: TrainingSheet, api: APIClient) -> None:
    url = f"/api/v1/training-sheets/{boards.pk}/export/jsonl"
    held: Any = api.get(url, {"split": "train", "validation_percent": 40})
    refused: Any = api.get(url, {"split": "validation", "validation_percent": 50})
    assert (
        refused.status_code == 409
        and "split already, with 40 % validation, by rosa" in refused.json()["error"]["message"]
    )
    other: Any = api.get(url, {"split": "validation"})
    sides = [set(b"".join(each.streaming_content).splitlines()) for each in (other, held)]
    assert sides[0] and sides[1] and not sides[0] & sides[1]


@pytest.mark.parametrize("by", [{}, {"stratify_by": "defect_type"}])
def test_an_export_of_nothing_fixes_no_share(
    boards: TrainingSheet, api: APIClient, fetch: Fetch, by: dict[str, str]
) -> None:
    CanonicalLabel.objects.update(prohibited_uses=["training"], usage_reason="Client NDA")
    url = f"/api/v1/training-sheets/{boards.pk}/export/jsonl"
    assert api.get(url, {"split": "train", "validation_percent": 10, **by}).status_code == 409
    assert not SheetSplit.objects.exists() and not SplitItem.objects.exists()
    assert fetch(boards, split="validation", validation_percent=40, **by)


def test_what_a_trainer_would_refuse_fixes_no_share(boards: TrainingSheet, api: APIClient, fetch: Fetch) -> None:
    url = f"/api/v1/training-sheets/{boards.pk}/export/jsonl"
    # Of ten pairs two go to validation, or eight to train: either is too few.
    for side in ("validation", "train"):
        asked = {"split": side, "profile": "openai", "stratify_by": "defect_type", "validation_percent": 20}
        refused, of_head = api.get(url, asked), head(api, url, asked)[0]
        assert refused.status_code == of_head.status_code == 409 and "it takes 10 at least" in refused.text
    assert not SheetSplit.objects.exists() and not SplitItem.objects.exists()
    assert fetch(boards, split="train", stratify_by="severity", validation_percent=40, profile="trl")


def test_an_empty_side_of_a_first_stratified_split_fixes_no_share(
    boards: TrainingSheet, api: APIClient, fetch: Fetch
) -> None:
    drop = QAPair.objects.of(boards.pk).filter(status="labeled").values_list("pk", flat=True)[1:]
    QAPair.objects.filter(pk__in=list(drop)).update(status="rejected")
    asked = {"stratify_by": "defect_type", "validation_percent": 50}
    url = f"/api/v1/training-sheets/{boards.pk}/export/jsonl"
    found = {side: head(api, url, {"split": side, **asked})[0].status_code for side in ("train", "validation")}
    (full,) = [side for side, status in found.items() if status == 200]
    (empty,) = [side for side, status in found.items() if status == 409]
    assert api.get(url, {"split": empty, **asked}).status_code == 409
    assert not SheetSplit.objects.exists() and not SplitItem.objects.exists()
    assert len(fetch(boards, split=full, **asked).splitlines()) == 1


def test_strata_keep_their_share_and_no_item_moves_when_the_sheet_grows(
    boards: TrainingSheet, fetch: Fetch, write: Write
) -> None:
    options = {"stratify_by": "defect_type", "validation_percent": 40}
    before = set(fetch(boards, split="validation", **options).splitlines())
    kept = dict(SplitItem.objects.values_list("item_ref", "side"))
    assert len(kept) == labeled(boards) == 10
    QAPair.objects.of(boards.pk).filter(status="unlabeled", misfits__len=0, error="").update(status="labeled")
    after = set(write(boards, split="validation").read_bytes().splitlines())
    assert before < after
    grown = dict(SplitItem.objects.values_list("item_ref", "side"))
    assert kept.items() <= grown.items() and len(grown) == labeled(boards)
    kinds: dict[str, Counter[str]] = {}
    for stratum, side in SplitItem.objects.values_list("stratum", "side"):
        kinds.setdefault(stratum, Counter())[side] += 1
    for counts in kinds.values():
        assert abs(counts["validation"] - 0.4 * counts.total()) <= 1
    assert {json.loads(line)["messages"][-1]["role"] for line in after} == {"assistant"}


def test_looking_decides_no_side(boards: TrainingSheet, api: APIClient) -> None:
    asked = {"split": "train", "stratify_by": "defect_type"}
    summary = api.get(f"/api/v1/training-sheets/{boards.pk}/export/summary", asked).json()
    (entry,) = [each for each in summary["exclusions"] if each["rule"] == "split"]
    assert (entry["count"], summary["exported"], SplitItem.objects.count()) == (10, 0, 0)


def test_a_stratum_that_no_answer_has_binds_nobody(boards: TrainingSheet, api: APIClient, fetch: Fetch) -> None:
    url, asked = f"/api/v1/training-sheets/{boards.pk}/export", {"split": "train", "stratify_by": "defect_typ"}
    for what in ("jsonl", "summary", "checks"):
        refused = api.get(f"{url}/{what}", asked)
        assert refused.status_code == 400 and "Did you mean 'defect_type'?" in refused.json()["error"]["message"]
    assert not SheetSplit.objects.exists() and not SplitItem.objects.exists()
    assert fetch(boards, split="train", stratify_by="defect_type")


@pytest.mark.parametrize("schema", ["as it is", "any answer"])
def test_a_stratum_that_is_empty_in_every_answer_binds_nobody(
    boards: TrainingSheet, api: APIClient, fetch: Fetch, schema: str
) -> None:
    if schema == "any answer":
        PromptTemplate.objects.filter(pk=boards.template_id).update(output_schema={})
    url, asked = f"/api/v1/training-sheets/{boards.pk}/export", {"split": "train", "stratify_by": "location.typo"}
    for what in ("jsonl", "summary", "checks"):
        refused = api.get(f"{url}/{what}", asked)
        assert refused.status_code == 400, what
        assert (
            "No approved answer has a value in 'location.typo'" in refused.json()["error"]["fields"]["stratify_by"][0]
        )
    assert not SheetSplit.objects.exists() and not SplitItem.objects.exists()
    assert fetch(boards, split="train", stratify_by="defect_type")


@pytest.mark.parametrize("options", [{"validation_percent": 20}, {"split": "train", "validation_percent": 60}])
def test_a_share_that_means_nothing_is_refused(boards: TrainingSheet, api: APIClient, options: dict[str, Any]) -> None:
    assert api.get(f"/api/v1/training-sheets/{boards.pk}/export/jsonl", options).status_code == 400
