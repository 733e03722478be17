"""The files of the audit's table where they are within reach: a digest of each, so that a byte changed in one is missed.

The chain proves the rows; a byte in a file's statistics changes no row and is found only by this. On a warehouse the files
are the cloud's, and its checksums are all there is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from deltalake import DeltaTable
from django.db import connections

from governance.models import AuditFile, UsageConstraintAudit
from workbench.router import LAKEHOUSE


def note_files() -> None:
    """Keep the digests of files that are new, and forget those that the table no longer has."""
    known = set(AuditFile.objects.values_list("name", flat=True))
    there = _files()
    new = [AuditFile(name=name, sha256=_digest(path)) for name, path in there.items() if name not in known]
    AuditFile.objects.bulk_create(new, ignore_conflicts=True)
    if gone := known - set(there):
        AuditFile.objects.filter(name__in=gone).delete()


def changed_files() -> Iterator[str]:
    """Yield the names of files that are not as they were noted; one that compaction wrote since is noted by the next append."""
    there = _files()
    for name, sha256 in AuditFile.objects.order_by("name").values_list("name", "sha256"):
        if name in there and (not there[name].exists() or _digest(there[name]) != sha256):
            yield name


def _files() -> dict[str, Path]:
    """Return the table's present files by name; none where another engine has them."""
    settings = connections[LAKEHOUSE].settings_dict
    options = settings["OPTIONS"]
    if options.get("engine", "local") != "local":
        return {}
    table = Path(settings["NAME"], options["catalog"], options["schema"], UsageConstraintAudit._meta.db_table)
    return {uri.rsplit("/", 1)[-1]: Path(uri) for uri in DeltaTable(table).file_uris()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
