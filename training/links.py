"""Links that open one file for an hour, for whoever has them, while who asked for the link may export."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing

from workbench.problems import Forbidden

_SALT = "training.links"


def signature_of(file: Sequence[str], actor: str) -> str:
    """Return what a link carries: the words that name its file, who asked, and when, signed."""
    return signing.dumps([*file, actor], salt=_SALT)


def asker_of(signature: str, file: Sequence[str]) -> User:
    """Return who asked for the link.

    Forbidden for a signature that is wrong, for another file or too old, and where who asked may not export any more.
    """
    seconds = settings.EXPORT_LINK_SECONDS
    try:
        *found, actor = signing.loads(signature, salt=_SALT, max_age=seconds)
    except signing.SignatureExpired as error:
        raise Forbidden(f"The link has expired after {seconds} seconds: ask for a new one.") from error
    except signing.BadSignature as error:
        raise Forbidden("The link's signature is not valid: ask for a new link.") from error
    if found != list(file):
        raise Forbidden("The link's signature is for another file: ask for a link to this one.")
    asker = User.objects.filter(username=actor, is_active=True).first()
    if asker is None or not asker.has_perm("training.add_export"):
        raise Forbidden(f"{actor} asked for the link and may not export any more: ask for a link of your own.")
    return asker
