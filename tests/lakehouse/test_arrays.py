from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars
import pytest
from django.core.exceptions import ValidationError
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lakehouse.testapp.models import Sample

ODD = [
    "",
    "it's",
    'say "hi"',
    "a,b",
    "50%",
    "%s",
    "a\\b",
    "日本語",
    "née 🙂",
    "[x]",
    "NULL",
    "line\nbreak",
    "`tick`",
    "?",
]


@pytest.fixture(autouse=True)
def samples(lakehouse: Path) -> None:
    rows = {"ab": ["a", "b"], "ba": ["b", "a"], "c": ["c"], "none": [], "null": None, "odd": ODD}
    Sample.objects.bulk_create([Sample(text=text, words=words) for text, words in rows.items()])


def found(**lookups: object) -> set[str | None]:
    return set(Sample.objects.filter(**lookups).values_list("text", flat=True))


def test_contains_wants_every_word() -> None:
    assert found(words__contains=["a", "b"]) == {"ab", "ba"}
    assert found(words__contains=["b"]) == {"ab", "ba"}
    assert found(words__contains=["a", "c"]) == set()
    assert found(words__contains=[]) == {"ab", "ba", "c", "none", "odd"}


def test_overlap_wants_one_word() -> None:
    assert found(words__overlap=["a", "c"]) == {"ab", "ba", "c"}
    assert found(words__overlap=[]) == set()


def test_len() -> None:
    assert found(words__len=2) == {"ab", "ba"}
    assert found(words__len=0) == {"none"}
    assert found(words__len__gt=2) == {"odd"}
    assert list(Sample.objects.filter(text="c").values_list("words__len", flat=True)) == [1]


def test_exact_minds_the_order() -> None:
    assert found(words=["a", "b"]) == {"ab"}
    assert found(words=[]) == {"none"}
    assert found(words__in=[["c"], ["b", "a"]]) == {"ba", "c"}


def test_null_is_not_an_empty_list() -> None:
    assert found(words__isnull=True) == found(words=None) == {"null"}
    assert set(Sample.objects.exclude(words__contains=["a"]).values_list("text", flat=True)) == {
        "c",
        "none",
        "null",
        "odd",
    }


@pytest.mark.parametrize("word", ODD)
def test_a_word_may_be_any_text(word: str) -> None:
    assert found(words__contains=[word]) == {"odd"}
    assert found(words__overlap=["no", word]) == {"odd"}


def test_words_come_back_as_they_went(frame: Callable[[str], polars.DataFrame]) -> None:
    assert Sample.objects.get(text="odd").words == ODD
    assert frame("testapp_sample").filter(text="odd")["words"].to_list() == [ODD]


def test_update_and_compare_columns() -> None:
    assert Sample.objects.filter(text="c").update(words=["c", "it's"]) == 1
    assert Sample.objects.get(text="c").words == ["c", "it's"]
    assert Sample.objects.filter(words=F("words")).count() == 5


def test_a_text_is_no_list() -> None:
    with pytest.raises(ValidationError, match="list of text"):
        Sample(words="training").full_clean()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_list_of_text(words: list[str]) -> None:
    made = Sample.objects.create(words=words)
    assert Sample.objects.get(words=words, pk=made.pk).words == words
