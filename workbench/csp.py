"""The Content-Security-Policy of screens whose scripts and styles are all files of ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http.response import HttpResponseBase

POLICY = "; ".join(
    (
        "default-src 'self'",
        # pdf.js hands images and fonts over as blobs and data.
        "img-src 'self' blob: data:",
        "font-src 'self' blob: data:",
        "worker-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
View = Callable[..., HttpResponseBase]


def strict(view: View) -> View:
    """Return the view with the policy on its answers: nothing inline runs, and nothing comes from elsewhere."""

    @wraps(view)
    def answered(*args: Any, **kwargs: Any) -> HttpResponseBase:
        answer = view(*args, **kwargs)
        answer.headers["Content-Security-Policy"] = POLICY
        return answer

    return answered
