"""An answer in a line of a list: values, and shapes by their labels."""

from __future__ import annotations

from typing import Any

import pytest

from templates_app.answer_words import answer_words, text_words


def marked(*labels: str) -> dict[str, Any]:
    box = {"x": 1, "y": 2, "width": 3, "height": 4}
    return {"image": "a.jpg", "width": 80, "height": 60, "shapes": [{"label": label, "box": box} for label in labels]}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"defect": "scratch", "size": 2.5, "codes": ["a", "b"]}, "scratch · 2.5 · a, b"),
        ({"codes": []}, "an empty list"),
        ({"defects": marked("scratch", "cold_joint", "scratch"), "line": "n"}, "2 scratch, cold joint · n"),
        (marked("scratch"), "scratch"),
        ({"defects": marked()}, "nothing marked"),
        ("as it is", "as it is"),
    ],
)
def test_an_answer_is_told_in_words(answer: Any, words: str) -> None:
    assert answer_words(answer) == words


def test_a_text_is_read_where_it_is_json() -> None:
    assert text_words('{"a":"b","c":1}') == "b · 1"
    assert [text_words(text) for text in ("{half", "12", "")] == ["{half", "12", ""]
