"""Volumes of a workspace: the Files API through the unmodified SDK, in parts and never whole."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from sheets.names import VolumeName
from sheets.volume import FilesByKey, Volume
from sheets.volumes import volume
from sheets.workspace_volume import LARGEST, SMALLEST
from tests.databricks.workspace import TOKEN, Workspace, serving
from workbench.problems import Conflict, Forbidden, Invalid, NotFound, Unavailable
from workbench.router import LAKEHOUSE

NAME = VolumeName("shop", "raw", "pictures")
CONTENT = os.urandom(5 * SMALLEST + 123)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Workspace]:
    """A workspace with one volume, in the place of the lakehouse."""
    directory = tmp_path_factory.mktemp("lakehouse")
    (directory / "Volumes/shop/raw/pictures/old").mkdir(parents=True)
    (directory / "shop/raw").mkdir(parents=True)
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("DATABRICKS_TOKEN", TOKEN)
        server = stack.enter_context(serving(directory, page_size=2))
        entry = connections[LAKEHOUSE].settings_dict
        patch.setitem(entry, "HOST", "127.0.0.1")
        patch.setitem(entry, "PORT", server.url.rpartition(":")[2])
        patch.setitem(entry, "OPTIONS", {"engine": "databricks", "catalog": "shop", "schema": "raw"})
        yield server


@pytest.fixture
def pictures(workspace: Workspace) -> Iterator[Path]:
    """The directory behind the volume."""
    directory = workspace.files.directory / "Volumes/shop/raw/pictures"
    (directory / "large.pdf").write_bytes(CONTENT)
    (directory / "a 1#ü%.jpg").write_bytes(b"jpeg of a1")
    (directory / "b.txt").write_bytes(b"about b")
    (directory / ".hidden").write_bytes(b"")
    workspace.requests.clear()
    yield directory
    workspace.denied.clear()
    workspace.failures.clear()


@pytest.fixture
def found(pictures: Path) -> Volume:
    return volume(NAME)


def test_files_are_listed_with_their_states_in_one_go(found: Volume, workspace: Workspace) -> None:
    assert found.list_files() == ["a 1#ü%.jpg", "b.txt", "large.pdf"]
    asked = len(workspace.requests)
    assert [found.state(file).size for file in found.list_files()] == [10, 7, len(CONTENT)]
    assert not any(request.method == "HEAD" for request in workspace.requests[asked:])
    assert found.index()["b"] == ["b.txt"]


def test_a_directory_that_keys_name_is_listed_once(found: Volume, pictures: Path, workspace: Workspace) -> None:
    for name in ("1.jpg", "2.jpg"):
        (pictures / "old" / name).write_bytes(b"old")
    files = FilesByKey(found)
    asked = len(workspace.requests)
    assert [files.get(key) for key in ("old/1", "old/2.jpg", "old/3", "none/1")] == [
        ["old/1.jpg"],
        ["old/2.jpg"],
        [],
        [],
    ]
    assert found.state("old/1.jpg").size == 3 and len(workspace.requests) - asked <= 3


def test_a_file_is_read_in_growing_parts(found: Volume, workspace: Workspace) -> None:
    with found.open("large.pdf") as opened:
        assert opened.read() == CONTENT
    parts = [request.headers["range"] for request in workspace.requests if "range" in request.headers]
    assert parts[:2] == [f"bytes=0-{SMALLEST - 1}", f"bytes={SMALLEST}-{3 * SMALLEST - 1}"] and len(parts) == 3
    assert SMALLEST < LARGEST


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, len(CONTENT) + 10), st.integers(0, 3 * SMALLEST)), max_size=4))
def test_reading_anywhere_is_slicing(found: Volume, steps: list[tuple[int, int]]) -> None:
    with found.open("large.pdf") as opened:
        for start, count in steps:
            opened.seek(start)
            assert opened.read(count) == CONTENT[start : start + count]
        assert opened.seek(-5, io.SEEK_END) == len(CONTENT) - 5 and opened.read() == CONTENT[-5:]


def test_a_file_with_an_odd_name_and_an_empty_one(found: Volume, pictures: Path) -> None:
    (pictures / "empty").touch()
    with found.open("a 1#ü%.jpg") as odd, found.open("empty") as empty:
        assert (odd.read(), empty.read()) == (b"jpeg of a1", b"")


def test_what_is_written_is_there(found: Volume, pictures: Path) -> None:
    found.write("new #1.txt", io.BytesIO(b"new"))
    found.write("new #1.txt", io.BytesIO(b"newer"))
    assert (pictures / "new #1.txt").read_bytes() == b"newer" and found.state("new #1.txt").size == 5
    (pictures / "new #1.txt").unlink()


def test_what_does_not_exist_is_named_with_its_near_misses(db: None, found: Volume) -> None:
    with pytest.raises(NotFound, match=r"Did you mean 'b\.txt'"):
        found.open("b.text")
    with pytest.raises(NotFound, match="Did you mean '/Volumes/shop/raw/pictures'"):
        volume(VolumeName("shop", "raw", "picture"))
    with pytest.raises(NotFound, match=r"no schema shop\.row either"):
        volume(VolumeName("shop", "row", "pictures"))
    with pytest.raises(NotFound):
        found.open("old")
    for file in ("../x", "/etc/passwd", "b.txt\0"):
        with pytest.raises(Invalid, match="leads out of its volume"):
            found.open(file)


def test_what_may_not_be_read_is_forbidden(found: Volume, workspace: Workspace) -> None:
    workspace.denied |= {f"{NAME}/b.txt", "shop.raw"}
    with pytest.raises(Forbidden, match="Grant the right"):
        found.open("b.txt")
    with pytest.raises(Forbidden, match="does not have USE"):
        volume(NAME)


def test_a_file_that_changes_while_it_is_read_is_no_mixture(found: Volume, pictures: Path) -> None:
    with found.open("large.pdf") as opened:
        opened.read(10)
        os.utime(pictures / "large.pdf", (1, 1))
        with pytest.raises(Conflict, match="has changed while it was read"):
            opened.read()


def test_too_many_requests_are_waited_for_and_other_failures_told(found: Volume, workspace: Workspace) -> None:
    workspace.fail(429)
    assert found.list_files()
    workspace.fail(500)
    with pytest.raises(Unavailable, match="did not give list of the files"):
        found.list_files()


def test_ranges_over_http(api: APIClient, pictures: Path, workspace: Workspace) -> None:
    url = "/api/v1/files/Volumes/shop/raw/pictures/large.pdf"
    answer = api.get(url, HTTP_RANGE="bytes=100-199")
    assert (answer.status_code, b"".join(answer.streaming_content)) == (206, CONTENT[100:200])
    assert [r.method for r in workspace.requests if r.path.startswith("/api/2.0/fs")] == ["HEAD", "GET"]
    again = api.get(url, HTTP_IF_NONE_MATCH=answer.headers["ETag"])
    assert again.status_code == 304
    assert b"".join(api.get(url).streaming_content) == CONTENT
    assert api.get(url + "x").status_code == 404
    workspace.denied.add(f"{NAME}/b.txt")
    assert api.get(url.replace("large.pdf", "b.txt")).status_code == 403
