"""An answer in a line of a list."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from templates_app.annotations import PARTS
from templates_app.form_fields import words_of


def answer_words(answer: Any) -> str:
    """Return the values of an object, else the answer itself; of shapes how many have which label: "2 scratch, cold joint"."""
    if isinstance(answer, Mapping) and not _marks(answer):
        values = list(answer.values())
    else:
        values = answer if isinstance(answer, list) else [answer]
    return " · ".join(map(_words, values))


def text_words(text: str) -> str:
    """Return the same of an answer as a pair holds it: JSON, or a text that stays as it is."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return answer_words(json.loads(text))
    except ValueError:
        return text


def _words(value: Any) -> str:
    if _marks(value):
        counts = Counter(words_of(str(shape["label"]), upper=False) for shape in value["shapes"])
        return (
            ", ".join(f"{count} {label}" if count > 1 else label for label, count in counts.items()) or "nothing marked"
        )
    if isinstance(value, list):
        return ", ".join(map(_words, value)) or "an empty list"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _marks(value: Any) -> bool:
    """Return whether the value is shapes on a picture, whatever schema it was made for."""
    if not (isinstance(value, Mapping) and set(value) == set(PARTS) and isinstance(value["shapes"], list)):
        return False
    return all(isinstance(shape, Mapping) and "label" in shape for shape in value["shapes"])
