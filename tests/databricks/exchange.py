"""A request and its answer as the loopback workspace sees them, and the table that finds who answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Request:
    """What arrived: `path` without the query and still %-escaped, header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body or b"{}")
        return found


@dataclass(frozen=True)
class Answer:
    """Status, headers and the body in blocks; `Content-Length` is among the headers where the body is a stream."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""


class RefusedError(Exception):
    """The workspace answers with an error: its HTTP status, error code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def answer(self, headers: Mapping[str, str] | None = None) -> Answer:
        return as_json({"error_code": self.code, "message": self.message}, self.status, headers)


# What answers a route: the request and the unescaped parts of its path in, an Answer or the JSON of a 200 out.
Respond = Callable[..., Answer | dict[str, Any]]
Routes = Mapping[tuple[str, str], Respond]


def as_json(found: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(found).encode())


def route(routes: Routes, request: Request) -> Answer:
    """Return the answer of the route that fits: `{}` stands for one part of the path, `{*}` for all that follows."""
    for (method, pattern), respond in routes.items():
        escaped = re.escape(pattern).replace(r"\{\*\}", "(/.*)").replace(r"\{\}", "([^/]+)")
        if method == request.method and (match := re.fullmatch(escaped, request.path)):
            found = respond(request, *map(unquote, match.groups()))
            return found if isinstance(found, Answer) else as_json(found)
    raise RefusedError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{request.method} {request.path}'")


def page(request: Request, name: str, entries: Sequence[Any], size: int) -> dict[str, Any]:
    """Return one page of `entries`; a page of nothing that has a next one comes first, as Unity Catalog may send it."""
    most = int(request.query.get("max_results") or request.query.get("page_size") or 0) or size
    at = int(request.query.get("page_token", "-1"))
    if len(entries) > most and at < 0:
        return {name: [], "next_page_token": "0"}
    start = max(at, 0)
    end = start + min(most, size)
    more = {"next_page_token": str(end)} if end < len(entries) else {}
    return {name: [entry.as_dict() for entry in entries[start:end]], **more}
