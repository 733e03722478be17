"""The readers of environment variables; `settings.py` is their only user.

A wrong value stops the start with the variable's name, the value found (secrets masked) and what is accepted.
"""

from __future__ import annotations

import os
import re
from decimal import Decimal
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def env_str(name: str, default: str = "") -> str:
    """Return the variable without surrounding blanks; an empty one counts as not set."""
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, default: bool) -> bool:
    """Return True or False; anything but the eight accepted words raises ImproperlyConfigured."""
    text = env_str(name, "1" if default else "0").lower()
    if text not in TRUE + FALSE:
        raise ImproperlyConfigured(f"{name}={text!r} is not a yes or no: use one of {', '.join(TRUE + FALSE)}.")
    return text in TRUE


def env_choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """Return one of the words of `choices`."""
    text = env_str(name, default)
    if text not in choices:
        raise ImproperlyConfigured(f"{name}={text!r} is not accepted: use {' or '.join(choices)}.")
    return text


def env_int(name: str, default: int, *, at_least: int = 0) -> int:
    """Return a whole number of at least `at_least`."""
    text = env_str(name, str(default))
    if not text.isdigit() or int(text) < at_least:
        raise ImproperlyConfigured(f"{name}={text!r} is not accepted: use a whole number of at least {at_least}.")
    return int(text)


def env_price(name: str) -> Decimal | None:
    """Return US dollars as an exact number, or None where the variable is not set."""
    if not (text := env_str(name)):
        return None
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise ImproperlyConfigured(f"{name}={text!r} is not accepted: use US dollars such as 0.15, or leave it out.")
    return Decimal(text)


def env_url(name: str, default: str, *, schemes: tuple[str, ...]) -> str:
    """Return a URL whose scheme is one of `schemes`; a password in a refused one is masked in the error."""
    text = env_str(name, default)
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in schemes:
        forms = ", ".join(f"{scheme}://…" for scheme in schemes)
        raise ImproperlyConfigured(f"{name}={masked(parts)!r} is not accepted: use {forms}.")
    if scheme_needs_host(parts) and not parts.hostname:
        raise ImproperlyConfigured(f"{name}={masked(parts)!r} names no host: use {parts.scheme}://HOST.")
    try:
        _ = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={masked(parts)!r} is not accepted: {error}.") from error
    return text


def scheme_needs_host(parts: SplitResult) -> bool:
    """Return whether the URL is one of the web, which says nothing without a host."""
    return parts.scheme in ("http", "https")


def masked(parts: SplitResult) -> str:
    """Return the URL with its password and query values hidden, for errors and logs."""
    host = parts.netloc.rpartition("@")[2]
    user = f"{parts.username}:***@" if parts.password else ""
    query = "?…" if parts.query else ""
    scheme = f"{parts.scheme}://" if parts.scheme else ""
    return f"{scheme}{user}{host}{parts.path}{query}"
