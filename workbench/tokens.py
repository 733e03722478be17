"""Making, finding and revoking tokens."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.utils import timezone

from workbench.models import AccessToken, TokenOwner
from workbench.near import listed
from workbench.problems import Forbidden, Invalid

log = logging.getLogger(__name__)

MARK = "wb_"
SHOWN = 9
# How exactly it is kept when a token was last used: more would be a write for each request.
MINUTE = timedelta(minutes=1)


def make_token(
    user: User, *, name: str, expires_at: datetime | None = None, roles: Iterable[Group] | None = None, actor: str
) -> tuple[AccessToken, str]:
    """Return the new token's row and the token itself, which is not kept and cannot be had again.

    With `roles` it may do what these groups of the owner may, else all that the owner may. Invalid for a time that is past
    or further away than allowed, and for a group that the owner does not belong to.
    """
    now = timezone.now()
    latest = now + timedelta(days=settings.TOKEN_DAYS_AT_MOST)
    until = expires_at or min(now + timedelta(days=settings.TOKEN_DAYS), latest)
    if not now < until <= latest:
        words = f"Found {until:%Y-%m-%d %H:%M} UTC: use a time after now and at most {settings.TOKEN_DAYS_AT_MOST} days away."
        raise Invalid.of_fields("No token was made.", {"expires_at": [words]})
    chosen, own = list(roles or ()), list(user.groups.all())
    if strange := [group.name for group in chosen if group not in own]:
        words = (
            f"{user} does not belong to {strange[0]!r}: use some of {listed([group.name for group in own]) or 'none'}."
        )
        raise Invalid.of_fields("No token was made.", {"roles": [words]})
    text = MARK + secrets.token_urlsafe(32)
    token = AccessToken.objects.create(
        user=user, name=name, prefix=text[:SHOWN], digest=digest_of(text), expires_at=until, scoped=roles is not None
    )
    token.roles.set(chosen)
    log.info("%s made the token %s of %s, until %s", actor, token, user, until)
    return token, text


def revoke_token(token: AccessToken, *, actor: str) -> AccessToken:
    """Return the token, refused from now on; once revoked it stays so."""
    now = timezone.now()
    if AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        token.revoked_at = now
        log.info("%s revoked the token %s of %s", actor, token, token.user)
    return token


def owner_of(text: str) -> tuple[User, AccessToken]:
    """Return who sends this token, with no more rights than it has, and its row; Forbidden says why it is refused."""
    token = AccessToken.objects.select_related("user").filter(digest=digest_of(text)).first()
    if token is None:
        raise Forbidden("This token is unknown. Make a new one: POST /api/v1/auth/token, or in the admin.")
    user = token.user
    if user is None:
        raise Forbidden(f"The user of the token {token} was removed, and the token with them.")
    if not user.is_active:
        raise Forbidden(f"The user {user} of the token {token} was deactivated: ask a platform lead.")
    if token.state != "active":
        raise Forbidden(
            f"The token {token} is {token.state}. Make a new one: POST /api/v1/auth/token, or in the admin."
        )
    _was_used(token)
    return _scoped(user, token) if token.scoped else user, token


def digest_of(text: str) -> str:
    """Return the SHA-256 of a token; it has 256 random bits, so that no slow hash is needed."""
    return hashlib.sha256(text.encode()).hexdigest()


def _scoped(user: User, token: AccessToken) -> User:
    owner = TokenOwner()
    owner.__dict__.update(user.__dict__)
    both = user.groups.filter(pk__in=token.roles.values("pk"))
    owner.group_ids = frozenset(both.values_list("pk", flat=True))
    return owner


def _was_used(token: AccessToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > MINUTE:
        AccessToken.objects.filter(pk=token.pk).update(last_used_at=now)
