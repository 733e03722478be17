"""The chat lines that trainers read (reference: the Databricks chat format and llm-foundry's own checks)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

ROLES = ("system", "user", "assistant")
_BOM = b"\xef\xbb\xbf"


@dataclass
class Report:
    """What a file holds: its lines, how many problems, and the first of them as (line number from 1, words)."""

    lines: int = 0
    problem_count: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problem_count

    def add(self, line: int, words: str, most: int) -> None:
        self.problem_count += 1
        if len(self.problems) < most:
            self.problems.append((line, words))


def chat_line(messages: Sequence[Mapping[str, str]]) -> bytes:
    """One line of an export, ended by a newline: exactly `messages`, each exactly `role` and `content`, in that order.

    The messages are written as they are; `line_problems` judges them. ValueError for text that is not valid Unicode.
    """
    plain = [{"role": message["role"], "content": message["content"]} for message in messages]
    try:
        return orjson.dumps({"messages": plain}, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"The messages cannot be written as JSON: {error}.") from error


def assistant_answer(messages: Sequence[Mapping[str, str]]) -> str | None:
    """The content of the last message if the assistant says it, else None."""
    return messages[-1]["content"] if messages and messages[-1]["role"] == "assistant" else None


def with_answer(messages: Sequence[Mapping[str, str]], text: str) -> list[dict[str, str]]:
    """A copy of the messages whose answer is `text`, in place of the one they have or after the question."""
    asked = messages[:-1] if assistant_answer(messages) is not None else messages
    return [*(dict(message) for message in asked), {"role": "assistant", "content": text}]


def line_problems(line: bytes | Mapping[str, Any]) -> list[str]:
    """What a trainer would refuse in one line (its newline may be left out) or in one parsed; empty when valid."""
    if isinstance(line, bytes):
        parsed, problem = _parsed(line)
        if problem:
            return [problem]
        line = parsed
    if not isinstance(line, Mapping):
        return [f"found {_kind(line)}; a line is one object with the single key 'messages'"]
    if set(line) != {"messages"}:
        return [f"found the keys {_names(line)}; allowed is exactly 'messages'. Ids and metadata go into another file"]
    messages = line["messages"]
    if not isinstance(messages, list) or not messages:
        return [_no_list(messages)]
    return [words for at, message in enumerate(messages) for words in _message(at, message)] or _order(messages)


def shape_problems(messages: Any) -> list[str]:
    """What keeps a value from being messages at all, whatever they say: a list of exactly a role and a text each."""
    if not isinstance(messages, list):
        return [_no_list(messages)]
    return [words for at, message in enumerate(messages) for words in _shape(at, message)]


def validate_file(path: Path | str, *, most: int = 100) -> Report:
    """Judges a JSONL file line by line at constant memory. All problems are counted, the first `most` are kept."""
    report = Report()
    with Path(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            report.lines = number
            for words in line_problems(line):
                report.add(number, words, most)
            if not line.endswith(b"\n"):
                report.add(number, "the last line does not end with a newline", most)
    if not report.lines:
        report.add(0, "the file has no lines", most)
    return report


def _parsed(line: bytes) -> tuple[Any, str]:
    """The value and no problem, or None and the problem."""
    if line.startswith(_BOM):
        return None, "found a byte order mark; write UTF-8 without one"
    text = line.removesuffix(b"\n")
    if text.endswith(b"\r"):
        return None, "the line ends with CR LF; end it with a newline alone"
    if not text.strip():
        return None, "the line is empty; leave it out"
    if b"\n" in text:
        return None, "found more than one line; write one object per line"
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return None, f"not valid JSON in UTF-8: {error}"
    # A key written twice is lost in parsing; only a line that is not as `chat_line` writes it can hold one.
    if orjson.dumps(value) != text and (twice := _twice(text)):
        return None, f"the key {twice!r} stands twice in one object"
    return value, ""


def _twice(text: bytes) -> str:
    found: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in items]
        found.extend(name for name in names if names.count(name) > 1)
        return dict(items)

    json.loads(text, object_pairs_hook=pairs)
    return found[0] if found else ""


def _no_list(messages: Any) -> str:
    return f"messages: found {_kind(messages)}; allowed is a list of at least a user and an assistant message"


def _message(at: int, message: Any) -> list[str]:
    problems = _shape(at, message)
    if not problems and not message["content"].strip():
        problems.append(f"messages[{at}].content: found empty text; write some or leave the message out")
    return problems


def _shape(at: int, message: Any) -> list[str]:
    if not isinstance(message, Mapping):
        return [f"messages[{at}]: found {_kind(message)}; allowed is an object with role and content"]
    if set(message) != {"role", "content"}:
        return [f"messages[{at}]: found the keys {_names(message)}; allowed are exactly 'role' and 'content'"]
    role, content = message["role"], message["content"]
    problems = []
    if role not in ROLES:
        problems.append(f"messages[{at}].role: found {role!r}; allowed are {', '.join(ROLES)}")
    if not isinstance(content, str):
        problems.append(f"messages[{at}].content: found {_kind(content)}; allowed is text (write objects as JSON text)")
    return problems


def _order(messages: Sequence[Mapping[str, str]]) -> list[str]:
    """After an optional first system message, user and assistant in turn, an assistant last."""
    roles = [message["role"] for message in messages]
    start = 1 if roles[0] == "system" else 0
    problems = []
    for at, role in enumerate(roles[start:], start):
        expected = ("user", "assistant")[(at - start) % 2]
        if role != expected:
            why = (
                "system only comes first"
                if role == "system"
                else f"expected {expected}, as user and assistant alternate"
            )
            problems.append(f"messages[{at}].role: found {role}; {why}")
            break
    if roles[-1] != "assistant":
        problems.append(
            f"the last message is of {roles[-1]}; the last is the assistant's, after at least one of the user"
        )
    return problems


def _names(value: Mapping[str, Any]) -> str:
    return ", ".join(repr(name) for name in sorted(value)) or "none"


def _kind(value: Any) -> str:
    names = {type(None): "null", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return "an object" if isinstance(value, Mapping) else names.get(type(value), type(value).__name__)
