"""What Unity Catalog knows beside the tables: tags and comments of catalogs, schemas and volumes, tags of tables.

Kept in `DIR/.catalog/metadata.json`, replaced atomically under its lock. Keys are `kind:name`, such as
`table:main.sheets.sheets`, `column:main.sheets.sheets.id` or `volume:main.raw.images`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from .layout import Layout
from .locks import exclusive

Entries = dict[str, dict[str, Any]]


class Metadata:
    """Entries `{"comment": str, "tags": {key: value}}` by key, read anew whenever the file has changed."""

    def __init__(self, layout: Layout, lock_timeout: float) -> None:
        self.layout, self.lock_timeout = layout, lock_timeout
        self.path = layout.private / "metadata.json"
        self._seen: tuple[int, int] | None = None
        self._entries: Entries = {}

    def entries(self) -> Entries:
        try:
            state = os.stat(self.path)
        except FileNotFoundError:
            return {}
        if (state.st_mtime_ns, state.st_ino) != self._seen:
            self._entries = json.loads(self.path.read_text("utf-8"))
            self._seen = (state.st_mtime_ns, state.st_ino)
        return self._entries

    def tags(self, key: str) -> dict[str, str]:
        return dict(self.entries().get(key, {}).get("tags", {}))

    def comment(self, key: str) -> str | None:
        comment: str | None = self.entries().get(key, {}).get("comment")
        return comment

    def change(self, edit: Callable[[Entries], None]) -> None:
        """Apply `edit` to the newest entries and replace the file in one step."""
        with exclusive(self.layout, "metadata.json", self.lock_timeout):
            self._seen = None
            entries = json.loads(json.dumps(self.entries()))
            edit(entries)
            draft = self.path.with_suffix(f".{os.getpid()}.tmp")
            draft.write_text(json.dumps({k: v for k, v in entries.items() if v}, indent=1, sort_keys=True), "utf-8")
            os.replace(draft, self.path)

    def set_tags(self, key: str, tags: dict[str, str]) -> None:
        self.change(lambda entries: entries.setdefault(key, {}).setdefault("tags", {}).update(tags))

    def unset_tags(self, key: str, names: list[str]) -> None:
        def edit(entries: Entries) -> None:
            for name in names:
                entries.get(key, {}).get("tags", {}).pop(name, None)

        self.change(edit)

    def set_comment(self, key: str, comment: str | None) -> None:
        self.change(lambda entries: entries.setdefault(key, {}).update(comment=comment))

    def forget(self, name: str) -> None:
        """Drop the entries of a name and of everything below it."""

        def edit(entries: Entries) -> None:
            for key in [k for k in entries if _is_below(k, name)]:
                del entries[key]

        if any(_is_below(key, name) for key in self.entries()):
            self.change(edit)

    def rename(self, old: str, new: str) -> None:
        """Move the entries of a name and of everything below it to a new name."""

        def edit(entries: Entries) -> None:
            for key in [k for k in entries if _is_below(k, old)]:
                kind, name = key.split(":", 1)
                entries[f"{kind}:{new}{name[len(old) :]}"] = entries.pop(key)

        if any(_is_below(key, old) for key in self.entries()):
            self.change(edit)


def _is_below(key: str, name: str) -> bool:
    found = key.split(":", 1)[1]
    return found == name or found.startswith(name + ".")
