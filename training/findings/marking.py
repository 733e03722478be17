"""A text in pieces, by what was found in it."""

from __future__ import annotations

from collections.abc import Sequence

from training.models import Finding


def pieces(text: str, findings: Sequence[Finding]) -> list[tuple[str, Finding | None]]:
    """Return the text in pieces, each with the finding that it is the value of; one beyond the text marks nothing."""
    found: list[tuple[str, Finding | None]] = []
    at = 0
    for finding in sorted(findings, key=lambda each: each.start):
        if at <= finding.start < finding.end <= len(text):
            found += [(text[at : finding.start], None), (text[finding.start : finding.end], finding)]
            at = finding.end
    return [*found, (text[at:], None)]
