"""How often the API may be asked: counted by user, by token and by address, for all processes of this machine together."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.cache import caches
from rest_framework.throttling import SimpleRateThrottle

from workbench.addresses import address_of
from workbench.models import AccessToken


class Rate(SimpleRateThrottle):
    """So many requests in a window of time: one small number a caller, where the framework keeps every request's time.

    Two processes that count at the same moment can count one request less, which is of no matter for a rate. Each counts
    for itself as well: where the files cannot be written, a caller has the rate once in each process, and not without end.
    """

    scope: str
    num_requests: int | None
    duration: int
    left = 0.0

    def get_rate(self) -> str | None:
        """Return the setting as it is now; None, which is no limit, for 0."""
        a_minute = settings.RATES[self.scope]
        return f"{a_minute}/min" if a_minute else None

    def allow_request(self, request: Any, view: Any) -> bool:
        """Return whether the caller may ask once more; `wait` says how long not."""
        key = self.get_cache_key(request, view) if self.rate else None
        if key is None or not self.num_requests:
            return True
        now, counts = time.time(), (caches["rates"], caches["own_rates"])
        # The latest window, and of that the larger count.
        started, count = max((known for each in counts if (known := each.get(key))), default=(now, 0))
        if now - started >= self.duration:
            started, count = now, 0
        self.left = started + self.duration - now
        if count >= self.num_requests:
            return False
        for each in counts:
            each.set(key, (started, count + 1), self.duration)
        return True

    def wait(self) -> float:
        return self.left


class UserRate(Rate):
    scope = "user"

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        return f"user-{request.user.pk}" if request.user and request.user.is_authenticated else None


class TokenRate(Rate):
    scope = "token"

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        return f"token-{request.auth.pk}" if isinstance(request.auth, AccessToken) else None


class AddressRate(Rate):
    """Of those who are not signed in."""

    scope = "address"

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        signed_in = request.user and request.user.is_authenticated
        return None if signed_in else f"address-{address_of(request)}"


class SignInRate(AddressRate):
    """Of passwords that are tried, right or wrong."""

    scope = "sign_in"

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        return f"sign-in-{address_of(request)}"
