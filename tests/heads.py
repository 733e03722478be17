"""Asking for the head of a download alone, as a server answers it."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from rest_framework.test import APIClient


def head(client: APIClient, url: str, query: dict[str, Any] | None = None) -> tuple[Any, bytes]:
    """Return the answer to a HEAD, and the body that gunicorn would read to its end and not send.

    Django's client throws that body away unread, so that nothing is seen of what reading it does.
    """
    with patch("django.test.client.conditional_content_removal", lambda _request, answer: answer):
        answer: Any = client.head(url, query)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer, body
