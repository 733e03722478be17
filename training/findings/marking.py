"""What was found, at the place where it is read: in a text, in the cells of the source and at the fields of the answer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from governance.sensitive.scanning import masked, texts_in
from sheets.item_page import Cell, MarkedCell, Source
from training.models import Finding


def pieces(text: str, findings: Iterable[Finding]) -> list[tuple[str, Finding | None]]:
    """Return the text in pieces, each with the finding that it is the value of; one that is not there marks nothing."""
    found: list[tuple[str, Finding | None]] = []
    at = 0
    for finding in sorted(findings, key=lambda each: each.start):
        if at <= finding.start and stands_in(text, finding):
            found += [(text[at : finding.start], None), (text[finding.start : finding.end], finding)]
            at = finding.end
    return [*found, (text[at:], None)]


def stands_in(text: str, finding: Finding) -> bool:
    """Return whether the value still stands in the text where it was found, as far as its hidden form tells."""
    found = text[finding.start : finding.end]
    return len(found) == finding.end - finding.start and masked(found) == finding.excerpt


def marked_source(source: Source, findings: Sequence[Finding]) -> Source:
    """Return the source with what was found marked in the cells, or noted below one that shows its text otherwise."""
    of_columns: dict[str, list[Finding]] = defaultdict(list)
    names = sorted((cell.name for cell in source.cells), key=len, reverse=True)
    for finding in findings:
        path = finding.place.removeprefix("item.")
        if path != finding.place and (name := next((each for each in names if _is_of(path, each)), None)):
            of_columns[name].append(finding)
    if not of_columns:
        return source
    return replace(source, cells=[_marked(cell, of_columns.get(cell.name, ())) for cell in source.cells])


def answer_notes(answer: Any, findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """Return fields of the answer's form, `answer.codes[0]`, each with what was found in its value; a new value has none."""
    texts = {f"answer.{path}" if path else "answer": text for path, text in texts_in(answer)}
    return [
        (finding.place.replace("answer.[", "answer[", 1), in_words(finding))
        for finding in findings
        if finding.place in texts and stands_in(texts[finding.place], finding)
    ]


def in_words(finding: Finding) -> str:
    """Return what was found, its hidden form and why it counts."""
    return f"{finding.get_kind_display()} {finding.excerpt}: {finding.why}"


def place_in_words(place: str) -> str:
    """Return where a finding stands as people say it: `item.line` is "column line", `messages[1]` "message 2"."""
    if found := re.fullmatch(r"messages\[(\d+)\](.*)", place, re.DOTALL):
        return f"message {int(found[1]) + 1}{found[2]}"
    for prefix, words in (("item.", "column "), ("answer.", "answer: "), ("file.", "file ")):
        if place.startswith(prefix):
            return words + place.removeprefix(prefix)
    return place


def _is_of(path: str, column: str) -> bool:
    return path.startswith(column) and path[len(column) : len(column) + 1] in ("", ".", "[")


def _marked(cell: Cell, findings: Sequence[Finding]) -> Cell:
    if not findings:
        return cell
    here = [each for each in findings if each.place == f"item.{cell.name}" and stands_in(cell.text, each)]
    shown = [(text, in_words(finding) if finding else "") for text, finding in pieces(cell.text, here)]
    notes = [
        f"{each.place.removeprefix(f'item.{cell.name}').lstrip('.')} {in_words(each)}".lstrip()
        for each in findings
        if each not in here
    ]
    return MarkedCell(cell.name, cell.type, cell.comment, cell.text, cell.is_long, shown, notes)
