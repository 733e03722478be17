"""Statements that are commands: recognised by their words, because the SQL parser has no tree for most of them.

Each pattern names its parts; a function in the table below runs it. No parameters are allowed in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from . import alter, catalog_objects, errors, show, tags, upkeep
from .cursor import Cursor
from .session import Session

Parts = dict[str, str | None]
Run = Callable[[Session, Cursor, Parts], None]

_NAME = r"(?:`[^`]+`|[\w$-]+)(?:\s*\.\s*(?:`[^`]+`|[\w$-]+))*"
_TEXT = r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\""
_IF = r"(?P<if_exists>\s+IF\s+EXISTS)?"
_IF_NOT = r"(?P<if_not_exists>\s+IF\s+NOT\s+EXISTS)?"
_COMMENT = rf"(?:\s+COMMENT\s+(?P<comment>{_TEXT}))?"
_ALTER = rf"ALTER\s+TABLE\s+(?P<name>{_NAME})\s+"
_COLUMN = rf"ALTER\s+(?:COLUMN\s+)?(?P<column>{_NAME})\s+"

_PATTERNS: tuple[tuple[str, Run], ...] = (
    (rf"CREATE\s+(?P<kind>CATALOG|SCHEMA|DATABASE){_IF_NOT}\s+(?P<name>{_NAME}){_COMMENT}", catalog_objects.create),
    (rf"CREATE\s+(?P<kind>VOLUME){_IF_NOT}\s+(?P<name>{_NAME}){_COMMENT}", catalog_objects.create),
    (
        rf"DROP\s+(?P<kind>CATALOG|SCHEMA|DATABASE|VOLUME){_IF}\s+(?P<name>{_NAME})(?P<cascade>\s+CASCADE|\s+RESTRICT)?",
        catalog_objects.drop,
    ),
    (
        rf"COMMENT\s+ON\s+(?P<kind>CATALOG|SCHEMA|DATABASE|TABLE|VOLUME|COLUMN)\s+(?P<name>{_NAME})\s+IS\s+"
        rf"(?P<comment>{_TEXT}|NULL)",
        catalog_objects.comment,
    ),
    (
        rf"ALTER\s+(?P<kind>CATALOG|SCHEMA|DATABASE|TABLE|VOLUME)\s+(?P<name>{_NAME})\s+"
        r"(?P<verb>SET|UNSET)\s+TAGS\s*\((?P<tags>.*)\)",
        tags.change,
    ),
    (_ALTER + _COLUMN + r"(?P<verb>SET|UNSET)\s+TAGS\s*\((?P<tags>.*)\)", tags.change),
    (
        rf"(?P<verb>SET|UNSET)\s+TAG\s+ON\s+(?P<kind>CATALOG|SCHEMA|DATABASE|TABLE|VOLUME|COLUMN)\s+(?P<name>{_NAME})\s+"
        rf"(?P<tags>(?:{_TEXT}|{_NAME})(?:\s*=\s*(?:{_TEXT}|{_NAME}))?)",
        tags.change,
    ),
    (_ALTER + r"ADD\s+COLUMNS?\s+(?P<definition>.+)", alter.add_columns),
    (_ALTER + rf"DROP\s+COLUMNS?{_IF}\s+(?P<columns>.+)", alter.drop_columns),
    (_ALTER + rf"RENAME\s+COLUMN\s+(?P<column>{_NAME})\s+TO\s+(?P<new>{_NAME})", alter.rename_column),
    (_ALTER + rf"RENAME\s+TO\s+(?P<new>{_NAME})", alter.rename_table),
    (_ALTER + _COLUMN + r"(?P<verb>SET|DROP)\s+NOT\s+NULL", alter.set_not_null),
    (_ALTER + _COLUMN + r"SET\s+DEFAULT\s+(?P<default>.+)", alter.set_default),
    (_ALTER + _COLUMN + r"DROP\s+DEFAULT", alter.set_default),
    (_ALTER + _COLUMN + rf"COMMENT\s+(?P<comment>{_TEXT})", alter.comment_column),
    (_ALTER + _COLUMN + r"(?:SET\s+DATA\s+)?TYPE\s+(?P<type>.+)", alter.change_type),
    (_ALTER + r"ADD\s+(?P<constraint>(?:CONSTRAINT|PRIMARY|UNIQUE|FOREIGN|CHECK)\b.+)", alter.add_constraint),
    (_ALTER + rf"DROP\s+CONSTRAINT{_IF}\s+(?P<constraint>{_NAME})(?:\s+CASCADE|\s+RESTRICT)?", alter.drop_constraint),
    (_ALTER + r"DROP\s+(?P<primary>PRIMARY\s+KEY)(?P<if_exists>\s+IF\s+EXISTS)?(?:\s+CASCADE)?", alter.drop_constraint),
    (_ALTER + r"SET\s+TBLPROPERTIES\s*\((?P<properties>.*)\)", alter.set_properties),
    (_ALTER + r"CLUSTER\s+BY\s+(?P<cluster>\(.*\)|NONE|AUTO)", alter.cluster_by),
    (rf"OPTIMIZE\s+(?P<name>{_NAME})(?:\s+ZORDER\s+BY\s+.*)?(?:\s+FULL)?", upkeep.optimize_statement),
    (
        rf"VACUUM\s+(?P<name>{_NAME})(?:\s+RETAIN\s+(?P<hours>[\d.]+)\s+HOURS?)?(?P<dry>\s+DRY\s+RUN)?",
        upkeep.vacuum_statement,
    ),
    (rf"USE\s+(?:(?P<kind>CATALOG|SCHEMA|DATABASE)\s+)?(?P<name>{_NAME})", show.use),
    (r"SHOW\s+CATALOGS", show.catalogs),
    (rf"SHOW\s+(?:SCHEMAS|DATABASES)(?:\s+(?:IN|FROM)\s+(?P<name>{_NAME}))?", show.schemas),
    (rf"SHOW\s+TABLES(?:\s+(?:IN|FROM)\s+(?P<name>{_NAME}))?", show.tables),
    (rf"SHOW\s+VOLUMES(?:\s+(?:IN|FROM)\s+(?P<name>{_NAME}))?", show.volumes),
    (rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+(?:TABLE\s+)?(?P<name>{_NAME})", show.columns),
    (rf"SHOW\s+TBLPROPERTIES\s+(?P<name>{_NAME})", show.properties),
    (rf"DESC(?:RIBE)?\s+HISTORY\s+(?P<name>{_NAME})(?:\s+LIMIT\s+(?P<limit>\d+))?", show.history),
    (rf"DESC(?:RIBE)?\s+DETAIL\s+(?P<name>{_NAME})", show.detail),
    (rf"DESC(?:RIBE)?\s+(?:TABLE\s+)?(?P<extended>EXTENDED\s+)?(?P<name>{_NAME})", show.describe),
)
_COMPILED = [(re.compile(pattern + r"\s*;?\s*", re.IGNORECASE | re.DOTALL), run) for pattern, run in _PATTERNS]
_FIRST = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
    r"(?P<rest>(?:CREATE|DROP|COMMENT|ALTER|OPTIMIZE|VACUUM|USE|SHOW|DESC|DESCRIBE|SET|UNSET)\b.*)",
    re.IGNORECASE | re.DOTALL,
)
_PARSED = re.compile(r"(?:CREATE\s+(?:OR\s+REPLACE\s+)?|DROP\s+)TABLE\b", re.IGNORECASE)


def is_command(sql: str) -> bool:
    """Whether the text begins like a command; tables are created and dropped by statements that have a tree."""
    first = _FIRST.fullmatch(sql)
    return first is not None and not _PARSED.match(first["rest"])


@lru_cache(maxsize=1000)
def recognised(sql: str) -> tuple[Run, tuple[tuple[str, str | None], ...]]:
    """The function for a command and its parts; NotSupportedError for one that is not in the table."""
    first = _FIRST.fullmatch(sql)
    for pattern, run in _COMPILED if first else ():
        found = pattern.fullmatch(first["rest"]) if first else None
        if found:
            return run, tuple(found.groupdict().items())
    raise errors.NotSupportedError(
        f"Found {sql.strip()[:120]!r}, a command that the local engine does not know or whose syntax is wrong. Known: "
        "CREATE/DROP CATALOG, SCHEMA, TABLE, VOLUME; ALTER TABLE ADD/DROP/RENAME/ALTER COLUMN, ADD/DROP CONSTRAINT, "
        "SET TBLPROPERTIES, RENAME TO; SET/UNSET TAGS; COMMENT ON; OPTIMIZE; VACUUM; SHOW; DESCRIBE; USE."
    )


def run(session: Session, cursor: Cursor, sql: str, parameters: int) -> bool:
    """Run the text if it is a command; False if it is not."""
    if not is_command(sql):
        return False
    if parameters:
        raise errors.ProgrammingError(f"Found {parameters} parameters for a command; write its values as literals.")
    execute, parts = recognised(sql)
    execute(session, cursor, dict(parts))
    return True
