"""Catalogs, schemas and volumes: directories, with their comments in the metadata file. And COMMENT ON."""

from __future__ import annotations

import json
from pathlib import Path

from . import alter, errors, words
from .cursor import Cursor
from .layout import INFORMATION_SCHEMA, SYSTEM, remove
from .names import checked
from .session import Session
from .tags import KINDS, key_of

Parts = dict[str, str | None]


def create(session: Session, cursor: Cursor, found: Parts) -> None:
    """CREATE CATALOG | SCHEMA | VOLUME [IF NOT EXISTS]."""
    kind = KINDS.get((found["kind"] or "").upper(), (found["kind"] or "").lower())
    name, layout = words.parts(found["name"]), session.layout
    if kind == "catalog":
        path, full = layout.place(checked(name[-1], kind)), name[-1].lower()
        _refuse_reserved(full)
    elif kind == "schema":
        catalog = layout.need_catalog(name[0] if len(name) > 1 else session.catalog)
        _refuse_reserved(name[-1].lower())
        path, full = layout.place(catalog, checked(name[-1], kind)), f"{catalog}.{name[-1].lower()}"
    else:
        volume = session.name(name)
        layout.need_schema(volume.catalog, volume.schema)
        path, full = layout.volume(*volume.parts), str(volume)
    _make(path, f"{kind} {full}", found["if_not_exists"] is not None)
    if found["comment"]:
        session.metadata.set_comment(f"{kind}:{full}", words.text(found["comment"]))


def _refuse_reserved(name: str) -> None:
    if name in (INFORMATION_SCHEMA, SYSTEM):
        raise errors.ProgrammingError(f"Found the name {name}, which is the system's; choose another.")


def _make(path: Path, what: str, exists_ok: bool) -> None:
    try:
        path.mkdir(parents=True, exist_ok=exists_ok)
    except FileExistsError as error:
        raise errors.ProgrammingError(f"[ALREADY_EXISTS] The {what} exists already; use IF NOT EXISTS.") from error
    except OSError as error:
        raise errors.from_engine(error) from error


def drop(session: Session, cursor: Cursor, found: Parts) -> None:
    """DROP CATALOG | SCHEMA | VOLUME [IF EXISTS] [CASCADE]; without CASCADE only what is empty."""
    kind = KINDS.get((found["kind"] or "").upper(), (found["kind"] or "").lower())
    name = words.parts(found["name"])
    try:
        full = key_of(session, kind, name).split(":", 1)[1]
    except errors.ProgrammingError:
        if found["if_exists"]:
            return
        raise
    layout, places = session.layout, full.split(".")
    cascade = (found["cascade"] or "").strip().upper() == "CASCADE"
    held = layout.schemas(full) if kind == "catalog" else []
    if kind == "schema":
        held = layout.tables(*places) + layout.volumes(*places)
    if held and not cascade:
        raise errors.ProgrammingError(f"[{kind.upper()}_NOT_EMPTY] {full} holds {', '.join(held[:5])}; add CASCADE.")
    for path in (
        [layout.volume(*places)]
        if kind == "volume"
        else [layout.place(*places), layout.root.joinpath("Volumes", *places)]
    ):
        remove(path)
    session.metadata.forget(full)


def comment(session: Session, cursor: Cursor, found: Parts) -> None:
    """COMMENT ON … IS 'text' | NULL."""
    kind = KINDS.get((found["kind"] or "").upper(), (found["kind"] or "").lower())
    name, text = words.parts(found["name"]), words.text(found["comment"])
    key = key_of(session, kind, name)
    if kind == "table":
        with session.writing(session.name(name)) as target:
            target.delta.alter.set_table_description(text or "")
    elif kind == "column":
        alter.comment_column(
            session,
            cursor,
            {
                "name": ".".join(f"`{part}`" for part in name[:-1]),
                "column": f"`{name[-1]}`",
                "comment": json.dumps(text or ""),
            },
        )
    else:
        session.metadata.set_comment(key, text)
