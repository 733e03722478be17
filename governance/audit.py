"""The one way into the audit: rows are chained by their hashes, once each, whoever appends at the same time.

The lakehouse has no transactions, so the place in the chain is taken by the insert itself: `sequence` is unique, and who
comes second chains anew. The default database is told before and after: what was cut off the end is missed by its head,
and a row that a killed process added is known by its announcement. After an end that it does not know it learns of nothing
more, so that what was done to the table stays to be found, however much is added since.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from governance.chain import Fault, Head, Row, faults, hash_of
from governance.changing import Outcome, in_order
from governance.files import changed_files, note_files
from governance.models import AuditAnnouncement, AuditHead, UsageConstraintAudit
from governance.uses import Decision
from workbench.near import listed
from workbench.problems import Conflict, Problem

log = logging.getLogger(__name__)

SHOWN = 20
NAMED = 5
ATTEMPTS = 20
PAUSE = 0.05
COLUMNS = tuple(str(field.attname) for field in UsageConstraintAudit._meta.concrete_fields)


def append(rows: Sequence[UsageConstraintAudit]) -> int:
    """Add the rows that are not there yet, by id, as one commit at the end of the chain; return how many those were.

    Conflict where others keep appending at the same moment.
    """
    for attempt in range(ATTEMPTS):
        new = _missing(rows)
        if not new:
            return 0
        end, is_known = _end()
        last = _chained(new, end)
        if is_known:
            AuditAnnouncement.objects.get_or_create(row_hash=last.row_hash, defaults={"sequence": last.sequence or 0})
        try:
            UsageConstraintAudit.objects.add_chained(new)
        except IntegrityError:
            # Another process took the place: what it added is before this from now on.
            AuditAnnouncement.objects.filter(row_hash=last.row_hash).delete()
            time.sleep(random.uniform(0, PAUSE * min(attempt + 1, 10)))  # noqa: S311 - spreads who tries again
            continue
        if is_known:
            _know(last)
        note_files()
        return len(new)
    raise Conflict("Others keep adding to the audit at the same moment: try again.")


def entry(kind: str, subject: str, *, reason: str, actor: str, key: str = "", **more: Any) -> UsageConstraintAudit:
    """Return a row of the audit about `subject` ("sheet …"), ready to be appended; `key` makes a repeat harmless."""
    own = {"id": key} if key else {}
    return UsageConstraintAudit(
        **own, kind=kind, subject=subject, reason=reason, modified_by=actor, modified_at=timezone.now(), **more
    )


def sides(was: Decision, now: Decision) -> dict[str, Any]:
    """Return the columns of a row that tells of a change from one decision to another."""
    found: dict[str, Any] = {}
    for when, decision in (("old", was), ("new", now)):
        found[f"{when}_allowed_uses"] = in_order(decision.allowed)
        found[f"{when}_prohibited_uses"] = in_order(decision.prohibited)
        found[f"{when}_data_classification"] = decision.classification
    return found


def refused(problem: Problem, *, actor: str, subject: str = "", **about: str) -> None:
    """Add that somebody wanted to change a rule and may not; `about` names a pair or a label."""
    append([entry("refusal", subject, reason=f"Refused: {problem.message}", actor=actor, **about)])


def refused_some(outcome: Outcome, what: str, *, actor: str) -> None:
    """Add why a change of many left some as they are: a row for each reason, which names the first of them."""
    append([
        entry("refusal", "", reason=f"Refused for {len(keys):,} {what}, {listed(keys, NAMED)}: {words}", actor=actor)
        for words, keys in outcome.refused.items()
    ])  # fmt: skip


def verify() -> Iterator[Fault]:
    """Yield what is wrong with the audit, at constant memory: its files as far as they are within reach, then its rows."""
    for name in changed_files():
        yield Fault(None, name, "is a file of the table that was changed since it was written.")
    rows = UsageConstraintAudit.objects.order_by("sequence", "id").values(*COLUMNS).iterator()
    yield from faults(rows, _head(), _head)


@dataclass(frozen=True)
class Verification:
    """What a walk over the chain found: how many rows and faults, and the first few of these."""

    rows: int
    fault_count: int
    faults: Sequence[Fault]

    @property
    def is_whole(self) -> bool:
        return not self.fault_count


def verification() -> Verification:
    """Return what `verify` finds, for a screen; a table that cannot be read is a fault as well."""
    count, first, rows = 0, list[Fault](), 0
    try:
        for fault in verify():
            count += 1
            first += [fault] * (len(first) < SHOWN)
        rows = UsageConstraintAudit.objects.count()
    except (DatabaseError, OSError, ValueError) as error:
        words = f"cannot be read, so a file of it was damaged or removed: {' '.join(str(error).split())}"
        return Verification(rows, count + 1, [*first, Fault(None, "the table", words)])
    return Verification(rows, count, first)


def is_unchanged(row: UsageConstraintAudit) -> bool:
    """Return whether a row's hash is still that of its columns; its place in the chain is `verify`'s to prove."""
    return row.row_hash == hash_of(_columns(row))


def adopt(*, actor: str) -> int:
    """Take the table's end as the truth, after the default database was restored; return the number of its rows.

    That this was done is a row of its own.
    """
    last = _last()
    end = (last.sequence or 0, last.row_hash) if last else (0, "")
    known = _head().sequence
    AuditHead.objects.update_or_create(
        pk=1, defaults={"sequence": end[0], "row_hash": end[1], "updated_at": timezone.now()}
    )
    words = f"The default database knew {known:,} rows and takes the table's {end[0]:,} as the truth from now on."
    append([entry("head", "audit", reason=words, actor=actor)])
    return end[0] + 1


def _missing(rows: Sequence[UsageConstraintAudit]) -> list[UsageConstraintAudit]:
    there = set(UsageConstraintAudit.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    return [row for row in rows if row.pk not in there]


def _last() -> UsageConstraintAudit | None:
    return UsageConstraintAudit.objects.filter(sequence__isnull=False).order_by("-sequence").first()


def _end() -> tuple[UsageConstraintAudit | None, bool]:
    """Return the last row of the table, and whether the default database knows it, as it was before or is now.

    It does not after rows were cut off, replaced or slipped in past the workbench, or where it is older than the table.
    """
    before, last, after = _head(), _last(), _head()
    end = (last.sequence or 0, last.row_hash) if last else (0, "")
    if end in {(head.sequence, head.row_hash) for head in (before, after)}:
        return last, True
    known = end[1] in before.announced | after.announced and (
        not before.sequence
        or UsageConstraintAudit.objects.filter(sequence=before.sequence, row_hash=before.row_hash).exists()
    )
    if not known:
        log.error("The audit ends with row %s, which the default database does not know: run verify_audit", end[0])
    return last, known


def _chained(rows: Sequence[UsageConstraintAudit], last: UsageConstraintAudit | None) -> UsageConstraintAudit:
    """Give each row its place after the last one of the table, and return the last of these."""
    for row in rows:
        row.sequence = (last.sequence or 0) + 1 if last else 1
        row.previous_hash = last.row_hash if last else ""
        row.row_hash = hash_of(_columns(row))
        last = row
    return rows[-1]


def _columns(row: UsageConstraintAudit) -> Row:
    return {name: getattr(row, name) for name in COLUMNS}


def _know(last: UsageConstraintAudit) -> None:
    """Let the default database know the end of the chain; a later end that another process told of stands."""
    end = {"sequence": last.sequence, "row_hash": last.row_hash, "updated_at": timezone.now()}
    with transaction.atomic("default"):
        AuditHead.objects.get_or_create(pk=1)
        AuditHead.objects.filter(pk=1, sequence__lt=last.sequence).update(**end)
        AuditAnnouncement.objects.filter(sequence__lte=last.sequence).delete()


def _head() -> Head:
    found = AuditHead.objects.filter(pk=1).first() or AuditHead()
    return Head(found.sequence, found.row_hash, frozenset(AuditAnnouncement.objects.values_list("row_hash", flat=True)))
