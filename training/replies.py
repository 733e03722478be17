"""What a chat endpoint sends back, read tolerantly: servers differ in how they say the same thing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FENCE = "```"


@dataclass(frozen=True)
class Reply:
    """The text of an answer; `problem` says why it is none, or not whole. Tokens are 0 where the server is silent.

    `model` is the one that the server says has answered. `is_outage` marks a problem that the endpoint would have with
    any question, as far as one call can tell, `is_shut` one of them that no item can be the cause of, and `refuses_parts` one with the pictures of the question. `files_shown` is how
    many files of the item went with the question. `heard_at` (monotonic) is when it came, of one that was tried several times
    when the first try failed.
    """

    text: str = ""
    problem: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    model: str = ""
    is_outage: bool = False
    is_shut: bool = False
    refuses_parts: bool = False
    files_shown: int = 0
    heard_at: float = field(default_factory=time.monotonic, compare=False)


def read_reply(body: Any, *, unfence: bool = True) -> Reply:
    """Return the reply of a `chat/completions` body: content as text or as blocks, with `unfence` without a code fence around it."""
    if not isinstance(body, Mapping):
        return Reply(problem=f"The endpoint answered with {type(body).__name__}, not with an object.", is_outage=True)
    usage, model = body.get("usage") or {}, body.get("model")
    text, problem = _answer(body)
    text = unfenced(text) if unfence else text
    named = model if isinstance(model, str) else ""
    return Reply(text, problem, _count(usage, "prompt_tokens"), _count(usage, "completion_tokens"), named)


def _answer(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return the text of the first choice, and what is wrong with it."""
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, Mapping) or not isinstance(first.get("message"), Mapping):
        return "", _without_choices(body.get("error"))
    text = content_text(first["message"].get("content")).strip()
    if first.get("finish_reason") == "length":
        return text, "The answer was cut off at max_tokens: raise max_tokens, or shorten the prompt."
    if first.get("finish_reason") == "content_filter":
        return text, "The answer was cut off by the endpoint's content filter."
    if refusal := first["message"].get("refusal"):
        return text, f"The model refused: {refusal}"
    return text, "" if text else "The model answered with nothing."


def _without_choices(error: Any) -> str:
    """Return what to say of a good status without an answer: gateways tell there what went wrong behind them."""
    said = error.get("message") if isinstance(error, Mapping) else error
    words = " ".join(str(said or "").split())[:300]
    return f"The endpoint answered without choices: {words}" if words else "The endpoint answered without choices."


def content_text(content: Any) -> str:
    """Return a message's content: text as it is, and of a list of blocks the text blocks joined."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "".join(
        str(block.get("text") or "") for block in blocks if isinstance(block, Mapping) and block.get("type") == "text"
    )


def unfenced(text: str) -> str:
    """Return what one Markdown fence around the whole text encloses, or the text without outer blanks."""
    text = text.strip()
    first, _, rest = text.partition("\n")
    if not (first.startswith(FENCE) and rest.endswith(FENCE)):
        return text
    inside = rest.removesuffix(FENCE)
    # A line that begins with a fence ends the first block; within JSON no line begins in the middle of a text.
    return text if f"\n{FENCE}" in f"\n{inside}" else inside.strip()


def _count(usage: Any, name: str) -> int:
    value = usage.get(name) if isinstance(usage, Mapping) else None
    return value if isinstance(value, int) and value > 0 else 0
