from __future__ import annotations

from typing import Any

import pytest

from templates_app.form_fields import MISSING
from templates_app.theirs import theirs_in_words


@pytest.mark.parametrize(
    ("theirs", "mine", "said"),
    [
        ({"a": 1}, {"a": 1}, "Theirs is the same answer as yours."),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, "Theirs differs from yours: a.b is “x”, yours “y”."),
        ({"a": 1}, {"b": True}, "Theirs differs from yours: a is 1, which yours does not have; b is missing, yours true."),
        ({"a": None}, {"a": ""}, "Theirs differs from yours: a is nothing, yours “”."),
        ("a scratch", "a dent", "Theirs differs from yours: it is “a scratch”, yours “a dent”."),
        ({"a": "b"}, MISSING, 'Theirs: {"a":"b"}.'),
    ],
)  # fmt: skip
def test_theirs_is_told_field_by_field(theirs: Any, mine: Any, said: str) -> None:
    assert theirs_in_words(theirs, mine) == said


def test_a_long_difference_is_cut_and_counted() -> None:
    said = theirs_in_words(list(range(10)), [each + 1 for each in range(10)])
    assert said.count("yours") == 1 + 8 and said.endswith("; and 2 more.")
    assert len(theirs_in_words("x" * 1000, "y" * 1000)) < 200
