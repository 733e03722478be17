"""What is known of a file before it is written, and what a trainer would refuse."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from training.exports.formats import FORMATS
from training.exports.profiles import PROFILES
from training.models import Export, QAPair, TrainingSheet


def checks(api: APIClient, sheet: TrainingSheet, **options: Any) -> Any:
    response = api.get(f"/api/v1/training-sheets/{sheet.pk}/export/checks", options)
    assert response.status_code == 200, response.content
    return response.json()


def codes(report: Any) -> dict[str, str]:
    return {each["code"]: each["level"] for each in report["problems"]}


def test_sizes_tokens_and_classes(boards: TrainingSheet, api: APIClient) -> None:
    report = checks(api, boards)
    body = b"".join(api.get(f"/api/v1/training-sheets/{boards.pk}/export/jsonl").streaming_content)  # type: ignore[attr-defined]
    assert (report["lines"], report["size_bytes"]) == (10, len(body))
    assert report["tokens"]["is_estimate"] and 0 < report["tokens"]["p95"] <= report["tokens"]["most"]
    (kinds,) = [each for each in report["balance"] if each["field"] == "severity"]
    assert sum(value["count"] for value in kinds["values"]) == 10


def test_twins_contradictions_and_broken_answers(boards: TrainingSheet, api: APIClient) -> None:
    first, second, third, fourth = QAPair.objects.of(boards.pk).filter(status="labeled")[:4]
    other = [*first.messages[:-1], second.messages[-1]]
    QAPair.objects.filter(pk=second.pk).update(messages=first.messages)
    QAPair.objects.filter(pk=third.pk).update(messages=other)
    QAPair.objects.filter(pk=fourth.pk).update(
        messages=[*fourth.messages[:-1], {"role": "assistant", "content": '{"defect_type": "scr'}]
    )
    report = checks(api, boards)
    assert report["duplicates"]["repeated_lines"] == 1
    assert report["duplicates"]["pair_ids"]["different_answers"] == [first.pk]
    assert report["clipped"] == {"count": 1, "pair_ids": [fourth.pk]}
    assert codes(report) == {"contradictions": "warning", "repeated": "warning", "clipped": "warning"}


def test_lines_over_a_models_limit_are_named(boards: TrainingSheet, api: APIClient) -> None:
    report = checks(api, boards, max_tokens=10)
    assert report["tokens"]["over_limit"] == 10 and len(report["tokens"]["pair_ids"]) == 5
    assert codes(report)["too_long"] == "warning"


def test_a_limit_that_is_asked_for_stands_beside_the_trainers(boards: TrainingSheet, api: APIClient) -> None:
    pair = QAPair.objects.of(boards.pk).filter(status="labeled")[0]
    url, openai = f"/api/v1/training-sheets/{boards.pk}/export/jsonl", {"profile": "openai"}
    assert codes(checks(api, boards, max_tokens=10, **openai))["too_long"] == "warning"
    assert api.get(url, openai).status_code == 200
    long = [*pair.messages[:-2], {"role": "user", "content": "word " * 60_000}, pair.messages[-1]]
    QAPair.objects.filter(pk=pair.pk).update(messages=long)
    assert api.get(url, openai).status_code == 409
    for limit, levels in ((10, ["error", "warning"]), (65_536, ["error"]), (100_000, ["error"])):
        found = [
            each for each in checks(api, boards, max_tokens=limit, **openai)["problems"] if each["code"] == "too_long"
        ]
        assert [each["level"] for each in found] == levels
        assert (found[0]["pair_ids"], "more than 65,536 tokens" in found[0]["message"]) == ([pair.pk], True)


def test_the_command_prints_the_report_of_the_api(boards: TrainingSheet, api: APIClient) -> None:
    said = io.StringIO()
    options = ["--max-tokens", "10", "--profile", "trl", "--format", "prompt_completion"]
    call_command("export_jsonl", boards.pk, "--checks", *options, stdout=said)
    report = checks(api, boards, max_tokens=10, profile="trl", format="prompt_completion")
    assert json.loads(said.getvalue()) == report and report["tokens"]["over_limit"] == 10
    assert not Export.objects.exists()


def test_the_command_names_long_lines_and_writes_them(boards: TrainingSheet, api: APIClient, tmp_path: Path) -> None:
    said, out = io.StringIO(), tmp_path / "out.jsonl"
    call_command("export_jsonl", boards.pk, "--out", str(out), "--max-tokens", "10", stdout=io.StringIO(), stderr=said)
    first = checks(api, boards, max_tokens=10)["tokens"]["pair_ids"][0]
    words = f"warning too_long: 10 lines have more than 10 tokens, as estimated. Such as {first}, "
    assert words in said.getvalue() and out.read_bytes().count(b"\n") == 10
    with pytest.raises(CommandError, match=r"max_tokens.*Found 0: use 1 or more"):
        call_command("export_jsonl", boards.pk, "--checks", "--max-tokens", "0")
    with pytest.raises(CommandError, match="not allowed with argument"):
        call_command("export_jsonl", boards.pk, "--checks", "--out", str(out))


def test_what_a_trainer_would_refuse_is_not_written(
    boards: TrainingSheet, invoices: TrainingSheet, api: APIClient
) -> None:
    assert codes(checks(api, invoices, profile="openai"))["too_few"] == "error"
    assert codes(checks(api, boards, profile="openai"))["few"] == "warning"
    answer = api.get(f"/api/v1/training-sheets/{invoices.pk}/export/jsonl", {"profile": "openai"})
    assert answer.status_code == 409 and "5 lines; it takes 10 at least" in answer.json()["error"]["message"]
    with pytest.raises(CommandError, match="OpenAI fine-tuning reads chat"):
        call_command("export_jsonl", boards.pk, out="x", profile="openai", format="csv", stdout=io.StringIO())
    assert not Export.objects.exists()


def test_a_profile_asks_of_the_sides_that_an_export_decides(boards: TrainingSheet, api: APIClient) -> None:
    options = {"split": "train", "stratify_by": "severity", "validation_percent": 10}
    assert codes(checks(api, boards, profile="trl", **options)).get("too_few") is None
    url = f"/api/v1/training-sheets/{boards.pk}/export/jsonl"
    refused = api.get(url, {**options, "split": "validation", "profile": "openai"})
    assert refused.status_code == 409 and "it takes 10 at least" in refused.json()["error"]["message"]
    left: Any = api.get(url, {**options, "profile": "trl"})
    assert left.status_code == 200 and len(b"".join(left.streaming_content).splitlines()) > 5


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_says_where_it_is_from_and_what_it_reads(name: str) -> None:
    assert PROFILES[name].source.startswith("https://") and set(PROFILES[name].formats) <= FORMATS.keys()
