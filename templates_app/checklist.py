"""What publishing checks, as a list that is ticked while a draft is written."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

from templates_app.drafts import PROMPTS, Fields, draft_faults, publishing_faults
from templates_app.models import PromptTemplate

CHECKS = (
    ("Both prompts parse, and every variable is in the input schema", PROMPTS),
    ("The input schema names columns with known types", ("input_schema",)),
    ("The output schema is a JSON Schema or a list of fields", ("output_schema",)),
    ("Every example fits both schemas and fills the question", ("examples",)),
)
CONTENT = frozenset(name for _, names in CHECKS for name in names)
OTHERS = "Name, version, task and model settings are as they should be"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that publishing checks; `state` is "ok", "bad", or "waits" for faults that come before it."""

    words: str
    state: str
    faults: list[str]


def checklist(template: PromptTemplate, given_faults: Fields) -> tuple[list[Check], Fields]:
    """Return the checks of publishing with all faults by field; `given_faults` are those of fields that do not read.

    Where prompts, schemas or examples cannot be read, what publishing would look at next cannot be told yet.
    """
    faults = draft_faults(template) | given_faults
    waits = bool(faults.keys() & CONTENT)
    if not waits:
        faults |= publishing_faults(_named(template))
    others = (OTHERS, tuple(name for name in faults if name not in CONTENT))
    checks = [_check(words, names, faults, waits=waits) for words, names in CHECKS]
    return [*checks, _check(*others, faults, waits=False)], faults


def _named(template: PromptTemplate) -> PromptTemplate:
    """The content under a name, version and settings that are in order: a name may wait till the prompts are written."""
    named, blank = copy(template), PromptTemplate(name="Draft", label_type="draft")
    for name in ("name", "version", "label_type", "temperature", "max_tokens"):
        setattr(named, name, getattr(blank, name))
    return named


def _check(words: str, names: tuple[str, ...], faults: Fields, *, waits: bool) -> Check:
    found = [f"{name}: {fault}" for name in names for fault in faults.get(name, [])]
    return Check(words, "bad" if found else "waits" if waits else "ok", found)
