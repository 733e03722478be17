"""The client of OpenAI-compatible chat endpoints: vLLM, Ollama, llama.cpp, a gateway, Databricks.

A thin one over aiohttp, because an SDK's two milliseconds of work for each call would be the limit of a fast endpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from training.pacing import AdaptiveLimit, pause
from training.replies import Reply, read_reply
from workbench.env import masked

TRIES = 5
RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
CROWDED = frozenset({429, 503})
# What asks for an answer of a schema, the strictest first; a server that refuses one is asked by the next.
LADDER = ("json_schema", "json_object", "prompt")
# A refusal of the response format itself, as against one of the prompt.
REFUSES_FORMAT = frozenset({400, 404, 415, 422, 500, 501})


@dataclass(frozen=True)
class Endpoint:
    """Where a model answers: `url` ends before `/chat/completions`."""

    url: str
    model: str
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True)
class Options:
    """How to ask: sampling, the schema of the answer (empty: free text), calls at once, seconds for one call."""

    temperature: float = 0.0
    max_tokens: int = 1024
    schema: Mapping[str, Any] = field(default_factory=dict)
    concurrency: int = 16
    timeout: float = 120.0


class Completions:
    """Asks one endpoint; the rung of the ladder that it accepts and the pace that it bears are remembered."""

    def __init__(self, endpoint: Endpoint, options: Options) -> None:
        self.endpoint, self.options = endpoint, options
        self._rung = 0 if options.schema else LADDER.index("prompt")

    def ask(self, conversations: Sequence[Sequence[Mapping[str, str]]]) -> list[Reply]:
        """Return one reply for each conversation, in their order; a failure is the problem of its reply alone."""
        return asyncio.run(self._ask_all(conversations))

    async def _ask_all(self, conversations: Sequence[Sequence[Mapping[str, str]]]) -> list[Reply]:
        limit = AdaptiveLimit(self.options.concurrency)
        headers = {"Content-Type": "application/json"}
        if self.endpoint.api_key:
            headers["Authorization"] = f"Bearer {self.endpoint.api_key}"
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=self.options.timeout, sock_connect=10)
        # The same question is asked once, however many items pose it.
        keys = [orjson.dumps(list(messages)) for messages in conversations]
        async with aiohttp.ClientSession(headers=headers, connector=connector, timeout=timeout) as session:
            asked: dict[bytes, asyncio.Future[Reply]] = {}
            for key, messages in zip(keys, conversations, strict=True):
                if key not in asked:
                    asked[key] = asyncio.ensure_future(self._reply(session, limit, messages))
            return [await asked[key] for key in keys]

    async def _reply(
        self, session: aiohttp.ClientSession, limit: AdaptiveLimit, messages: Sequence[Mapping[str, str]]
    ) -> Reply:
        problem, attempt, rung = "", 0, self._rung
        while attempt < TRIES:
            headers: dict[str, str] = {}
            try:
                async with (
                    limit.slot(),
                    session.post(self._url, data=self._request(messages, rung), allow_redirects=False) as response,
                ):
                    status, body, headers = response.status, await response.read(), dict(response.headers)
            except (TimeoutError, aiohttp.ClientError) as error:
                problem = f"The endpoint {masked(urlsplit(self.endpoint.url))} cannot be reached: {type(error).__name__} {error}".rstrip()
            else:
                if status == 200:
                    limit.grow()
                    # Remembered once it worked, so that one bad moment of a server does not cost it its best rung.
                    self._rung = max(self._rung, rung)
                    return self._read(body)
                problem = f"The endpoint answered {status}: {_shown(body)}"
                if status in REFUSES_FORMAT and rung < LADDER.index("prompt"):
                    rung += 1
                    continue
                if status not in RETRIED:
                    break
                if status in CROWDED:
                    limit.shrink()
            attempt += 1
            if attempt < TRIES:
                await asyncio.sleep(pause(attempt, headers))
        return Reply(problem=problem)

    @property
    def _url(self) -> str:
        return f"{self.endpoint.url.rstrip('/')}/chat/completions"

    def _request(self, messages: Sequence[Mapping[str, str]], rung: int) -> bytes:
        body: dict[str, Any] = {
            "model": self.endpoint.model,
            "messages": list(messages),
            "temperature": self.options.temperature,
            "max_tokens": self.options.max_tokens,
        }
        schema = dict(self.options.schema)
        match LADDER[rung]:
            case "json_schema":
                wrapped = {"name": "answer", "schema": schema, "strict": True}
                body["response_format"] = {"type": "json_schema", "json_schema": wrapped}
            case "json_object":
                body["response_format"] = {"type": "json_object"}
        if schema and LADDER[rung] != "json_schema":
            body["messages"] = _with_schema(messages, schema)
        return orjson.dumps(body)

    def _read(self, body: bytes) -> Reply:
        try:
            return read_reply(orjson.loads(body))
        except orjson.JSONDecodeError:
            return Reply(problem=f"The endpoint answered with something that is no JSON: {_shown(body)}")


def _with_schema(messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the messages with the schema told in words, in the last one, for servers that cannot be held to it."""
    told = f"Answer with one JSON value that fits this JSON Schema, and nothing else:\n{orjson.dumps(schema).decode()}"
    *before, last = ({**message} for message in messages)
    return [*before, {**last, "content": f"{last['content']}\n\n{told}"}]


def _shown(body: bytes) -> str:
    """Return the beginning of an error body on one line."""
    text = " ".join(body[:600].decode(errors="replace").split())
    return text[:300] or "nothing"
