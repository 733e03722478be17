"""Signatures by which anybody can tell that a report came from this workbench and was not changed.

Ed25519 (RFC 8032), by `cryptography`. The private key follows from the secret key, so it is kept where that one is kept, and
it is another one when that one is changed: keep the public key beside reports that must outlast it.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.utils.crypto import salted_hmac

from workbench.problems import Invalid

ALGORITHM = "Ed25519"
SALT = "workbench.signing.reports"


def public_key() -> str:
    """Return this workbench's public key, in hex."""
    return _private_key().public_key().public_bytes_raw().hex()


def signature_of(text: bytes) -> str:
    """Return the signature of these bytes, in hex."""
    return _private_key().sign(text).hex()


def is_signed(text: bytes, signature: str, key: str) -> bool:
    """Return whether the owner of the public key, in hex, signed these bytes. Invalid for a key that is none."""
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
    except ValueError as error:
        raise Invalid(f"Found the public key {key!r}: use 64 hex digits, as a report names them.") from error
    try:
        public.verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True


def _private_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(salted_hmac(SALT, b"", algorithm="sha256").digest())
