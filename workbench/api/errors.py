"""Every error of the API in one shape: `{"error": {"code", "message", "fields"?, "details"?}}`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from itertools import islice
from math import ceil
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, ValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.defaults import server_error as plain_server_error
from rest_framework import exceptions
from rest_framework.response import Response

from workbench.lakehouse.engines.pep249 import OutOfMemory
from workbench.problems import Problem, in_words

log = logging.getLogger(__name__)

Fields = dict[str, list[str]]
# Of the faults of one request.
MOST_TOLD = 100


def handle(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the answer to an exception of a view, or None for one that nobody foresaw (a 500)."""
    match exc:
        case Problem():
            response = answer(exc.status, exc.code, exc.message, exc.fields)
            if exc.details:
                response.data["error"]["details"] = exc.details
            return response
        case exceptions.ValidationError():
            return _invalid(flattened(exc.detail))
        case ValidationError():
            return _invalid(exc.message_dict if hasattr(exc, "error_dict") else {"": exc.messages})
        case exceptions.APIException():
            return _of_framework(exc)
        case Http404():
            return answer(404, "not_found", "There is no such thing: check the id in the URL.")
        case RequestDataTooBig():
            most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            return answer(
                413, "too_large", f"The request is too large: send at most {most:,} bytes, or several requests."
            )
        case PermissionDenied():
            return answer(403, "forbidden", str(exc) or "You may not do this: ask a platform lead for the right.")
        case ProtectedError():
            return answer(409, "conflict", f"{exc.args[0]} Delete what points at it first.")
        case DataError():
            # Checks look at values before: the log tells which one let this through.
            log.warning("A value did not fit its column", exc_info=exc)
            return answer(400, "invalid", f"A value does not fit where it is kept: {exc} Send another one.")
        case IntegrityError():
            return answer(409, "conflict", f"That exists already: {exc} Change the value, or edit the row that has it.")
        case OperationalError(__cause__=OutOfMemory()):
            return answer(413, "too_large", str(exc))
        case OperationalError():
            log.error("A database did not answer", exc_info=exc)
            return answer(503, "unavailable", "The lakehouse or database cannot be reached now: try again in a minute.")
    return None


def answer(status: int, code: str, message: str, fields: Fields | None = None, headers: Any = None) -> Response:
    """Return the response in the one shape of errors."""
    return Response(body(code, message, fields), status=status, headers=headers)


def body(code: str, message: str, fields: Fields | None = None) -> dict[str, Any]:
    """Return the JSON object of an error; `fields` is left out where it is empty."""
    return {"error": {"code": code, "message": message} | ({"fields": fields} if fields else {})}


def flattened(detail: Any) -> Fields:
    """Return DRF's nested messages by dotted path, `sources.0.type`; those of the whole input under "".

    The first hundred, and how many more there are.
    """
    messages = _messages(detail)
    found = dict(islice(messages, MOST_TOLD))
    if more := sum(1 for _ in messages):
        found[""] = [*found.get("", []), f"The first {MOST_TOLD} faults are told, and there are {more:,} more."]
    return found


def _messages(detail: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            part = "" if name == "non_field_errors" else str(name)
            yield from _messages(inner, ".".join(filter(None, (path, part))))
    elif isinstance(detail, list) and any(isinstance(item, Mapping | list) for item in detail):
        yield from _messages({str(at): item for at, item in enumerate(detail) if item}, path)
    else:
        yield path, [str(item) for item in (detail if isinstance(detail, list) else [detail])]


def _invalid(fields: Fields) -> Response:
    whole = " ".join(fields.pop("", []) + fields.pop("__all__", []))
    message = " ".join(filter(None, (whole, in_words(fields))))
    return answer(400, "invalid", message, fields)


def _of_framework(exc: exceptions.APIException) -> Response:
    headers: dict[str, str] = {}
    if header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(ceil(wait))
    message = str(exc.detail)
    if isinstance(exc, exceptions.Throttled):
        seconds = ceil(getattr(exc, "wait", None) or 1)
        message = f"Too many requests: wait {seconds} seconds, then ask less often."
    if isinstance(exc, exceptions.NotAuthenticated):
        message = "Sign in first: send `Authorization: Token …` from POST /api/v1/auth/token, or use a session."
    return answer(exc.status_code, str(exc.default_code), message, headers=headers)


# Outside the views of the framework


# Changes nothing, and the page that refuses a missing CSRF cookie is not JSON.
@csrf_exempt
def unknown_url(request: HttpRequest) -> JsonResponse:
    """Answer a URL under /api/ that does not exist."""
    hint = "see /api/docs for those that exist."
    if request.path.endswith("/"):
        hint = f"URLs here have no trailing slash, so try {request.path.rstrip('/')} or {hint}"
    return JsonResponse(body("not_found", f"There is no {request.path}: {hint}"), status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an exception that nobody foresaw: JSON under /api/, Django's page elsewhere."""
    if request.path.startswith("/api/"):
        message = (
            "Something failed here that is not your doing; the server's log has the cause. Try again or report it."
        )
        return JsonResponse(body("server_error", message), status=500)
    return plain_server_error(request)
