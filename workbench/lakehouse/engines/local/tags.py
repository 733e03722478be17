"""SET TAGS and UNSET TAGS on catalogs, schemas, volumes, tables and columns."""

from __future__ import annotations

from . import errors, words
from .cursor import Cursor
from .session import Session

KINDS = {"DATABASE": "schema"}
_MOST, _LONGEST = 50, 256


def key_of(session: Session, kind: str, name: tuple[str, ...], column: str | None = None) -> str:
    """The metadata key of an object that exists, such as `table:main.raw.invoices`; ProgrammingError otherwise."""
    layout = session.layout
    if kind == "catalog":
        return f"catalog:{layout.need_catalog(name[-1])}"
    if kind == "schema":
        catalog = name[0] if len(name) > 1 else session.catalog
        return "schema:" + ".".join(layout.need_schema(catalog, name[-1]))
    if kind == "volume":
        full = session.name(name)
        return "volume:" + ".".join(layout.need_volume(*full.parts))
    if kind == "column" and column is None:
        name, column = name[:-1], name[-1]
    table = layout.need_table(session.name(name))
    if column is None:
        return f"table:{table}"
    return f"column:{table}.{session.engine.snapshot(table).column(column).name.lower()}"


def change(session: Session, cursor: Cursor, found: dict[str, str | None]) -> None:
    """Set or unset the tags of one object; ProgrammingError for more than 50 tags or texts above 256 characters."""
    kind = (found.get("kind") or "TABLE").upper()
    column = words.parts(found.get("column"))
    key = key_of(session, KINDS.get(kind, kind.lower()), words.parts(found["name"]), column[-1] if column else None)
    given = words.pairs(found["tags"] or "")
    if (found["verb"] or "").upper() == "UNSET":
        session.metadata.unset_tags(key, list(given))
        return
    if any(not name or len(name) > _LONGEST or len(value) > 1000 for name, value in given.items()):
        raise errors.ProgrammingError(f"Found a tag that is empty or too long; a key has 1 to {_LONGEST} characters.")
    if len(session.metadata.tags(key) | given) > _MOST:
        raise errors.ProgrammingError(f"Found more than {_MOST} tags for {key}; unset some first.")
    session.metadata.set_tags(key, given)
