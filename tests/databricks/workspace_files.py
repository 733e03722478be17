"""The Files API of the loopback workspace: files of volumes, in parts and by pages, from the lakehouse's directory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import Any

from databricks.sdk.service.files import DirectoryEntry

from tests.databricks.exchange import RefusedError, Routes, page
from tests.databricks.http import Reply, Request

FILES, DIRECTORIES = "/api/2.0/fs/files{*}", "/api/2.0/fs/directories{*}"
BLOCK = 64 * 1024


class Files:
    """The files under `Volumes/` of one directory."""

    def __init__(self, directory: Path, denied: set[str], page_size: int) -> None:
        self.directory, self.denied, self.page_size = directory, denied, page_size

    def routes(self) -> Routes:
        return {
            ("GET", FILES): self.download,
            ("HEAD", FILES): self.head,
            ("PUT", FILES): self.upload,
            ("DELETE", FILES): self.delete,
            ("GET", DIRECTORIES): self.list,
            ("PUT", DIRECTORIES): self.make,
        }

    def head(self, _request: Request, path: str) -> Reply:
        return Reply(200, headers=self._headers(self._file(path)))

    def download(self, request: Request, path: str) -> Reply:
        file = self._file(path)
        headers, size = self._headers(file), file.stat().st_size
        if (since := request.headers.get("if-unmodified-since")) and parsedate_to_datetime(
            since
        ) < parsedate_to_datetime(headers["Last-Modified"]):
            raise RefusedError(412, "PRECONDITION_FAILED", f"The file {path} has changed.")
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if match is None:
            return Reply(200, headers=headers, body=_blocks(file, 0, size))
        first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
        if first > last:
            raise RefusedError(416, "REQUESTED_RANGE_NOT_SATISFIABLE", f"The file {path} has {size} bytes.")
        part = {"Content-Length": str(last - first + 1), "Content-Range": f"bytes {first}-{last}/{size}"}
        return Reply(206, headers=headers | part, body=_blocks(file, first, last - first + 1))

    def upload(self, request: Request, path: str) -> Reply:
        file = self._place(path)
        if not file.parent.is_dir():
            raise RefusedError(404, "NOT_FOUND", f"The directory of {path} does not exist.")
        if file.exists() and request.query.get("overwrite") == "false":
            raise RefusedError(409, "ALREADY_EXISTS", f"The file {path} exists already.")
        part = file.with_name(f".{file.name}.upload")
        part.write_bytes(request.body)
        part.replace(file)
        return Reply(204)

    def delete(self, _request: Request, path: str) -> Reply:
        self._file(path).unlink()
        return Reply(204)

    def list(self, request: Request, path: str) -> dict[str, Any]:
        directory = self._place(path)
        if not directory.is_dir():
            raise RefusedError(404, "NOT_FOUND", f"The directory {path} does not exist.")
        entries = [_entry(path, child) for child in sorted(directory.iterdir())]
        return page(request, "contents", entries, self.page_size)

    def make(self, _request: Request, path: str) -> Reply:
        self._place(path).mkdir(parents=True, exist_ok=True)
        return Reply(204)

    def _file(self, path: str) -> Path:
        found = self._place(path)
        if not found.is_file():
            raise RefusedError(404, "NOT_FOUND", f"The file {path} does not exist.")
        return found

    def _place(self, path: str) -> Path:
        parts = path.split("/")
        if len(parts) < 5 or parts[1] != "Volumes" or ".." in parts:
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", f"Invalid path: {path}")
        if any("/".join(parts[:end]) in self.denied for end in range(5, len(parts) + 1)):
            raise RefusedError(403, "PERMISSION_DENIED", f"User does not have READ VOLUME on {path}.")
        volume = self.directory.joinpath(*parts[1:5])
        if not volume.is_dir():
            raise RefusedError(404, "NOT_FOUND", f"Volume '{'.'.join(parts[2:5])}' does not exist.")
        return volume.joinpath(*parts[5:])

    def _headers(self, file: Path) -> dict[str, str]:
        found = file.stat()
        return {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(found.st_size),
            "Last-Modified": formatdate(found.st_mtime, usegmt=True),
            "Accept-Ranges": "bytes",
        }


def _entry(path: str, child: Path) -> DirectoryEntry:
    found = child.stat()
    return DirectoryEntry(
        path=f"{path.rstrip('/')}/{child.name}",
        name=child.name,
        is_directory=child.is_dir(),
        file_size=None if child.is_dir() else found.st_size,
        last_modified=int(found.st_mtime * 1000),
    )


def _blocks(file: Path, first: int, count: int) -> Iterator[bytes]:
    with file.open("rb") as opened:
        opened.seek(first)
        while count > 0 and (block := opened.read(min(BLOCK, count))):
            count -= len(block)
            yield block
