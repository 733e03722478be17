"""The editor of what a pair may be used for, as a form without scripts posts it and is shown again where it was refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from governance.uses import USES

STANDINGS = ("allowed", "not allowed", "prohibited")


@dataclass(frozen=True)
class UsesForm:
    """What stands in the fields, each use with one of `STANDINGS`, and why it was refused, by field."""

    uses: Sequence[tuple[str, str]]
    data_classification: str
    reason: str = ""
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_refused: bool = False

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> UsesForm:
        """Return the fields of a pair as it stands."""
        return cls([(use, standing(use, state)) for use in USES], state["data_classification"])

    @classmethod
    def of_posted(cls, posted: Mapping[str, str], faults: Mapping[str, Sequence[str]]) -> UsesForm:
        """Return the fields as they were typed, with what is wrong with them."""
        typed = [(use, posted.get(f"use.{use}", "")) for use in USES]
        return cls(typed, posted.get("data_classification", ""), posted.get("reason", ""), faults, is_refused=True)

    @property
    def uses_faults(self) -> list[str]:
        """What is wrong with the choices of single uses."""
        return [words for name in ("allowed_uses", "prohibited_uses") for words in self.faults.get(name, ())]


def standing(use: str, state: Mapping[str, Any]) -> str:
    """Return what is said of a use: one of `STANDINGS`."""
    if use in state["prohibited_uses"]:
        return "prohibited"
    return "allowed" if use in state["allowed_uses"] else "not allowed"


def posted_uses(posted: Mapping[str, str]) -> dict[str, Any]:
    """Return what a posted form wants, with the names of `governance.changing.UsesChange`."""
    said = {use: posted.get(f"use.{use}", "") for use in USES}
    return {
        "allowed_uses": [use for use, words in said.items() if words == "allowed"],
        "prohibited_uses": [use for use, words in said.items() if words == "prohibited"],
        "data_classification": posted.get("data_classification", ""),
    }
