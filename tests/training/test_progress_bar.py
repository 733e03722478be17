"""What a terminal shows of a run."""

from __future__ import annotations

import io
import signal

import pytest

from training.progress_bar import ProgressBar, in_words, line, telling
from training.watch import Progress


def test_a_line_has_counts_rate_and_time_left() -> None:
    shown = line(Progress(1_200, 5_000, failed=2), 4.0, 1_000, bar=False)
    assert shown == "1,200 of 5,000 items, 24%, 250/s, 15 s left, 2 failed"


def test_a_bar_fills() -> None:
    assert line(Progress(50, 100), 0, 0, bar=True) == "█" * 15 + "░" * 15 + " 50 of 100 items, 50%"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min"), (200, "3 min 20 s"), (7_500, "2 h 5 min")]
)
def test_durations_read_well(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_a_file_gets_plain_lines() -> None:
    out = io.StringIO()
    with ProgressBar(out) as bar:
        for done in (1, 2, 3):
            bar.progress(Progress(done, 3))
    assert [text.split(" items")[0] for text in out.getvalue().splitlines()] == ["1 of 3", "3 of 3"]


def test_rows_are_told_and_the_same_line_is_written_once() -> None:
    out = io.StringIO()
    interrupt = signal.getsignal(signal.SIGINT)
    with ProgressBar(out, pauses=False, of="lines") as bar:
        assert list(telling(range(30), bar.up_to(30))) == list(range(30))
        assert signal.getsignal(signal.SIGINT) is interrupt
    assert out.getvalue() == "30 of 30 lines, 100%\n"
