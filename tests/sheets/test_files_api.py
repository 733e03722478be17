"""Files over HTTP: whole, in parts, and never outside their volume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urldefrag

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from sheets.item_page import source_of
from sheets.models import Sheet
from tests.sheets.conftest import Table
from workbench.ranges import part_of

Boards = Callable[..., Sheet]
URL = "/api/v1/files/Volumes/shop/raw/pictures"


def content(answer: object) -> bytes:
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_a_whole_file(api: APIClient, pictures: Path) -> None:
    answer = api.get(f"{URL}/a1.jpg", HTTP_ACCEPT="image/avif")
    assert (answer.status_code, content(answer)) == (200, b"jpeg of a1")
    headers = answer.headers
    assert (headers["Content-Type"], headers["Content-Length"]) == ("image/jpeg", "10")
    assert headers["Accept-Ranges"] == "bytes" and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize("name", ["h#1.jpg", "q?2.jpg", "p%41.jpg", "ü 日.jpg"])
def test_a_screen_shows_a_file_whatever_its_name(
    api: APIClient, pictures: Path, boards: Boards, table: Table, name: str
) -> None:
    (pictures / name).write_bytes(b"it")
    table("shop.raw.named", {"file": [name]})
    source = {"type": "volume", "path": "/Volumes/shop/raw/pictures"}
    sheet = boards(primary_table="shop.raw.named", join_keys=["file"], secondary_sources=[source])
    (shown,) = source_of(sheet, name).files
    # What a browser asks for: without what follows `#`.
    assert content(api.get(urldefrag(shown.url).url)) == b"it"


@pytest.mark.parametrize(
    ("wanted", "part", "where"),
    [
        ("bytes=0-3", b"jpeg", "bytes 0-3/10"),
        ("bytes=5-", b"of a1", "bytes 5-9/10"),
        ("bytes=-2", b"a1", "bytes 8-9/10"),
        ("bytes=8-999", b"a1", "bytes 8-9/10"),
        ("bytes=0-", b"jpeg of a1", "bytes 0-9/10"),
    ],
)
def test_a_part_of_a_file(api: APIClient, pictures: Path, wanted: str, part: bytes, where: str) -> None:
    answer = api.get(f"{URL}/a1.jpg", HTTP_RANGE=wanted)
    assert (answer.status_code, content(answer), answer.headers["Content-Range"]) == (206, part, where)
    assert answer.headers["Content-Length"] == str(len(part))


def test_a_part_behind_the_end(api: APIClient, pictures: Path) -> None:
    answer = api.get(f"{URL}/a1.jpg", HTTP_RANGE="bytes=10-")
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */10")
    assert answer.json()["error"]["code"] == "range_not_satisfiable"


@pytest.mark.parametrize("wanted", ["bytes=0-1,3-4", "lines=1-2", "bytes=5-2", "bytes=x"])
def test_a_header_that_is_no_single_range_gives_the_whole_file(api: APIClient, pictures: Path, wanted: str) -> None:
    answer = api.get(f"{URL}/a1.jpg", HTTP_RANGE=wanted)
    assert (answer.status_code, content(answer)) == (200, b"jpeg of a1")
    assert "Content-Range" not in answer.headers


def test_an_unchanged_file_is_not_sent_again(api: APIClient, pictures: Path) -> None:
    first = api.get(f"{URL}/a1.jpg")
    content(first)
    etag = first.headers["ETag"]
    assert api.get(f"{URL}/a1.jpg", HTTP_IF_NONE_MATCH=etag).status_code == 304
    (pictures / "a1.jpg").write_bytes(b"another jpeg")
    changed = api.get(f"{URL}/a1.jpg", HTTP_IF_RANGE=etag, HTTP_RANGE="bytes=0-1")
    assert (changed.status_code, content(changed)) == (200, b"another jpeg")


@pytest.mark.parametrize(
    "name", ["page.html", "page.xhtml", "drawing.svg", "feed.xml", "code.js", "what", "archive.csv.gz"]
)
def test_what_a_browser_could_run_is_saved_instead(api: APIClient, pictures: Path, name: str) -> None:
    (pictures / name).write_text("<script>alert(1)</script>")
    answer = api.get(f"{URL}/{name}")
    content(answer)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Volumes/shop/raw/pictures/../pictures/a1.jpg", 400),
        ("Volumes/shop/raw/pictures/%2e%2e/x", 400),
        ("Volumes/shop/raw/pictures//etc/passwd", 400),
        ("Volumes/shop/raw/pictures", 400),
        ("etc/passwd", 400),
        ("Volumes/shop/raw/pictures/none.jpg", 404),
        ("Volumes/shop/raw/pictures/old", 404),
        ("Volumes/shop/raw/nothing/a1.jpg", 404),
    ],
)
def test_a_path_that_leads_nowhere_or_out_is_refused(api: APIClient, pictures: Path, path: str, status: int) -> None:
    answer = api.get(f"/api/v1/files/{path}")
    assert answer.status_code == status and answer.json()["error"]["message"]


def test_an_empty_file_and_head(api: APIClient, pictures: Path) -> None:
    (pictures / "empty.txt").touch()
    for wanted in ("", "bytes=0-", "bytes=-5"):
        answer = api.get(f"{URL}/empty.txt", HTTP_RANGE=wanted)
        assert answer.status_code in (200, 416) and (answer.status_code == 416 or content(answer) == b"")
    head = api.head(f"{URL}/a1.jpg")
    assert head.headers["Content-Length"] == "10"
    head.close()


@given(st.text(max_size=20) | st.from_regex(r"bytes=\d{0,4}-\d{0,4}", fullmatch=True), st.integers(0, 5_000))
def test_a_range_never_leaves_the_file(wanted: str, size: int) -> None:
    first, last = part_of(wanted, size) or (0, size - 1)
    assert 0 <= first <= size and last < size and (first <= last or first == size)
