"""A kept file whose connection broke is gone on with, and no download takes another's name."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit
from tests.closing import close
from tests.training.exports.conftest import Fetch
from tests.training.exports.test_kept import start
from training.models import TrainingSheet


def part(url: str, asked: str, **headers: str) -> Any:
    return APIClient().get(url.split("127.0.0.1:8000")[-1], headers={"range": asked, **headers})


def test_a_range_is_gone_on_with(boards: TrainingSheet, api: APIClient, fetch: Fetch) -> None:
    made, whole = start(api, boards).json(), fetch(boards)
    url, size = made["link"]["url"], len(whole)
    ranges = {
        "bytes=100-199": whole[100:200],
        "bytes=100-": whole[100:],
        "bytes=-50": whole[-50:],
        "bytes=0-0": whole[:1],
    }
    for asked, expected in ranges.items():
        answer = part(url, asked)
        assert (answer.status_code, b"".join(answer.streaming_content)) == (206, expected)
        assert (answer["ETag"], answer["Accept-Ranges"]) == (f'"{made["sha256"]}"', "bytes")
        assert int(answer["Content-Length"]) == len(expected)
    assert part(url, "bytes=100-199")["Content-Range"] == f"bytes 100-199/{size}"
    assert part(url, "bytes=-50", **{"if-range": f'"{made["sha256"]}"'}).status_code == 206


@pytest.mark.parametrize(
    "headers", [("bytes=5-6,7-9", ""), ("bytes=9-5", ""), ("lines=1-2", ""), ("bytes=5-9", '"another file"')]
)
def test_what_is_no_single_range_of_this_file_gets_all_of_it(
    boards: TrainingSheet, api: APIClient, headers: tuple[str, str]
) -> None:
    made, (asked, only_if) = start(api, boards).json(), headers
    answer = part(made["link"]["url"], asked, **({"if-range": only_if} if only_if else {}))
    assert (answer.status_code, len(b"".join(answer.streaming_content))) == (200, made["size_bytes"])
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("asked", ["bytes=9999999-", "bytes=-0"])
def test_what_the_file_does_not_have_is_refused_and_nothing_left(
    boards: TrainingSheet, api: APIClient, asked: str
) -> None:
    made = start(api, boards).json()
    answer = part(made["link"]["url"], asked)
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{made['size_bytes']}")
    assert not UsageConstraintAudit.objects.filter(reason__contains=f"Kept export {made['id']}").exists()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, ".jsonl"),
        ({"split": "train"}, ".train.jsonl"),
        ({"format": "sharegpt", "split": "validation", "validation_percent": 50}, ".sharegpt.validation.jsonl"),
        ({"format": "parquet"}, ".parquet"),
        ({"format": "csv", "use": "testing"}, ".testing.csv"),
    ],
)
def test_the_name_says_what_is_in_the_file(
    boards: TrainingSheet, api: APIClient, options: dict[str, Any], name: str
) -> None:
    made = start(api, boards, **options)
    assert made.status_code == 201, made.content
    expected = f"training_sheet_{boards.pk}{name}"
    for url in (
        made.json()["link"]["url"].split("127.0.0.1:8000")[-1],
        f"/api/v1/exports/{made.json()['id']}/manifest",
    ):
        answer = api.get(url)
        assert answer["Content-Disposition"].removesuffix(".manifest.json") == f"attachment; filename={expected}"
        close(answer)
