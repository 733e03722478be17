"""What publishing checks, as a list that is ticked while a draft is written."""

from __future__ import annotations

from dataclasses import dataclass

from templates_app.drafts import PROMPTS, Fields, draft_faults, publishing_faults
from templates_app.models import PromptTemplate

CHECKS = (
    ("Both prompts parse, and every variable is in the input schema", PROMPTS),
    ("The input schema names columns with known types", ("input_schema",)),
    ("The output schema is a JSON Schema or a list of fields", ("output_schema",)),
    ("Every example fits both schemas and fills the question", ("examples",)),
)
OTHERS = "Name, version, task and model settings are as they should be"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that publishing checks; `state` is "ok", "bad", or "waits" for faults that come before it."""

    words: str
    state: str
    faults: list[str]


def checklist(template: PromptTemplate, given_faults: Fields) -> tuple[list[Check], Fields]:
    """Return the checks of publishing with all faults by field; `given_faults` are those of fields that do not read.

    With such faults, or those of a draft, what publishing would look at next cannot be told yet.
    """
    before = draft_faults(template) | given_faults
    faults = before or publishing_faults(template)
    known = {name for _, names in CHECKS for name in names}
    groups = [*CHECKS, (OTHERS, tuple(name for name in faults if name not in known))]
    return [_check(words, names, faults, waits=bool(before)) for words, names in groups], faults


def _check(words: str, names: tuple[str, ...], faults: Fields, *, waits: bool) -> Check:
    found = [f"{name}: {fault}" for name in names for fault in faults.get(name, [])]
    return Check(words, "bad" if found else "waits" if waits and names else "ok", found)
