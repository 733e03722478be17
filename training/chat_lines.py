"""Stored messages to the lines of an export."""

from __future__ import annotations

from typing import Any

import orjson

from training.chat import assistant_answer, chat_line, line_problems
from training.ledger import EMPTY, Ledger


class ChatLines:
    """Writes lines; the chat rules are asked in full once for each sequence of roles, as contents are looked at anyway."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._sound: set[tuple[str, ...] | None] = set()

    def line(self, stored: bytes) -> bytes | None:
        """Return the line of stored messages, or None, and the pair is counted, when it is no line to train on."""
        messages = orjson.loads(stored)
        roles = roles_of(messages)
        if roles is None or roles not in self._sound:
            if flaw := _flaw(messages):
                self.ledger.add(flaw)
                return None
            self._sound.add(roles)
        return chat_line(messages)


def roles_of(messages: Any) -> tuple[str, ...] | None:
    """Return the roles of messages that each are exactly a role and a text that is not blank, else None."""
    try:
        roles = tuple([str(m["role"]) for m in messages if len(m) == 2 and m["content"].strip()])
    except (AttributeError, KeyError, TypeError):
        return None
    return roles if len(roles) == len(messages) else None


def _flaw(messages: Any) -> str | None:
    if not (assistant_answer(messages) or "").strip():
        return EMPTY
    problems = line_problems({"messages": messages})
    return f"not a valid chat line: {problems[0]}" if problems else None
