"""Finds sensitive data in a text, and shows it without showing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from governance.sensitive.detectors import DETECTORS, STRONGEST, Found

# Left as they are at the end of a value, so that whoever has it before them knows which one is meant.
SHOWN = 2
MOST_MASKED = 40


def scan(text: str) -> list[Found]:
    """Return what is found, in the order of the text; of findings that overlap, the one whose kind says most."""
    every = [found for detector in DETECTORS.values() for found in detector(text)] if text else []
    kept: list[Found] = []
    for found in sorted(every, key=lambda each: (STRONGEST.index(each.kind), each.start)):
        if all(found.end <= other.start or other.end <= found.start for other in kept):
            kept.append(found)
    return sorted(kept, key=lambda each: each.start)


def masked(value: str) -> str:
    """Return a value's form with all but its last two letters and digits hidden; a long one is cut."""
    letters = sum(map(str.isalnum, value))
    seen, out = 0, []
    for letter in value:
        seen += letter.isalnum()
        out.append("•" if letter.isalnum() and (seen <= letters - SHOWN or letters < 3 * SHOWN) else letter)
    text = " ".join("".join(out).split())
    return text if len(text) <= MOST_MASKED else f"{text[:10]}…{text[-6:]}"


def texts_in(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text in a row or an answer with its path, `lines[0].name`; numbers count as the text they are."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from texts_in(each, f"{path}.{name}" if path else str(name))
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        for at, each in enumerate(value):
            yield from texts_in(each, f"{path}[{at}]")
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path, str(value)


def scan_field(name: str, value: str) -> list[Found]:
    """Return what is found in the value of a field, whose name says what it holds as a label before it would."""
    said = f"{name.rpartition('.')[2].partition('[')[0].replace('_', ' ')}: "
    shifted = (
        Found(found.kind, found.start - len(said), found.end - len(said), found.why) for found in scan(said + value)
    )
    return [found for found in shifted if found.start >= 0]
