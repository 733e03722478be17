"""What is only kept is never needed: a cache that cannot be written or read takes no screen and no list away."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client
from rest_framework.test import APIClient

from training.jobs.upkeep import look_after
from training.models import TrainingSheet
from workbench import kept_files


def kept_in(cache: str, key: str, value: object, seconds: float = 60) -> Path:
    caches[cache].set(key, value, seconds)
    return directory(cache) / Path(cast(Any, caches[cache])._key_to_file(key)).name


def directory(cache: str) -> Path:
    return Path(settings.CACHES[cache]["LOCATION"])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "zeros": lambda kept: kept.write_bytes(bytes(200)),
    "cut off": lambda kept: kept.write_bytes(kept.read_bytes()[:40]),
    "empty": lambda kept: kept.write_bytes(b""),
    "no cache": lambda kept: kept.write_bytes(b"ordinary text"),
}


def codes(boards: TrainingSheet, api: APIClient, rosa: User) -> list[int]:
    browser = Client(raise_request_exception=False)
    browser.force_login(rosa)
    api.raise_request_exception = False
    pages = (f"/review/{boards.pk}/", f"/review/{boards.pk}/list")
    asked = (f"/api/v1/qa-pairs?training_sheet={boards.pk}", f"/api/v1/training-sheets/{boards.pk}/progress")
    return [client.get(url).status_code for client, urls in ((browser, pages), (api, asked)) for url in urls]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_read_as_if_they_were_not_there(
    boards: TrainingSheet, api: APIClient, rosa: User, damage: str
) -> None:
    assert codes(boards, api, rosa) == [200] * 4
    damaged = [kept for name in ("pages", "ahead") for kept in directory(name).glob("*.djcache")]
    for kept in damaged:
        DAMAGES[damage](kept)
    assert damaged and codes(boards, api, rosa) == [200] * 4


def test_a_full_disk_keeps_nothing_and_stops_nothing(
    boards: TrainingSheet, api: APIClient, rosa: User, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("django.core.cache.backends.filebased.tempfile.mkstemp", full)
    monkeypatch.setattr(kept_files, "_done_at", {})
    assert codes(boards, api, rosa) == codes(boards, api, rosa) == [200] * 4
    told = [each.message for each in caplog.records if "No space left" in each.message]
    assert len([words for words in told if str(directory("pages")) in words]) == 1


def test_the_worker_deletes_what_expired(boards: TrainingSheet, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = kept_in("pages", "old", "a PHI message", 0.0), kept_in("pages", "new", "a list")
    left = kept_in("ahead", "unfinished", "a source").rename(directory("ahead") / "tmpkilled")
    monkeypatch.setattr(kept_files, "_done_at", {})
    monkeypatch.setattr(kept_files, "ABANDONED", time.time() - left.stat().st_mtime - 1)
    look_after()
    assert (old.exists(), new.exists(), left.exists()) == (False, True, False)
