"""Three-level names of tables and volumes: read from text, quoted for SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.problems import Invalid

_PART = re.compile(r"\s*(?:`((?:[^`]|``)+)`|([^`.\s]+))\s*")
# What Unity Catalog refuses in the name of a catalog, schema, table or volume.
_REFUSED = re.compile(r"[./\\\x00-\x1f\x7f]")


def quote(name: str) -> str:
    """Return the name in backticks, as an identifier of Databricks SQL."""
    return "`" + name.replace("`", "``") + "`"


@dataclass(frozen=True, slots=True)
class TableName:
    """`catalog.schema.table` in lower case, as Unity Catalog keeps names."""

    catalog: str
    schema: str
    table: str

    @classmethod
    def parse(cls, text: str) -> TableName:
        """Return the name for `c.s.t`, parts in backticks or not; Invalid for anything but three parts."""
        return cls(*_three(text, _parts(text), "table", "catalog.schema.table"))

    @property
    def sql(self) -> str:
        return ".".join(map(quote, (self.catalog, self.schema, self.table)))

    def __str__(self) -> str:
        return f"{self.catalog}.{self.schema}.{self.table}"


@dataclass(frozen=True, slots=True)
class VolumeName:
    """A volume, `/Volumes/catalog/schema/volume`."""

    catalog: str
    schema: str
    volume: str

    @classmethod
    def parse(cls, path: str) -> VolumeName:
        """Return the volume for its path; Invalid where the path is none, or goes on inside the volume."""
        name, inside = split_path(path)
        if inside:
            raise Invalid(f"Found {path!r}, a place inside a volume: give the volume itself, {str(name)!r}.")
        return name

    def __str__(self) -> str:
        return f"/Volumes/{self.catalog}/{self.schema}/{self.volume}"


def split_path(path: str) -> tuple[VolumeName, str]:
    """Return the volume of a path and what follows inside it ("" for the volume itself); Invalid for another path."""
    parts = path.rstrip("/").split("/")
    if len(parts) < 5 or parts[0] or parts[1] != "Volumes":
        raise Invalid(f"Found the path {path!r}: a volume path is /Volumes/catalog/schema/volume, then the file.")
    name = VolumeName(*_three(path, parts[2:5], "volume", "/Volumes/catalog/schema/volume"))
    return name, "/".join(parts[5:])


def _parts(text: str) -> list[str]:
    parts, at = [], 0
    while match := _PART.match(text, at):
        parts.append(match[1].replace("``", "`") if match[1] else match[2])
        at = match.end()
        if at == len(text) or text[at] != ".":
            break
        at += 1
    return parts if at == len(text) else []


def _three(text: str, parts: list[str], kind: str, form: str) -> tuple[str, str, str]:
    if len(parts) != 3 or not all(part.strip() and not _REFUSED.search(part) for part in parts):
        raise Invalid(f"Found {text!r}: name a {kind} by its three levels, {form}.")
    catalog, schema, last = (part.lower() for part in parts)
    return catalog, schema, last
