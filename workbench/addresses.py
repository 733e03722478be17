"""Where a request comes from. One function for throttles, lockout and the log of refusals."""

from __future__ import annotations

from typing import Any

from django.conf import settings


def address_of(request: Any) -> str:
    """Return the caller's IP address.

    Behind a proxy the last entry of `X-Forwarded-For`, which that proxy wrote; without one the header is the caller's own
    claim, and is not looked at.
    """
    seen: str = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        claimed = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")[-1].strip()
        seen = claimed or seen
    return seen[:45]
