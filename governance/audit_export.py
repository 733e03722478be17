"""The audit as a file: the same bytes by API, command and admin, oldest row first, at constant memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from governance.audit import COLUMNS
from governance.models import UsageConstraintAudit
from workbench.canonical import canonical_bytes, canonical_json

BLOCK = 500
Row = dict[str, Any]


def audit_blocks(rows: QuerySet[UsageConstraintAudit], name: str) -> Iterator[bytes]:
    """Yield the rows in blocks, in a format of `FORMATS`.

    A line of JSONL is the canonical JSON whose SHA-256 without `row_hash` is the row's hash, so the file can be verified
    by itself. In CSV lists are JSON, and times are as in JSONL.
    """
    write = FORMATS[name][1]
    yield write(None, [])
    found = rows.order_by("sequence", "id").values(*COLUMNS).iterator(chunk_size=BLOCK)
    while block := list(islice(found, BLOCK)):
        yield write(COLUMNS, block)


def audit_response(rows: QuerySet[UsageConstraintAudit], name: str) -> StreamingHttpResponse:
    """Return the file as a download, which API and admin share."""
    response = StreamingHttpResponse(audit_blocks(rows, name), content_type=FORMATS[name][0])
    response["Content-Disposition"] = f"attachment; filename=usage_constraint_audit.{name}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _jsonl(_names: Iterable[str] | None, rows: Iterable[Row]) -> bytes:
    return b"".join(canonical_bytes(row) + b"\n" for row in rows)


def _csv(names: Iterable[str] | None, rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if names is None:
        writer.writerow(COLUMNS)
    writer.writerows([_cell(row[name]) for name in names or ()] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    """Return the value as it is read; a text that a spreadsheet would run as a formula is quoted."""
    if value is None:
        return ""
    text = canonical_json(value).strip('"') if not isinstance(value, str) else value
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


FORMATS: dict[str, tuple[str, Callable[[Any, Iterable[Row]], bytes]]] = {
    "jsonl": ("application/jsonl", _jsonl),
    "csv": ("text/csv; charset=utf-8", _csv),
}
