"""What Microsoft Presidio finds with a spaCy model: names and places that no pattern knows. The only importer of its SDK."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from governance.sensitive.detectors import Detector, Found

EXTRA = "pip install 'training-dataset-workbench[presidio]'"
# Presidio's name of an entity, and our kind; for the others there are patterns with check digits.
ENTITIES = {"PERSON": "person", "LOCATION": "location", "NRP": "group", "IP_ADDRESS": "ip_address"}
LEAST = 0.5
# spaCy refuses a million characters, and needs about 1 GB of memory for 100,000.
MOST = 50_000
WORTH_A_LOOK = re.compile(r"[^\W\d_]{2}|\d[.:]")


def detector(model: str) -> Detector:
    """Return a detector with the spaCy model of this name or directory, which is loaded at its first text.

    Raises ImproperlyConfigured at that text where Presidio or the model is missing.
    """

    def find(text: str) -> Iterator[Found]:
        if not WORTH_A_LOOK.search(text):
            return
        engine, language = _engine(model)
        for start, part in _parts(text):
            asked = {"entities": list(ENTITIES), "language": language, "score_threshold": LEAST}
            for each in engine.analyze(part, **asked):
                why = f"found by Presidio, score {each.score:.2f}"
                yield Found(ENTITIES[each.entity_type], start + each.start, start + each.end, why)

    return find


def lacking(model: str) -> str:
    """Return what is missing for the model, in words, or "" where it can be loaded; loads nothing."""
    if find_spec("presidio_analyzer") is None:
        return "Presidio is not installed"
    if not Path(model).is_dir() and (not model.isidentifier() or find_spec(model) is None):
        return f"there is no spaCy model {model!r}, neither installed nor as a directory"
    return ""


@cache
def _engine(model: str) -> tuple[Any, str]:
    """Return Presidio's analyzer and the language of the model."""
    # Presidio itself would fetch a model that is missing from the internet.
    if missing := lacking(model):
        raise ImproperlyConfigured(f"WORKBENCH_PRESIDIO={model!r}: {missing}.")
    import spacy  # only where it is asked for: it takes seconds to load
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    loaded = spacy.load(model)
    nlp = SpacyNlpEngine(models=[{"lang_code": loaded.lang, "model_name": model}])
    nlp.nlp = {loaded.lang: loaded}
    return AnalyzerEngine(nlp_engine=nlp, supported_languages=[loaded.lang]), loaded.lang


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Yield the text in parts with where each begins; a part ends between two words where it can."""
    at = 0
    while at < len(text):
        end = at + MOST
        if end < len(text):
            end = max(text.rfind(" ", at, end), text.rfind("\n", at, end)) + 1 or end
        yield at, text[at:end]
        at = end
