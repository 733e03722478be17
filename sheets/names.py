"""Three-level names of tables and volumes: read from text, in one spelling, quoted for SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.problems import Invalid

_PART = re.compile(r"\s*(?:`((?:[^`]|``)+)`|([^`.\s]+))\s*")
_PLAIN = re.compile(r"[^`.\s]+")
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

    @property
    def text(self) -> str:
        """The one text that `parse` reads back as this name: in backticks is only what needs them."""
        parts = (self.catalog, self.schema, self.table)
        return ".".join(part if _PLAIN.fullmatch(part) else quote(part) for part in parts)

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


def name_of(text: str) -> str:
    """Return the table `c.s.t` or volume `/volumes/c/s/v` that a text names, to be compared: whatever its spelling.

    What names neither is returned as it is.
    """
    try:
        return str(VolumeName.parse(text) if text.startswith("/") else TableName.parse(text)).lower()
    except Invalid:
        return text


def normal_sources(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sheet's fields with one spelling of each table and volume; what names none stays as it was given.

    `` A.b.`c` `` and `a.b.c` are one table, so what holds for sheets over the same table finds both.
    """
    found = dict(fields)
    if "primary_table" in found:
        found["primary_table"] = _normal("table", found["primary_table"])
    if isinstance(secondary := found.get("secondary_sources"), list):
        found["secondary_sources"] = [_normal_source(each) for each in secondary]
    return found


def _normal_source(source: Any) -> Any:
    return {key: _normal(key, value) for key, value in source.items()} if isinstance(source, Mapping) else source


def _normal(key: str, value: Any) -> Any:
    try:
        return _SPELLED[key](value) if key in _SPELLED and isinstance(value, str) else value
    except Invalid:
        return value


_SPELLED: Mapping[str, Callable[[str], str]] = {
    "table": lambda text: TableName.parse(text).text,
    "path": lambda text: str(VolumeName.parse(text)),
}
