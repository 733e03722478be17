"""A file appears whole or not at all, and a secret is made once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.files import written_whole
from workbench.problems import Invalid
from workbench.secret_files import kept_secret


def test_what_fails_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "a.jsonl"
    with written_whole(target) as file:
        file.write(b"old")
    with pytest.raises(ZeroDivisionError), written_whole(target) as file:
        file.write(b"new")
        raise ZeroDivisionError
    assert (target.read_bytes(), [each.name for each in target.parent.iterdir()]) == (b"old", ["a.jsonl"])


def test_a_link_is_followed_and_a_file_keeps_its_mode(tmp_path: Path) -> None:
    target, link = tmp_path / "of_may.jsonl", tmp_path / "latest.jsonl"
    target.touch(0o600)
    link.symlink_to(target.name)
    with written_whole(link) as file:
        file.write(b"new")
    assert link.is_symlink() and (target.read_bytes(), target.stat().st_mode & 0o777) == (b"new", 0o600)


def test_a_new_file_has_the_mode_of_the_umask(tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        with written_whole(tmp_path / "a.jsonl") as file:
            file.write(b"new")
    finally:
        os.umask(umask)
    assert (tmp_path / "a.jsonl").stat().st_mode & 0o777 == 0o640


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(pipe.read_bytes)
        with written_whole(pipe) as file:
            file.write(b"lines")
        assert read.result() == b"lines" and pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]


def test_a_target_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for target in (tmp_path, tmp_path / "file" / "a.jsonl"):
        with pytest.raises(Invalid, match=f"{target}.*Name a file in a directory"), written_whole(target):
            pass


def test_of_many_who_start_at_once_all_read_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: kept_secret(tmp_path / "key", 64), range(32)))
    assert len(secrets) == 1 and len(secrets.pop()) >= 64
    assert [(each.name, each.stat().st_mode & 0o777) for each in tmp_path.iterdir()] == [("key", 0o600)]
