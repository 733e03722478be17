"""The readers of environment variables; `settings.py` is their only user.

A wrong value stops the start with the variable's name, the value found (secrets masked) and what is accepted.
"""

from __future__ import annotations

import json
import os
import re
from decimal import Decimal
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured

USUAL_PORTS = {"http": 80, "https": 443}
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


def env_int(name: str, default: int, *, at_least: int = 0, at_most: int = 1_000_000) -> int:
    """Return a whole number from `at_least` to `at_most`."""
    text = env_str(name, str(default))
    if not re.fullmatch(r"[0-9]{1,19}", text) or not at_least <= int(text) <= at_most:
        raise ImproperlyConfigured(
            f"{name}={text!r} is not accepted: use a whole number of at least {at_least} and at most {at_most}."
        )
    return int(text)


def env_choice(name: str, default: str, *, among: tuple[str, ...]) -> str:
    """Return one of the words of `among`."""
    text = env_str(name, default).lower()
    if text not in among:
        raise ImproperlyConfigured(f"{name}={text!r} is not accepted: use one of {', '.join(among)}.")
    return text


def env_headers(name: str) -> dict[str, str]:
    """Return HTTP headers, given as one `Name: value` a line or as a JSON object; values never stand in an error."""
    text = env_str(name)
    try:
        given = json.loads(text) if text.startswith("{") else dict(_header(line) for line in text.splitlines() if line)
    except ValueError as error:
        raise ImproperlyConfigured(
            f'{name} is not accepted: use lines of `Name: value`, or a JSON object such as {{"X-Team": "labs"}}.'
        ) from error
    for header, value in given.items():
        if not (re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", header) and isinstance(value, str) and value.isprintable()):
            raise ImproperlyConfigured(
                f"{name}: the header {header!r} is not accepted: use a name and one line of text."
            )
    return given


def _header(line: str) -> tuple[str, str]:
    header, colon, value = line.partition(":")
    if not colon:
        raise ValueError
    return header.strip(), value.strip()


def env_price(name: str) -> Decimal | None:
    """Return US dollars as an exact number, or None where the variable is not set."""
    if not (text := env_str(name)):
        return None
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        raise ImproperlyConfigured(f"{name}={text!r} is not accepted: use US dollars such as 0.15, or leave it out.")
    return Decimal(text)


def env_url(name: str, default: str, *, schemes: tuple[str, ...]) -> str:
    """Return a URL whose scheme is one of `schemes`; a password in a refused one is masked in the error."""
    text = env_str(name, default)
    if not text:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError as error:
        # Its own words may hold a password.
        found = re.sub(r"//.*@", "//***@", text).partition("?")[0]
        raise ImproperlyConfigured(
            f"{name}={found!r} cannot be read as a URL: use {_forms(schemes)}; an IPv6 address stands in [ ]."
        ) from error
    if parts.scheme not in schemes:
        raise ImproperlyConfigured(f"{name}={masked(parts)!r} is not accepted: use {_forms(schemes)}.")
    if scheme_needs_host(parts) and not parts.hostname:
        raise ImproperlyConfigured(f"{name}={masked(parts)!r} names no host: use {parts.scheme}://HOST.")
    try:
        _ = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={masked(parts)!r} is not accepted: {error}.") from error
    return text


def env_origin(name: str, default: str) -> str:
    """Return where a site is as browsers name it: scheme, host and port, without the port that goes without saying.

    Pages are at the root of a site, so that a path, query or user name is refused; a lone "/" at the end is not.
    """
    parts = urlsplit(env_url(name, default, schemes=tuple(USUAL_PORTS)))
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ImproperlyConfigured(
            f"{name}={masked(parts)!r} is not accepted: use {parts.scheme}://HOST or {parts.scheme}://HOST:PORT, without a path."
        )
    port = "" if parts.port in (None, USUAL_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{bare_host(parts)}{port}"


def bare_host(parts: SplitResult) -> str:
    """Return the host without its port, an IPv6 address in brackets: as requests name it."""
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def _forms(schemes: tuple[str, ...]) -> str:
    return ", ".join(f"{scheme}://…" for scheme in schemes)


def scheme_needs_host(parts: SplitResult) -> bool:
    """Return whether the URL is one of the web, which says nothing without a host."""
    return parts.scheme in ("http", "https", "databricks")


def masked(parts: SplitResult) -> str:
    """Return the URL with its password and query values hidden, for errors and logs."""
    host = parts.netloc.rpartition("@")[2]
    user = f"{parts.username}:***@" if parts.password else ""
    query = "?…" if parts.query else ""
    scheme = f"{parts.scheme}://" if parts.scheme else ""
    return f"{scheme}{user}{host}{parts.path}{query}"
