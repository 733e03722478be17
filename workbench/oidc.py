"""Signing in by OpenID Connect, through django-allauth: what it is configured by."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from workbench.databases import LOOPBACK
from workbench.roles import ROLES

PROVIDER = "oidc"
APPS = ["allauth", "allauth.account", "allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def configured(
    *, issuer: str, client_id: str, client_secret: str, name: str, scopes: str, groups_claim: str, roles: str
) -> dict[str, Any]:
    """Return the providers as allauth wants them, the button's name, the claim and its roles; {} if nothing is configured.

    Raises ImproperlyConfigured where something is missing, the issuer is not encrypted, or a role does not exist.
    """
    given = {"ISSUER": issuer, "CLIENT_ID": client_id, "CLIENT_SECRET": client_secret}
    if not any(given.values()):
        return {}
    if missing := [f"WORKBENCH_OIDC_{part}" for part, value in given.items() if not value]:
        raise ImproperlyConfigured(f"Sign-in by OpenID Connect also needs {', '.join(missing)}.")
    parts = urlsplit(issuer)
    # Whoever can change the issuer's answers on their way can sign in as anybody.
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ImproperlyConfigured(f"WORKBENCH_OIDC_ISSUER={issuer!r} is not accepted: use https://HOST….")
    app = {
        "provider_id": PROVIDER,
        "name": name,
        "client_id": client_id,
        "secret": client_secret,
        "settings": {"server_url": issuer.rstrip("/"), "oauth_pkce_enabled": True},
    }
    return {
        "providers": {"openid_connect": {"APPS": [app], "SCOPE": scopes.split(), "OAUTH_PKCE_ENABLED": True}},
        "name": name,
        "groups_claim": groups_claim,
        "roles": _roles(roles),
    }


def _roles(text: str) -> dict[str, str]:
    """Return the role for each name that the claim may hold; by default the roles' own names."""
    if not text:
        return {role: role for role in ROLES}
    try:
        given = json.loads(text)
        named = {str(group): str(role) for group, role in given.items()}
    except (ValueError, AttributeError) as error:
        raise ImproperlyConfigured(
            'WORKBENCH_OIDC_ROLES is not accepted: use JSON such as {"ai-platform": "platform lead"}.'
        ) from error
    if unknown := sorted(set(named.values()) - set(ROLES)):
        raise ImproperlyConfigured(
            f"WORKBENCH_OIDC_ROLES names {unknown[0]!r}, which is no role: use {', '.join(ROLES)}."
        )
    return named
