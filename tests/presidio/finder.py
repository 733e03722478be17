"""Looks for sensitive data with Presidio, in `.venv-presidio`, and prints what it found as JSON.

`python -m tests.presidio.finder DIRECTORY` takes a JSON list of texts on standard input. It makes a spaCy model in DIRECTORY
first: one that knows a name and a place by rules, because a trained one would have to be fetched.
"""

from __future__ import annotations

import json
import sys

import spacy

from governance.sensitive.detectors import DETECTORS
from governance.sensitive.presidio import detector
from governance.sensitive.scanning import scan


def make(directory: str) -> None:
    """Write a model to the directory."""
    nlp = spacy.blank("en")
    rules = nlp.add_pipe("entity_ruler")
    rules.add_patterns([{"label": "PERSON", "pattern": "Ada Lovelace"}, {"label": "GPE", "pattern": "London"}])
    nlp.to_disk(directory)


if __name__ == "__main__":
    make(sys.argv[1])
    DETECTORS["presidio"] = detector(sys.argv[1])
    texts = json.load(sys.stdin)
    print(json.dumps([[[each.kind, text[each.start : each.end], each.why] for each in scan(text)] for text in texts]))
