"""How the loopback workspace answers: the table of routes, pages, and errors in the workspace's shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from tests.databricks.http import Reply, Request, json_reply


class RefusedError(Exception):
    """The workspace answers with an error: its HTTP status, error code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def reply(self, headers: Mapping[str, str]) -> Reply:
        told = json_reply(self.status, {"error_code": self.code, "message": self.message})
        return replace(told, headers={**told.headers, **headers})


# What answers a route: the request and the unescaped parts of its path in; out a Reply, the JSON of a 200, or None to hang up.
Respond = Callable[..., Reply | dict[str, Any] | None]
Routes = Mapping[tuple[str, str], Respond]


def route(routes: Routes, request: Request) -> Reply | None:
    """Return the answer of the route that fits: `{}` stands for one part of the path, `{*}` for all that follows."""
    for (method, pattern), respond in routes.items():
        escaped = re.escape(pattern).replace(r"\{\*\}", "(/.*)").replace(r"\{\}", "([^/]+)")
        if method == request.method and (match := re.fullmatch(escaped, request.path)):
            found = respond(request, *map(unquote, match.groups()))
            return found if found is None or isinstance(found, Reply) else json_reply(200, found)
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
