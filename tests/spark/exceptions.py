"""What Databricks allows and open Apache Spark refuses, each construct with its reason.

A construct is a regular expression for how a statement begins; a test fails for one that no statement needs.
"""

from __future__ import annotations

import re

EXCEPTIONS: dict[str, str] = {
    r"OPTIMIZE ": "a command of Delta Lake, whose own parser Spark loads as an extension",
    r"VACUUM ": "a command of Delta Lake, whose own parser Spark loads as an extension",
    r"(PUT|GET|REMOVE) '": "files of a volume, which the connector itself carries",
    r"CREATE VOLUME ": "volumes are Unity Catalog's",
    r"ALTER \w+ \S+ (ALTER COLUMN \S+ )?(SET|UNSET) TAGS ": "tags are Unity Catalog's",
}
LEADING_COMMENTS = re.compile(r"(?:\s|--.*\n)*")

# What stands before a parenthesis and is grammar in Spark, not a function of its catalog.
GRAMMAR = frozenset(
    [
        "IN",
        "VALUES",
        "AS",
        "AND",
        "OR",
        "ON",
        "NOT",
        "OVER",
        "CHECK",
        "KEY",
        "BY",
        "EXISTS",
        "DECIMAL",
        "TRY_CAST",
        "TIMESTAMPADD",
        "TIMESTAMPDIFF",
    ]
)


def explained(statement: str) -> bool:
    """Say whether a construct above stands at the statement's beginning."""
    return any(begins(statement, construct) for construct in EXCEPTIONS)


def begins(statement: str, construct: str) -> bool:
    return re.match(construct, LEADING_COMMENTS.sub("", statement, count=1)) is not None
