"""Users whom an OpenID Connect provider names, and the roles that its claim gives them."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.http import HttpRequest

from workbench.refusals import because

log = logging.getLogger(__name__)


class NoSignUp(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Nobody makes an account here by themselves."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class FromClaims(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """A user at first sight; their roles are those of the claim, at every sign-in anew."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        if sociallogin.is_existing:
            take_roles(sociallogin.user, sociallogin.account.extra_data)

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        user = super().save_user(request, sociallogin, form)
        take_roles(user, sociallogin.account.extra_data)
        return user

    def on_authentication_error(self, request: HttpRequest, *args: Any, error: Any = None, **kwargs: Any) -> None:
        because(request, f"Sign-in by OpenID Connect failed: {error}.")
        log.warning("Sign-in by OpenID Connect failed: %s", error, exc_info=kwargs.get("exception"))


def take_roles(user: User, extra_data: Any) -> None:
    """Make the user a member of the roles that the claim names, and of no other role; other groups stay.

    Who has a role works in the admin; who has none reads by API.
    """
    wanted = roles_in(extra_data)
    roles = Group.objects.filter(name__in=set(settings.OIDC["roles"].values()))
    user.groups.remove(*(role for role in roles if role.name not in wanted))
    user.groups.add(*(role for role in roles if role.name in wanted))
    if not user.is_superuser and user.is_staff != bool(wanted):
        user.is_staff = bool(wanted)
        user.save(update_fields=["is_staff"])
    log.info("%s signed in by OpenID Connect as %s", user, ", ".join(sorted(wanted)) or "nobody in particular")


def roles_in(extra_data: Any) -> set[str]:
    """Return the roles that the claim gives, from the ID token or the user info."""
    for part in ("id_token", "userinfo"):
        claim = (extra_data.get(part) or {}).get(settings.OIDC["groups_claim"])
        if claim is not None:
            names = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
            return {settings.OIDC["roles"][name] for name in map(str, names) if name in settings.OIDC["roles"]}
    return set()
