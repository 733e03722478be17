"""The signed report of a recall: one line of canonical JSON, and on the next line the signature of its bytes.

The signature is detached: whoever has another Ed25519 library needs the first line, without its end, and the second.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson
from django.utils import timezone

from governance.models import AuditHead
from training.tracing.recall import Recall
from workbench.canonical import canonical_bytes
from workbench.problems import Invalid
from workbench.signing import ALGORITHM, is_signed, public_key, signature_of

KIND, VERSION = "recall", 3
LISTS = (
    "pairs",
    "labels",
    "drafts",
    "exports",
    "label_exports",
    "training_files",
    "earlier_training_files",
    "models",
    "elsewhere",
)


def report_of(found: Recall, *, actor: str) -> bytes:
    """Return the report on a recall as the two lines of a file; it names the newest row of the audit."""
    head = AuditHead.objects.filter(pk=1).first() or AuditHead()
    withdrawal = found.withdrawal
    told: dict[str, Any] = {name: value for name, value in vars(found).items() if name != "withdrawal"}
    for name in LISTS:
        told[name] = [asdict(each) for each in told[name]]
    told["withdrawal"] = withdrawal and {
        "reason": withdrawal.reason,
        "is_released": withdrawal.is_released,
        "by": withdrawal.updated_by,
        "at": withdrawal.updated_at,
    }
    made = {"by": actor, "at": timezone.now(), "audit": {"sequence": head.sequence, "row_hash": head.row_hash}}
    text = canonical_bytes({"report": KIND, "version": VERSION, "made": made, **told})
    signed = {"algorithm": ALGORITHM, "public_key": public_key(), "signature": signature_of(text)}
    return text + b"\n" + canonical_bytes(signed) + b"\n"


def verified(report: bytes, key: str = "") -> dict[str, Any]:
    """Return what a report says. Invalid where it is none, was changed, or was signed by another key than `key`.

    Without a `key` it must be this workbench's own.
    """
    text, _, rest = report.partition(b"\n")
    try:
        said, signed = orjson.loads(text), orjson.loads(rest)
        signature, algorithm, by = (str(signed[name]) for name in ("signature", "algorithm", "public_key"))
    except (orjson.JSONDecodeError, TypeError, KeyError) as error:
        raise Invalid("The file is no signed report: it has a line of JSON and a line with its signature.") from error
    if algorithm != ALGORITHM:
        raise Invalid(f"The report is signed by {algorithm!r}: this reads {ALGORITHM}.")
    wanted = key.strip().lower() or public_key()
    if not is_signed(text, signature, wanted):
        if by != wanted and is_signed(text, signature, by):
            raise Invalid(f"The report is whole, but signed by the key {by}, not by {wanted}: whose key is that?")
        raise Invalid("The report was changed since it was signed.")
    return dict(said)
