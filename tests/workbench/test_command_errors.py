"""What a command says when it fails: what was found and what to do, and no name of a Python exception."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from sheets.models import Sheet


@pytest.fixture(autouse=True)
def boards(lakehouse: Path) -> None:
    Sheet.objects.create(name="Boards", primary_table="shop.raw.boards", join_keys=["board_id"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify_report", "/nope"], "/nope: No such file or directory."),
        (["import_labels", "--sheet", "Boards", "--in", "/nope"], "/nope: No such file or directory."),
        (["sql", "SELEC 1"], r"\[PARSE_SYNTAX_ERROR\]"),
    ],
)
def test_it_begins_with_what_was_found(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=f"^{words}"):
        call_command(*arguments, stdout=io.StringIO())


@pytest.mark.parametrize(
    "arguments",
    [
        ["export_labels", "--sheet", "Bords", "--out", "x"],
        ["generate", "--sheet", "Boards", "--template", "x"],
        ["run_job", "x"],
        ["export_jsonl", "nope", "--out", "x"],
    ],
)
def test_what_is_not_found_is_told_with_a_command_that_lists_what_there_is(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"^There is no .* To list them: manage.py sql") as caught:
        call_command(*arguments)
    call_command("sql", re.findall(r'"(.*)"$', str(caught.value))[0], stdout=io.StringIO())
