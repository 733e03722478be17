"""The cast and the stage: Rosa reviews, Omar owns, Nils may not; each test has a lakehouse of its own."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache, caches
from django.core.management import call_command
from django.db import connections, transaction
from django.db.models.signals import post_migrate
from django.test.utils import setup_databases, teardown_databases
from filelock import FileLock
from rest_framework.test import APIClient
from whitenoise.middleware import WhiteNoiseMiddleware

from tests.databricks.elsewhere import reason
from training.review.frames import frame_of
from workbench import databases
from workbench.granting import give_rights
from workbench.roles import ROLES
from workbench.router import CONCEPT_APPS, LAKEHOUSE

# `make test-databricks`: the same tests through the connector and the loopback warehouse.
ON_WAREHOUSE = os.environ.get("WORKBENCH_TEST_ENGINE") == "databricks"

# Caches in files, which outlive a process.
READ_AHEAD = ("ahead", "pages")

Stage = Callable[..., Path]
# A table of the default database and the values of one of its rows
Row = tuple[str, tuple[Any, ...]]


# A run keeps some hundred megabytes here at a time, and what failed.
MEMORY, ROOM = Path("/dev/shm"), 4 << 30


def pytest_configure() -> None:
    """Hash passwords quickly: a real hash takes a third of a second on purpose."""
    # Tests write small files by the thousand, which a disk makes them wait for.
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # A test asks as fast as it can; those of the rates set one.
    settings.RATES = dict.fromkeys(settings.RATES, 0)
    # Nor may anything go on while it looks at what was done.
    settings.AFTER_ANSWER_APART = False
    # It does not look for sensitive data, unless it is about that.
    settings.FINDINGS = "ask"
    # Each process of a run empties its own, not what another one's test has just read ahead.
    for name in READ_AHEAD:
        settings.CACHES[name]["LOCATION"] /= os.environ.get("PYTEST_XDIST_WORKER", "alone")
    find_static_files_once()


def find_static_files_once() -> None:
    """Every client of a test loads the middleware anew, and WhiteNoise looks at each of hundreds of files then."""
    finds, found = WhiteNoiseMiddleware.add_files_from_finders, {}

    def add_files_from_finders(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            finds(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    pytest.MonkeyPatch().setattr(WhiteNoiseMiddleware, "add_files_from_finders", add_files_from_finders)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Open both databases to the tests that ask for a lakehouse."""
    for item in items:
        if "lakehouse" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db(databases=["default", LAKEHOUSE]))
        if ON_WAREHOUSE and (why := reason(item.nodeid)):
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Only the default database rolls back; the lakehouse is a directory that the fixture below copies."""
    connections.settings[LAKEHOUSE]["NAME"] = str(tmp_path_factory.mktemp("no-test") / "lakehouse")
    # Django would flush every table after every test of a database without transactions; a directory needs no flush.
    connections[LAKEHOUSE].features.supports_transactions = True
    # A file, as everywhere else: in memory, threads of a live server find tables locked instead of waiting for them.
    connections["default"].settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("default") / "default.sqlite3")
    with django_db_blocker.unblock():
        old = setup_databases(verbosity=0, interactive=False, aliases=["default"])
    # A test with transactions empties all tables afterwards, and with them the roles that migrations made.
    post_migrate.connect(roles_again, sender=apps.get_app_config("workbench"))
    yield
    with django_db_blocker.unblock():
        teardown_databases(old, verbosity=0)


def roles_again(using: str, **_: Any) -> None:
    if using == "default":
        give_rights(ROLES)


@pytest.fixture(scope="session")
def migrated(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Path:
    """A lakehouse with all tables and no rows, which one worker of a run makes for all: copy it, never write to it."""
    ours = tmp_path_factory.getbasetemp()
    everybodys = ours if worker_id == "master" else ours.parent
    directory = everybodys / "migrated"
    with FileLock(everybodys / "migrated.lock"):
        if not directory.exists():
            making = ours / "migrating"
            with django_db_blocker.unblock(), at(making):
                call_command("migrate", database=LAKEHOUSE, verbosity=0)
            making.rename(directory)
    return directory


@pytest.fixture(scope="session")
def prepared(migrated: Path, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a site of its own is copied from instead of migrating for seconds: both databases, migrated and empty."""
    var = tmp_path_factory.mktemp("prepared")
    shutil.copytree(migrated, var / "lakehouse")
    with django_db_blocker.unblock():
        connections["default"].ensure_connection()
        (var / "workbench.sqlite3").write_bytes(connections["default"].connection.serialize())
    return var


class Scene(NamedTuple):
    """What was made, what it wrote to the default database, and what the function that made it returned."""

    lakehouse: Path
    rows: set[Row]
    result: Any


Scenes = Callable[..., Scene]


def default_rows() -> set[Row]:
    """Every row of the default database, with its table."""
    with connections["default"].cursor() as cursor:
        tables = connections["default"].introspection.table_names(cursor)
        return {(table, tuple(row)) for table in tables for row in cursor.execute(f"SELECT * FROM {table}").fetchall()}


def insert(rows: set[Row]) -> None:
    # Keys may point to rows that come later.
    with transaction.atomic("default"), connections["default"].cursor() as cursor:
        for table, row in rows:
            cursor.execute(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", row)


def copy_new(source: str, target: str) -> None:
    """Copy a file unless it is there; times and sizes tell."""
    if not (os.path.exists(target) and filecmp.cmp(source, target)):
        shutil.copy2(source, target)


@pytest.fixture(scope="session")
def scenes(migrated: Path, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    """Returns the scene that a function of the directory of an empty lakehouse makes, made once."""
    made: dict[tuple[Any, ...], Scene] = {}

    def scene(make: Callable[..., object], *arguments: str) -> Scene:
        key = (make, *arguments)
        if key not in made:
            directory = tmp_path_factory.mktemp("scene") / "lakehouse"
            shutil.copytree(migrated, directory)
            # Undone at the end, because the test that asks first is given the same rows as the others.
            with django_db_blocker.unblock(), at(directory), transaction.atomic("default"):
                before = default_rows()
                result = make(directory, *arguments)
                after = default_rows()
                transaction.set_rollback(True, "default")
            assert before <= after, (
                f"{make.__name__} changes rows of the default database, where only new ones are copied."
            )
            made[key] = Scene(directory, after - before, result)
        return made[key]

    return scene


@pytest.fixture
def stage(lakehouse: Path, scenes: Scenes) -> Stage:
    """Fills both databases of this test, whose lakehouse was not read yet, with what a function makes, see `scenes`."""

    def fill(make: Callable[..., object], *arguments: str) -> Path:
        assert connections[LAKEHOUSE].connection is None, "Something was read or written already, and would be lost."
        scene = scenes(make, *arguments)
        shutil.copytree(scene.lakehouse, lakehouse, copy_function=copy_new, dirs_exist_ok=True)
        insert(scene.rows)
        # What is remembered by ids, which other tests' copies have as well.
        frame_of.cache_clear()
        cache.clear()
        connections[LAKEHOUSE].ensure_connection()
        return lakehouse

    return fill


@pytest.fixture
def lakehouse(migrated: Path, tmp_path: Path, db: None) -> Iterator[Path]:
    """The directory of this test's own lakehouse."""
    directory = tmp_path / "lakehouse"
    shutil.copytree(migrated, directory)
    # What was read ahead from another test's tables, which may hold the same rows.
    for name in READ_AHEAD:
        caches[name].clear()
    with at(directory):
        yield directory


class at:  # noqa: N801 - reads as a word: `with at(directory)`
    """Point the alias `lakehouse` at a directory, in this thread and in those started meanwhile.

    With `warehouse` a loopback over the directory is between; `server` is it.
    """

    def __init__(self, directory: Path, *, warehouse: bool = ON_WAREHOUSE) -> None:
        self.directory, self.warehouse = directory, warehouse
        self.server: Any = None

    def __enter__(self) -> at:
        self.entry = connections.settings[LAKEHOUSE]
        self.before = connections[LAKEHOUSE]
        self.stack = ExitStack()
        connections.settings[LAKEHOUSE] = self.entry | self._address()
        connections[LAKEHOUSE] = connections.create_connection(LAKEHOUSE)
        return self

    def _address(self) -> dict[str, Any]:
        if not self.warehouse:
            return {"NAME": str(self.directory)}
        from tests.databricks.loopback import TOKEN, Loopback  # loads the connector

        self.stack.enter_context(pytest.MonkeyPatch.context()).setenv("DATABRICKS_TOKEN", TOKEN)
        self.server = self.stack.enter_context(Loopback(self.directory))
        return databases.lakehouse(self.server.url)

    def __exit__(self, *_: object) -> None:
        connections[LAKEHOUSE].close()
        connections[LAKEHOUSE] = self.before
        connections.settings[LAKEHOUSE] = self.entry
        self.stack.close()


@pytest.fixture
def beats_in_vain(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """For jobs that run in the test's own transaction: their heartbeats, in a thread, cannot write beside it.

    They fail at once, instead of holding each job up until they have waited for the database.
    """
    if "timeout" in connections.settings["default"]["OPTIONS"]:
        monkeypatch.setitem(connections.settings["default"]["OPTIONS"], "timeout", 0.01)


@pytest.fixture
def sql(lakehouse: Path) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs one Databricks SQL statement and returns its rows."""

    def run(statement: str, params: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        with connections[LAKEHOUSE].cursor() as cursor:
            cursor.execute(statement, params)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def rosa(db: None) -> User:
    """A reviewer: staff with every permission on the concepts."""
    user = User.objects.create_user("rosa", password="rosa's password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label__in=CONCEPT_APPS))
    return user


@pytest.fixture
def omar(db: None) -> User:
    """An owner: a superuser."""
    return User.objects.create_superuser("omar", password="omar's password")


@pytest.fixture
def dora(db: None) -> User:
    """A data scientist: she changes uses, and loosens nothing."""
    dora = User.objects.create_user("dora", is_staff=True)
    dora.groups.add(Group.objects.get(name="data scientist"))
    return dora


@pytest.fixture
def nils(db: None) -> User:
    """Signed in, and may nothing else."""
    return User.objects.create_user("nils", password="nils' password")


@pytest.fixture
def api(rosa: User) -> APIClient:
    """A client of the API, signed in as Rosa."""
    client = APIClient()
    client.force_authenticate(rosa)
    return client
