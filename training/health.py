"""The check of `manage.py doctor` on the model endpoint."""

from __future__ import annotations

import json
import time
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from django.conf import settings

from training.answerers import configured_endpoint
from training.drafter import OFFLINE_MODEL
from workbench.doctor import Finding
from workbench.env import masked
from workbench.problems import Unavailable

SECONDS = 15
SHOWN = 200


def model() -> Finding:
    """Return whether the model of WORKBENCH_LLM_URL answers one tiny request; OSError where nobody answers."""
    if not settings.LLM_URL:
        return Finding("ok", f"none is set: drafts come from {OFFLINE_MODEL}")
    where = f"{settings.LLM_MODEL} at {masked(urlsplit(settings.LLM_URL))}"
    started = time.monotonic()
    try:
        question = _question()
    except Unavailable as problem:
        return Finding("FAIL", str(problem), "set the sign-in of the workspace")
    try:
        with urlopen(question, timeout=SECONDS) as answer:  # noqa: S310 - the settings accept http and https only
            answer.read()
    except HTTPError as error:
        with error:
            said = " ".join(error.read(SHOWN).decode(errors="replace").split())
        return Finding("FAIL", f"{where} answered {error.code}: {said}", _advice(error.code))
    except OSError as error:
        raise OSError(f"{where} cannot be reached: {error}") from error
    return Finding("ok", f"{where} answered in {time.monotonic() - started:.1f} s")


def _question() -> Request:
    body = {"model": settings.LLM_MODEL, "messages": [{"role": "user", "content": "Say OK."}], "max_tokens": 1}
    place = configured_endpoint()
    headers = {"Content-Type": "application/json", **place.headers()}
    if place.api_key:
        headers.setdefault("Authorization", f"Bearer {place.api_key}")
    url = f"{place.url.rstrip('/')}/chat/completions"
    return Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - as above


def _advice(status: int) -> str:
    if status in (401, 403):
        return "check WORKBENCH_LLM_API_KEY"
    if status == 404:
        return "check WORKBENCH_LLM_MODEL, and that WORKBENCH_LLM_URL ends before /chat/completions"
    return "see the endpoint's own log"
