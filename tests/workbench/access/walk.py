"""What there is: the endpoints, screens, admin pages, actions and commands of the running site, as the table names them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("get", "post", "put", "patch", "delete")
STANDARD = ("changelist", "add", "history", "delete", "change")
# Pages of the machinery: signing in and out, one's own password, what scripts of the admin ask for.
OF_THE_ADMIN_ITSELF = {
    "index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "view_on_site",
    "app_list", "search", "toggle_sidebar",
}  # fmt: skip


def addresses(patterns: Any = None, prefix: str = "/") -> Iterator[tuple[str, Any]]:
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(entry.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(entry, URLResolver):
            yield from addresses(entry.url_patterns, path)
        elif isinstance(entry, URLPattern):
            yield re.sub(r"\(\?P<\w+>[^)]*\)|<[^>]+>", "{}", path), entry.callback


def endpoints() -> set[str]:
    return {
        f"{method.upper()} {path}"
        for path, view in addresses()
        if path.startswith("/api/") and "(" not in path
        for method in methods_of(view)
    }


def methods_of(view: Any) -> set[str]:
    made = getattr(view, "cls", None) or getattr(view, "view_class", None)
    allowed = set(getattr(made, "http_method_names", METHODS)) & set(METHODS)
    if actions := getattr(view, "actions", None):
        return set(actions) & allowed
    return {method for method in allowed if hasattr(made, method)}


def screens() -> set[str]:
    return {path for path, _ in addresses() if not path.startswith(("/api", "/admin/"))}


def admin_models() -> set[str]:
    return {model._meta.label_lower for model in admin.site._registry}


def admin_pages() -> set[str]:
    """Names of the pages beyond the five that every model has."""
    found: set[str] = set()
    for model, page in admin.site._registry.items():
        own = {f"{model._meta.app_label}_{model._meta.model_name}_{name}" for name in STANDARD}
        found |= {pattern.name for pattern in page.get_urls() if pattern.name} - own
    return found


def admin_actions() -> set[str]:
    return {
        f"{model._meta.label_lower} {action if isinstance(action, str) else action.__name__}"
        for model, page in admin.site._registry.items()
        for action in page.actions or ()
    }


def commands(apps: frozenset[str]) -> set[str]:
    return {name for name, app in get_commands().items() if app in apps}
