"""What Databricks allows and open Apache Spark refuses, each construct with its reason.

A construct is a regular expression for the statement's beginning; a test fails for one that nothing needs any more.
"""

from __future__ import annotations

EXCEPTIONS: dict[str, str] = {
    r"OPTIMIZE ": "a command of Delta Lake, whose own parser Spark loads as an extension",
    r"VACUUM ": "a command of Delta Lake, whose own parser Spark loads as an extension",
    r"(-- .*\n)*CREATE VOLUME ": "volumes are Unity Catalog's",
    r"CREATE CATALOG ": "catalogs are made in Unity Catalog; open Spark configures them",
    r"ALTER (TABLE|SCHEMA|CATALOG|VOLUME) \S+ (ALTER COLUMN \S+ )?SET TAGS": "tags are Unity Catalog's",
    r"COMMENT ON COLUMN ": "Databricks comments on columns by their own statement",
}

# Words that stand before a parenthesis and are no functions.
SYNTAX = frozenset({"IN", "VALUES", "AS", "AND", "OR", "ON", "NOT", "OVER", "CHECK", "KEY", "BY", "DECIMAL", "EXISTS"})
