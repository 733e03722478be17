"""The client of OpenAI-compatible chat endpoints: vLLM, Ollama, llama.cpp, a gateway, Databricks.

A thin one over aiohttp, because an SDK's two milliseconds of work for each call would be the limit of a fast endpoint.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import orjson

from templates_app.rendering import token_estimate
from training.pacing import AdaptiveLimit, PerMinute, pause
from training.replies import Reply, read_reply
from workbench.env import masked

TRIES = 5
# A quota of a minute, or of an hour's end, is waited for; a refusal that lasts longer is the endpoint's state.
PATIENCE = 600.0
RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
# These say something about the caller or the address, so every other question would be answered alike.
SHUT = frozenset({301, 302, 303, 307, 308, 401, 402, 403, 404, 405, 407})
CROWDED = frozenset({429, 503})
# What asks for an answer of a schema, the strictest first; a server that refuses one is asked by the next.
LADDER = ("json_schema", "json_object", "prompt")
# Words of a refusal of pictures, or of content in parts, by a model or server that takes text only.
NO_PARTS = re.compile(
    rb"image|vision|multi-?modal|content[^.]{0,60}(string|\bstr\b|\btext\b)|(sequence|array|list)[^.]{0,40}string",
    re.IGNORECASE,
)
# A refusal of the response format itself, as against one of the prompt.
REFUSES_FORMAT = frozenset({400, 404, 415, 422, 500, 501})
# A refusal of how it is asked, as against what: of a parameter, which is the same for every item.
WRONG_PARAMETER = re.compile(
    rb"(unsupported|unknown|unrecognized|unexpected|invalid)[^.]{0,12}(parameter|argument|keyword)|unsupported value"
    rb"|extra inputs are not permitted",
    re.IGNORECASE,
)
TOO_LONG = re.compile(
    rb"context.{0,24}(length|window|size|limit|exceed)|(prompt|input|request|message)s?.{0,24}too (long|large)"
    rb"|too many.{0,8}tokens|(maximum|exceed)[^.]{0,40}tokens|tokens[^.]{0,24}exceed",
    re.IGNORECASE,
)


def no_headers() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Endpoint:
    """Where a model answers: `url` ends before `/chat/completions`.

    `headers` are asked for before every call, so that a token may be renewed.
    """

    url: str
    model: str
    api_key: str = field(default="", repr=False)
    headers: Callable[[], Mapping[str, str]] = field(default=no_headers, repr=False)


@dataclass(frozen=True)
class Options:
    """How to ask: sampling, the schema of the answer (empty: free text), calls at once, seconds for one call.

    `calls_per_minute` and `tokens_per_minute` are the endpoint's quotas; 0 is without one.
    """

    temperature: float = 0.0
    max_tokens: int = 1024
    schema: Mapping[str, Any] = field(default_factory=dict)
    concurrency: int = 16
    timeout: float = 120.0
    calls_per_minute: int = 0
    tokens_per_minute: int = 0


class Completions:
    """Asks one endpoint, in `async with`; the rung of the ladder and the pace that it bears are remembered.

    One session serves all calls, so connections are used again.
    """

    def __init__(self, endpoint: Endpoint, options: Options) -> None:
        self.endpoint, self.options = endpoint, options
        self._url = f"{endpoint.url.rstrip('/')}/chat/completions"
        self._rung = 0 if options.schema else LADDER.index("prompt")
        self._proven = not options.schema

    def ask(self, conversations: Sequence[Sequence[Mapping[str, Any]]]) -> list[Reply]:
        """Return one reply for each conversation, in their order; a failure is the problem of its reply alone."""
        return asyncio.run(self._ask_all(conversations))

    async def _ask_all(self, conversations: Sequence[Sequence[Mapping[str, Any]]]) -> list[Reply]:
        async with self:
            return await asyncio.gather(*map(self.reply, conversations))

    async def __aenter__(self) -> Self:
        self.limit = AdaptiveLimit(self.options.concurrency)
        self._calls = PerMinute(self.options.calls_per_minute)
        self._tokens = PerMinute(self.options.tokens_per_minute)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=self.options.timeout, sock_connect=10),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def reply(self, messages: Sequence[Mapping[str, Any]]) -> Reply:
        """Return the endpoint's reply; CancelledError for one that had not been asked when `limit` was stopped."""
        attempt, rung, refusals, waited, failed_at = 0, self._rung, 0, 0.0, math.inf
        while True:
            headers: Mapping[str, str] = {}
            try:
                heard = await self._post(messages, rung)
            except (TimeoutError, aiohttp.ClientError) as error:
                reply = self._unreachable(error)
                # A call that ran out of time was paid for, so it is tried less often.
                attempt += 2 if isinstance(error, TimeoutError) else 0
            else:
                if heard.status == 200:
                    return self._answered(heard, rung)
                if self._refuses_parts(heard, messages):
                    return replace(self._refusal(heard), refuses_parts=True, is_outage=False)
                if self._refuses_format(heard) and rung < LADDER.index("prompt"):
                    rung += 1
                    continue
                reply, headers = self._refusal(heard), heard.headers
                if heard.status not in RETRIED:
                    return reply
                if heard.status == 429 and waited < PATIENCE:
                    refusals += 1
                    # Everyone waits, and longer each time, also where the endpoint says 0 for ever.
                    told = pause(refusals, headers, longest=PATIENCE - waited)
                    seconds = max(told, (refusals - 1) / 10)
                    self.limit.refused(heard.began, seconds)
                    waited += seconds
                    continue
                if heard.status in CROWDED:
                    self.limit.refused(heard.began, 0.0)
            failed_at = min(failed_at, reply.heard_at)
            attempt += 1
            if attempt >= TRIES:
                return replace(reply, heard_at=failed_at)
            await self.limit.rest(pause(attempt, headers))

    async def _post(self, messages: Sequence[Mapping[str, Any]], rung: int) -> _Heard:
        """Call once, as soon as the limits allow it."""
        async with self.limit.slot():
            booked = token_estimate(messages) + self.options.max_tokens if self.options.tokens_per_minute else 0
            now = time.monotonic()
            if wait := max(self._calls.book(1, now), self._tokens.book(booked, now)):
                await self.limit.rest(wait)
            began = time.monotonic()
            async with self._session.post(
                self._url, data=self._request(messages, rung), headers=self._headers(), allow_redirects=False
            ) as response:
                heard = _Heard(response.status, response.headers, await response.read(), began, booked)
        if heard.status == 200:
            self.limit.succeeded(time.monotonic() - began)
        return heard

    def _answered(self, heard: _Heard, rung: int) -> Reply:
        self._prove(rung)
        reply = self._read(heard.body)
        if used := reply.prompt_tokens + reply.completion_tokens:
            self._tokens.correct(used - heard.booked)
        return reply

    def _prove(self, rung: int) -> None:
        """Remember a rung that worked. The strictest one counts, so that one bad moment of a server does not cost it."""
        self._rung = min(self._rung, rung) if self._proven else rung
        self._proven = True

    def _refuses_parts(self, heard: _Heard, messages: Sequence[Mapping[str, Any]]) -> bool:
        shown = isinstance(messages[-1]["content"], list) and heard.status in REFUSES_FORMAT
        return shown and bool(NO_PARTS.search(heard.body)) and not TOO_LONG.search(heard.body)

    def _refuses_format(self, heard: _Heard) -> bool:
        return heard.status in REFUSES_FORMAT and not self._proven and not TOO_LONG.search(heard.body)

    def _refusal(self, heard: _Heard) -> Reply:
        wrong = heard.status in {400, 422} and WRONG_PARAMETER.search(heard.body) and not TOO_LONG.search(heard.body)
        outage = heard.status in SHUT or heard.status in RETRIED or bool(wrong)
        words = f"The endpoint answered {heard.status}: {self._shown(heard.body)}"
        return Reply(problem=words, is_outage=outage, is_shut=heard.status in SHUT)

    def _unreachable(self, error: Exception) -> Reply:
        words = f"{type(error).__name__} {error}".rstrip()
        if late := isinstance(error, TimeoutError):
            words = f"no answer within {self.options.timeout:g} s"
        where = masked(urlsplit(self.endpoint.url))
        return Reply(problem=f"The endpoint {where} cannot be reached: {words}", is_outage=True, is_shut=not late)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self.endpoint.api_key:
            headers["Authorization"] = f"Bearer {self.endpoint.api_key}"
        return {**headers, **self.endpoint.headers()}

    def _request(self, messages: Sequence[Mapping[str, Any]], rung: int) -> bytes:
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
            reply = read_reply(orjson.loads(body), unfence=bool(self.options.schema))
            return replace(reply, problem=self._masked(reply.problem)) if reply.problem else reply
        except orjson.JSONDecodeError:
            words = f"The endpoint answered with something that is no JSON: {self._shown(body)}"
            return Reply(problem=words, is_outage=True)

    def _shown(self, body: bytes) -> str:
        """Return the beginning of an error body on one line."""
        return " ".join(self._masked(body[:2000].decode(errors="replace")).split())[:300] or "nothing"

    def _masked(self, text: str) -> str:
        """Return a server's words without the secrets that it may repeat in them."""
        for name, secret in self._headers().items():
            for word in (secret, secret.rpartition(" ")[2]) if name != "Content-Type" else ():
                text = text.replace(word, "***") if len(word) > 3 else text
        return text


@dataclass(frozen=True)
class _Heard:
    status: int
    headers: Mapping[str, str]
    body: bytes
    began: float
    booked: int


def _with_schema(messages: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the messages with the schema told in words, in the last one, for servers that cannot be held to it."""
    told = f"Answer with one JSON value that fits this JSON Schema, and nothing else:\n{orjson.dumps(schema).decode()}"
    *before, last = ({**message} for message in messages)
    content = last["content"]
    longer = f"{content}\n\n{told}" if isinstance(content, str) else [*content, {"type": "text", "text": told}]
    return [*before, {**last, "content": longer}]
