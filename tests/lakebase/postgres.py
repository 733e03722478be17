"""A real PostgreSQL of Debian's package, in a directory of its own, on a free port of loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

ROLE = "workbench"
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=250")


def installed() -> Path | None:
    """Return the directory of initdb and postgres, or None where there is none."""
    found = [Path(name).parent for name in (shutil.which("initdb"),) if name]
    found += sorted((file.parent for file in Path("/usr/lib/postgresql").glob("*/bin/initdb")), reverse=True)
    return found[0] if found else None


@dataclass(frozen=True)
class Postgres:
    """A running server; its administrator comes in by the socket, everybody else by password."""

    port: int
    sockets: Path

    def administer(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(
            host=str(self.sockets), port=self.port, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            done = connection.execute(statement)  # type: ignore[call-overload]
            return done.fetchall() if done.description else []

    def change_password(self, password: str) -> None:
        """Let the role in by this password and by no other."""
        self.administer(f"ALTER ROLE {ROLE} PASSWORD '{password}'")

    def make_database(self, name: str) -> str:
        self.administer(f"CREATE DATABASE {name} OWNER {ROLE}")
        return name


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(programs: Path) -> Iterator[Postgres]:
    home = Path(tempfile.mkdtemp(prefix="postgres-"))
    # PostgreSQL refuses to run as root, and the package made this user.
    user: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    if user:
        shutil.chown(home, "postgres", "postgres")

    def run(program: str, *arguments: str) -> None:
        command = [programs / program, *arguments]
        subprocess.run(command, cwd=home, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user)

    data = str(home / "data")
    auth = ("--auth-local=trust", "--auth-host=scram-sha-256", "--username=postgres")
    run("initdb", "--no-sync", "--locale=C.UTF-8", *auth, data)
    port = free_port()
    settings = (*FAST, f"port={port}", f"unix_socket_directories={home}")
    run("pg_ctl", "start", "-w", "-D", data, "-l", str(home / "log"), "-o", " ".join(f"-c {each}" for each in settings))
    try:
        server = Postgres(port, home)
        server.administer(f"CREATE ROLE {ROLE} LOGIN")
        yield server
    finally:
        run("pg_ctl", "stop", "-w", "-m", "fast", "-D", data)
        shutil.rmtree(home)
