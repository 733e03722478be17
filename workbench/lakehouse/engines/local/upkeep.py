"""OPTIMIZE and VACUUM: fewer, larger files; a checkpoint; old files and log entries away."""

from __future__ import annotations

import math

from . import words
from .cursor import Cursor
from .locks import retrying
from .names import TableName
from .session import Session
from .snapshot import Snapshot

Parts = dict[str, str | None]
DEFAULT_HOURS = 168.0


def optimize(session: Session, name: TableName, retain_hours: float) -> dict[str, int]:
    """Compact, checkpoint and vacuum one table; returns the numbers of files added, removed and deleted."""

    def statement() -> dict[str, int]:
        with session.writing(name) as target:
            done = target.delta.optimize.compact()
            target.delta.update_incremental()
            deleted = _vacuum(target, retain_hours, dry_run=False)
            target.delta.update_incremental()
            target.delta.create_checkpoint()
            target.delta.cleanup_metadata()
            return {"added": done["numFilesAdded"], "removed": done["numFilesRemoved"], "deleted": len(deleted)}

    return retrying(statement)


def _vacuum(target: Snapshot, hours: float, *, dry_run: bool) -> list[str]:
    """Delete what no version within the hours uses, files of writers that were killed included."""
    whole = math.ceil(hours)
    deleted: list[str] = target.delta.vacuum(whole, dry_run=dry_run, enforce_retention_duration=False, full=True)
    return deleted


def optimize_statement(session: Session, cursor: Cursor, found: Parts) -> None:
    """OPTIMIZE: compacts and checkpoints; files stay for a week, for readers of older versions."""
    done = optimize(session, session.name(words.parts(found["name"])), DEFAULT_HOURS)
    cursor.show_rows(list(done), [tuple(done.values())])


def vacuum_statement(session: Session, cursor: Cursor, found: Parts) -> None:
    """VACUUM [RETAIN n HOURS] [DRY RUN]: deletes files that no version within that time uses; gives their paths."""
    hours = float(found["hours"]) if found["hours"] else DEFAULT_HOURS
    with session.writing(session.name(words.parts(found["name"]))) as target:
        deleted = _vacuum(target, hours, dry_run=bool(found["dry"]))
    cursor.show_rows(["path"], [(path,) for path in deleted])
