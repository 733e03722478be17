"""Tokens whose text a test knows beforehand, for servers in other processes."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from workbench.models import AccessToken
from workbench.tokens import digest_of


def known_token(user: User, text: str) -> str:
    """Return the text, from now on an unlimited token of the user for an hour."""
    AccessToken.objects.create(
        user=user,
        name=text,
        prefix=text,
        digest=digest_of(text),
        expires_at=timezone.now() + timedelta(hours=1),
        scoped=False,
    )
    return text
