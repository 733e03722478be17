"""From the messages of a pair to one record of an export, by format. No database inside.

A shape takes messages that obey the chat rules, and the draft that a reviewer edited, for the one format that
compares. It returns the record, or why the pair does not fit the format.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from training.exports.answers import says_the_same
from training.ledger import Exclusion

Messages = Sequence[Mapping[str, str]]
Record = dict[str, Any]
Shape = Callable[[Messages, str], Record | Exclusion]

SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt"}


def chat(messages: Messages, _draft: str) -> Record:
    """`{"messages": [{"role", "content"}, …]}`: Databricks, OpenAI, TRL."""
    return {"messages": _plain(messages)}


def prompt_completion(messages: Messages, _draft: str) -> Record:
    """`{"prompt": [messages], "completion": [message]}`: TRL's conversational form, so that roles stay apart."""
    return {"prompt": _plain(messages[:-1]), "completion": _plain(messages[-1:])}


def sharegpt(messages: Messages, _draft: str) -> Record:
    """`{"conversations": [{"from": "system" | "human" | "gpt", "value"}, …]}`."""
    return {"conversations": [{"from": SPEAKERS[each["role"]], "value": each["content"]} for each in messages]}


def alpaca(messages: Messages, _draft: str) -> Record:
    """`{"instruction", "input", "output"}`, and `"history": [[question, answer], …]` where turns came before.

    The system message instructs and the last question is the input, so that no reader that knows only the three keys
    loses either; without a system message the question instructs.
    """
    texts = [each["content"] for each in messages]
    has_system = messages[0]["role"] == "system"
    earlier, (question, answer) = texts[has_system:-2], texts[-2:]
    instruction, given = (texts[0], question) if has_system else (question, "")
    history = {"history": [earlier[at : at + 2] for at in range(0, len(earlier), 2)]} if earlier else {}
    return {"instruction": instruction, "input": given, "output": answer, **history}


def dpo(messages: Messages, draft: str) -> Record | Exclusion:
    """`{"prompt": [messages], "chosen": [message], "rejected": [message]}`: TRL's preference form."""
    if says_the_same(draft, messages[-1]["content"]):
        return Exclusion("the approved edit is the same as the draft", "format", "dpo")
    rejected = [{"role": "assistant", "content": draft}]
    return {"prompt": _plain(messages[:-1]), "chosen": _plain(messages[-1:]), "rejected": rejected}


def _plain(messages: Messages) -> list[dict[str, str]]:
    return [{"role": each["role"], "content": each["content"]} for each in messages]
