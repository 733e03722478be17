"""Volumes of a Databricks workspace: files through its Files API, read by ranges so that none is ever held whole."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO, cast
from urllib.parse import quote

from sheets.models import Sheet
from sheets.names import VolumeName
from sheets.volume import FileState, by_name_and_stem, path_inside
from workbench.near import near_misses
from workbench.problems import Conflict, NotFound, Unavailable
from workbench.workspace import asking, workspace

# A reader that goes on gets larger blocks: a small part costs no more than itself, a large file few requests.
SMALLEST, LARGEST = 64 * 1024, 8 * 1024 * 1024


class WorkspaceVolume:
    """One volume; the states of files that it has seen once, it remembers."""

    def __init__(self, name: VolumeName) -> None:
        self._name = name
        self._seen: dict[str, FileState] = {}

    @property
    def name(self) -> VolumeName:
        return self._name

    def need(self) -> None:
        try:
            with asking(f"volume {str(self.name)!r}"):
                workspace().volumes.read(quote(f"{self.name.catalog}.{self.name.schema}.{self.name.volume}"))
        except NotFound as problem:
            raise NotFound(f"There is no volume {str(self.name)!r}.{self._near()}") from problem

    def list_files(self, directory: str = "") -> Sequence[str]:
        place = path_inside(self.name, directory) if directory else str(self.name)
        with asking(f"list of the files in {place!r}"):
            entries = list(workspace().files.list_directory_contents(place))
        found = {
            str(entry.name): FileState(entry.file_size or 0, (entry.last_modified or 0) * 1_000_000)
            for entry in entries
            if not entry.is_directory and not str(entry.name).startswith(".")
        }
        self._seen |= {f"{directory}/{name}" if directory else name: state for name, state in found.items()}
        return sorted(found)

    def index(self, directory: str = "") -> Mapping[str, Sequence[str]]:
        return by_name_and_stem(self.list_files(directory))

    def state(self, file: str) -> FileState:
        path = path_inside(self.name, file)
        if file not in self._seen:
            try:
                with asking(f"file {path!r}"):
                    found = workspace().files.get_metadata(path)
            except NotFound as problem:
                raise self._missing(path, file) from problem
            changed = parsedate_to_datetime(str(found.last_modified)).timestamp()
            self._seen[file] = FileState(int(found.content_length or 0), int(changed) * 1_000_000_000)
        return self._seen[file]

    def open(self, file: str) -> BinaryIO:
        return io.BufferedReader(RemoteFile(path_inside(self.name, file), self.state(file).size), SMALLEST)

    def write(self, file: str, source: BinaryIO) -> None:
        path = path_inside(self.name, file)
        with asking(f"upload of {path!r}"):
            workspace().files.upload(path, source, overwrite=True)
        self._seen.pop(file, None)

    def remove(self, file: str) -> None:
        path = path_inside(self.name, file)
        with suppress(NotFound), asking(f"removal of {path!r}"):
            workspace().files.delete(path)
        self._seen.pop(file, None)

    def _missing(self, path: str, file: str) -> NotFound:
        self.need()
        near = "" if "/" in file else near_misses(file, self.list_files())
        return NotFound(f"There is no file {path!r}.{near} List the volume to see its files.")

    def _near(self) -> str:
        """Words for the volumes of the same schema that have a similar name."""
        try:
            with asking("list of volumes"):
                rows = list(workspace().volumes.list(self.name.catalog, self.name.schema))
        except NotFound:
            return f" There is no schema {self.name.catalog}.{self.name.schema} either."
        base = f"/Volumes/{self.name.catalog}/{self.name.schema}"
        return near_misses(str(self.name), Sheet.objects.openly(f"{base}/{row.name}" for row in rows))


class RemoteFile(io.RawIOBase):
    """A file of a volume, seekable; it holds one block. Conflict when the file changes while it is read."""

    def __init__(self, path: str, size: int) -> None:
        self.path, self.size = path, size
        self._at = 0
        self._block, self._start, self._ask = b"", 0, SMALLEST
        self._changed: str | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError(f"Found the place {base + offset}: a place in a file is 0 or more.")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self.size or not len(buffer):
            return 0
        end = self._start + len(self._block)
        if not self._start <= self._at < end:
            goes_on = bool(self._block) and self._at == end
            self._ask = min(2 * self._ask, LARGEST) if goes_on else SMALLEST
            self._block, self._start = self._fetch(self._at, min(self._at + self._ask, self.size)), self._at
        offset = self._at - self._start
        part = memoryview(self._block)[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _fetch(self, first: int, end: int) -> bytes:
        with asking(f"part of the file {self.path!r}"):
            answer = cast(
                dict[str, Any],
                workspace().api_client.do(
                    "GET",
                    f"/api/2.0/fs/files{quote(self.path)}",
                    # Compressed on the way, its parts would not be those that were asked for.
                    headers={"Accept-Encoding": "identity", "Range": f"bytes={first}-{end - 1}"},
                    response_headers=["content-range", "last-modified"],
                    raw=True,
                ),
            )
            with answer["contents"] as contents:
                found: bytes = contents.read(end - first)
        part, changed = answer["content-range"], answer["last-modified"]
        if part != f"bytes {first}-{end - 1}/{self.size}" or self._changed not in (None, changed):
            raise Conflict(f"The file {self.path!r} has changed while it was read: read it again.")
        if len(found) != end - first:
            raise Unavailable(f"The workspace broke off the file {self.path!r}: read it again.")
        self._changed = changed
        return found
