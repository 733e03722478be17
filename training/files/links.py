"""Links that open one shape of a training file for an hour, for whoever has them."""

from __future__ import annotations

from django.core import signing

from workbench.problems import Forbidden

SECONDS = 3600
_SALT = "training.files.links"


def signature_of(training_file_id: str, shape: str, actor: str) -> str:
    """Return what the link carries: the file, the shape, who asked, and when, signed."""
    return signing.dumps([training_file_id, shape, actor], salt=_SALT)


def signer_of(signature: str, training_file_id: str, shape: str) -> str:
    """Return who asked for the link. Forbidden for a signature that is wrong, for another file, or older than an hour."""
    try:
        found, asked, actor = signing.loads(signature, salt=_SALT, max_age=SECONDS)
    except signing.SignatureExpired as error:
        raise Forbidden(f"The link has expired after {SECONDS} seconds: ask for a new one.") from error
    except (signing.BadSignature, ValueError) as error:
        raise Forbidden("The link's signature is not valid: ask for a new link.") from error
    if (found, asked) != (training_file_id, shape):
        raise Forbidden("The link's signature is for another file: ask for a link to this one.")
    return str(actor)
