"""The loopback chat server speaks what a real client expects, so that what our client learns from it holds elsewhere."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from tests.training.chat_server import Behaviour, chat_server, says
from training.completions import Completions, Endpoint, Options

SCHEMA = {"type": "object", "properties": {"defect": {"type": "string"}}, "required": ["defect"]}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
MESSAGES: list[Any] = [{"role": "user", "content": [{"type": "text", "text": "Which defect?"}, PICTURE]}]
FORMAT: Any = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}


def by_openai(behaviour: Behaviour) -> tuple[Any, list[dict[str, Any]], list[str]]:
    with chat_server(behaviour) as server:
        client = openai.OpenAI(base_url=server.url, api_key="key", max_retries=2)
        found = client.chat.completions.create(
            model="tiny", messages=MESSAGES, temperature=0.0, max_tokens=1024, response_format=FORMAT
        )
        client.close()
        return found, server.requests, server.keys


def test_our_client_sends_what_the_openai_client_sends() -> None:
    _, theirs, keys = by_openai(lambda *_: says("{}"))
    with chat_server(lambda *_: says("{}")) as server:
        Completions(Endpoint(server.url, "tiny", "key"), Options(schema=SCHEMA)).ask([MESSAGES])
    assert (server.requests, server.keys) == (theirs, keys)


def test_the_openai_client_reads_what_the_server_says() -> None:
    found, _, _ = by_openai(lambda *_: says("half", finish_reason="length"))
    assert (found.choices[0].message.content, found.choices[0].finish_reason) == ("half", "length")
    assert found.usage.prompt_tokens == 7


def test_the_openai_client_waits_and_repeats_as_ours_does() -> None:
    retried = {"Retry-After": "0.01"}
    found, requests, _ = by_openai(lambda _, number: (429, retried, {}) if number < 2 else says("x"))
    assert (found.choices[0].message.content, len(requests)) == ("x", 3)


def test_a_refusal_is_the_openai_clients_error() -> None:
    with pytest.raises(openai.BadRequestError, match="too long"):
        by_openai(lambda *_: (400, {}, {"error": {"message": "too long"}}))
