"""What the checks name: old labels, empty and broken-off answers, one answer too often, pairs that are malformed."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from labels.models import CanonicalLabel
from tests.training.exports.test_checks import checks, codes
from training.exports.answers import broke_off, is_empty, parsed, says_the_same
from training.exports.checking import sides_of
from training.exports.profiles import PROFILES
from training.models import Export, QAPair, TrainingSheet


def answered(pair: QAPair, answer: str) -> None:
    """Give a pair another answer, past the review."""
    messages = [*pair.messages[:-1], {"role": "assistant", "content": answer}]
    QAPair.objects.filter(pk=pair.pk).update(messages=messages)


def labeled(sheet: TrainingSheet) -> list[QAPair]:
    return list(QAPair.objects.of(sheet.pk).filter(status="labeled"))


def named(report: Any, code: str) -> Any:
    return next(each for each in report["problems"] if each["code"] == code)


def test_a_label_that_was_changed_since_is_named(boards: TrainingSheet, api: APIClient, admin: Client) -> None:
    pair = labeled(boards)[0]
    CanonicalLabel.objects.filter(pk=pair.canonical_label_id).update(version=2)
    report = checks(api, boards)
    found = named(report, "older_labels")
    assert (found["level"], found["pair_ids"]) == ("warning", [pair.pk])
    assert found["message"].startswith("1 answer was made from a label that was changed since")
    assert report["older_labels"] == {"count": 1, "pair_ids": [pair.pk]}
    page = admin.get(reverse("admin:training_trainingsheet_export", args=[boards.pk])).content.decode()
    assert "older=older" in page and "All of them" in page


def test_checks_look_at_the_sides_that_the_first_export_decides(
    boards: TrainingSheet, api: APIClient, admin: Client
) -> None:
    asked = {"split": "train", "stratify_by": "defect_type", "validation_percent": 30}
    twins = labeled(boards)
    for pair in twins:
        QAPair.objects.filter(pk=pair.pk).update(messages=twins[0].messages)
    report = checks(api, boards, **asked)
    assert (report["undecided"], report["lines"]) == (10, report["exported"]) and report["lines"] > 5
    assert "repeated" in codes(report)
    page = admin.get(reverse("admin:training_trainingsheet_export", args=[boards.pk]), asked).content.decode()
    assert "The export decides the sides of 10 pairs" in page and "Nothing stands out" not in page
    assert not Export.objects.exists()


def test_a_share_is_of_all_answers(boards: TrainingSheet, api: APIClient) -> None:
    pairs = labeled(boards)
    for number, pair in enumerate(pairs):
        answered(pair, json.dumps({"defect_type": "scratch", "is_new": True, "n": number} if number else {"n": 0}))
    report = checks(api, boards)
    lopsided = [each["message"] for each in report["problems"] if each["code"] == "lopsided"]
    assert lopsided == [
        "defect_type is 'scratch' in 90% of the answers.",
        "is_new is 'true' in 90% of the answers.",
    ]
    answered(pairs[1], '{"n": 1}')
    assert "lopsided" not in codes(checks(api, boards))


def test_answers_with_nothing_in_them_are_named(boards: TrainingSheet, api: APIClient) -> None:
    for pair, answer in zip(labeled(boards), ('{"a": null, "b": ""}', "{}", "5"), strict=False):
        answered(pair, answer)
    report = checks(api, boards)
    assert (report["empty"]["count"], report["other_form"]["count"], report["clipped"]["count"]) == (2, 1, 0)
    assert named(report, "empty")["message"] == "2 answers have nothing in them."


@pytest.mark.parametrize(
    "answer", ["{}", '""', "null", "[]", '{"a":null,"b":""}', "\u200b", "\ufeff", "[" * 900 + "]" * 900]
)
def test_nothing_is_to_be_seen_in(answer: str) -> None:
    assert is_empty(answer, parsed(answer))


@pytest.mark.parametrize("answer", ["0", "false", "-", "N/A", '{"a": 0}'])
def test_something_is_said_by(answer: str) -> None:
    assert not is_empty(answer, parsed(answer))


LONG = "All of it was looked at, and nothing else was found there. " * 4


@pytest.mark.parametrize(
    "answer",
    [
        "这是一个完整的句子。" * 25,
        "यह एक पूरा वाक्य है।" * 20,
        "هل هذا سؤال كامل؟" * 20,
        f"{LONG}https://example.com/a/b",
        f"{LONG}\n\nBest regards,\nRosa",
        f"{LONG}Total: 45",
        "A short answer",
        '{"a": [1]}',
    ],
)
def test_a_whole_answer_is_not_broken_off(answer: str) -> None:
    assert not broke_off(answer, parsed(answer))


@pytest.mark.parametrize("answer", ['{"a": 1, "b": [1, 2', f"{LONG}The board has a", f"{LONG}first,", "```\nx = 1"])
def test_what_stopped_half_way_is(answer: str) -> None:
    assert broke_off(answer, parsed(answer))


def test_the_same_json_is_the_same_answer(boards: TrainingSheet, api: APIClient) -> None:
    assert says_the_same('{"a":1,"b":2}', '{"b": 2, "a": 1}') and not says_the_same("a", "b")
    first, second = labeled(boards)[:2]
    answered(first, '{"a":1,"b":2}')
    QAPair.objects.filter(pk=second.pk).update(messages=first.messages)
    answered(QAPair.objects.get(pk=second.pk), '{"b": 2, "a": 1}')
    assert codes(checks(api, boards)).get("contradictions") is None


def test_a_preference_is_as_long_as_its_longer_side() -> None:
    asked, short, long = ([{"role": "user", "content": each}] for each in ("?", "a", "b" * 400))
    sides = sides_of({"prompt": asked, "chosen": short, "rejected": long})
    assert [side[-1]["content"] for side in sides] == ["a", "b" * 400]


def test_turns_that_a_trainer_does_not_read_are_named(boards: TrainingSheet, api: APIClient) -> None:
    found = named(checks(api, boards, format="alpaca", profile="axolotl"), "unread")
    assert found["message"] == "10 lines have earlier turns in `history`, which Axolotl does not read: use chat."
    assert "unread" not in codes(checks(api, boards, format="alpaca"))
    assert "message_property_mappings" in PROFILES["axolotl"].note


def test_a_malformed_pair_is_named_and_all_are_in_few_buckets(
    boards: TrainingSheet, api: APIClient, admin: Client
) -> None:
    pairs = labeled(boards)
    with connections["lakehouse"].cursor() as cursor:
        for pair, text in zip(pairs, ("no", "[1", ""), strict=False):
            cursor.execute("UPDATE qa_pairs SET messages = %s WHERE id = %s", [text, pair.pk])
    for number, pair in enumerate(pairs[3:6]):
        QAPair.objects.filter(pk=pair.pk).update(messages=[{"role": "user", f"key_{number}": "x" * 1000}])
    url = f"/api/v1/training-sheets/{boards.pk}/export/summary"
    found = [each for each in api.get(url).json()["exclusions"] if each["rule"] == "chat"]
    assert (found[0]["reason"], found[0]["count"]) == ("not valid JSON", 3)
    assert found[0]["pair_ids"] == [pair.pk for pair in pairs[:3]]
    page = admin.get(reverse("admin:training_trainingsheet_export", args=[boards.pk])).content.decode()
    assert reverse("admin:training_qapair_change", args=[pairs[0].pk]) in page


def test_checks_of_nothing_say_so(boards: TrainingSheet, api: APIClient, admin: Client) -> None:
    QAPair.objects.of(boards.pk).update(status="rejected")
    assert codes(checks(api, boards)) == {"nothing": "error"}
    said = io.StringIO()
    with pytest.raises(CommandError, match="Nothing would leave") as refused:
        call_command("export_jsonl", boards.pk, "--checks", stdout=said)
    assert refused.value.returncode == 1 and json.loads(said.getvalue())["lines"] == 0
    page = admin.get(reverse("admin:training_trainingsheet_export", args=[boards.pk])).content.decode()
    assert "Nothing stands out" not in page


def test_checks_end_with_an_error_where_a_trainer_would_refuse(invoices: TrainingSheet) -> None:
    with pytest.raises(CommandError, match="5 lines; it takes 10 at least"):
        call_command("export_jsonl", invoices.pk, "--checks", "--profile", "openai", stdout=io.StringIO())


def test_what_is_allowed_is_said(boards: TrainingSheet, api: APIClient) -> None:
    url = f"/api/v1/training-sheets/{boards.pk}/export/checks"
    refused = api.get(url, {"format": "CHAT"}).json()["error"]["fields"]["format"]
    assert refused[0].startswith("Found 'CHAT': use alpaca, chat, ")
    twice = api.get(f"/api/v1/training-sheets/{boards.pk}/export/summary?use=training&use=validation")
    assert twice.status_code == 400 and "more than one value" in twice.json()["error"]["message"]
