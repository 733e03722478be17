"""The loopback workspace keeps to what databricks-sdk, unmodified, expects of a real one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import InvalidParameterValue, NotFound, PermissionDenied, Unauthenticated
from databricks.sdk.service.catalog import EntityTagAssignment
from databricks.sdk.service.jobs import RunResultState, SparkPythonTask, SubmitTask

from tests.databricks.workspace import TOKEN, Workspace, serving
from workbench.lakehouse.engines.local import connect

FOLDER = "/Volumes/shop/raw/pictures"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    directory = tmp_path_factory.mktemp("workspace")
    with connect(directory, catalog="shop", schema="raw") as connection, connection.cursor() as cursor:
        for statement in (
            "CREATE CATALOG shop",
            "CREATE SCHEMA shop.raw",
            "CREATE TABLE shop.raw.boards (id STRING NOT NULL COMMENT 'Its name', price DECIMAL(9,2)) USING DELTA",
            "CREATE TABLE shop.raw.notes (id STRING) USING DELTA",
            "CREATE TABLE shop.raw.parts (id BIGINT) USING DELTA",
            "CREATE VOLUME shop.raw.pictures",
        ):
            cursor.execute(statement)
    with serving(directory, page_size=2) as server:
        yield server


@pytest.fixture
def sdk(server: Workspace) -> WorkspaceClient:
    return client(server, TOKEN)


def client(server: Workspace, token: str) -> WorkspaceClient:
    config = Config(host=server.url, token=token, auth_type="pat", http_timeout_seconds=5, retry_timeout_seconds=5)
    return WorkspaceClient(config=config)


def test_what_is_not_known_is_an_error(server: Workspace, sdk: WorkspaceClient) -> None:
    with pytest.raises(NotFound, match="No API found"):
        list(sdk.functions.list("shop", "raw"))
    with pytest.raises(Unauthenticated):
        list(client(server, "another").catalogs.list())


def test_browsing_by_pages_that_may_be_empty(server: Workspace, sdk: WorkspaceClient) -> None:
    assert [c.name for c in sdk.catalogs.list()] == ["shop"]
    assert [s.name for s in sdk.schemas.list("shop")] == ["raw", "information_schema"]
    before = len(server.requests)
    assert [t.full_name for t in sdk.tables.list("shop", "raw")] == [
        f"shop.raw.{n}" for n in ("boards", "notes", "parts")
    ]
    assert len(server.requests) - before == 3
    columns = sdk.tables.get("shop.raw.boards").columns or []
    assert [(c.name, c.type_text, c.nullable, c.comment) for c in columns] == [
        ("id", "string", False, "Its name"),
        ("price", "decimal(9,2)", True, None),
    ]
    assert sdk.volumes.read("shop.raw.pictures").name == "pictures"
    with pytest.raises(NotFound, match="does not exist"):
        sdk.tables.get("shop.raw.bords")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("catalogs", "shop"),
        ("schemas", "shop.raw"),
        ("tables", "shop.raw.boards"),
        ("columns", "shop.raw.boards.id"),
        ("volumes", "shop.raw.pictures"),
    ],
)
def test_tags_of_every_level(sdk: WorkspaceClient, kind: str, name: str) -> None:
    tags = sdk.entity_tag_assignments
    for key in ("PHI", "b", "c"):
        tags.create(EntityTagAssignment(entity_name=name, entity_type=kind, tag_key=key, tag_value=""))
    assert [(t.tag_key, t.tag_value) for t in tags.list(kind, name)] == [("PHI", ""), ("b", ""), ("c", "")]
    tags.update(kind, name, "b", EntityTagAssignment(name, "b", kind, tag_value="2"), update_mask="tag_value")
    assert tags.get(kind, name, "b").tag_value == "2"
    for key in ("PHI", "b", "c"):
        tags.delete(kind, name, key)
    assert not list(tags.list(kind, name))


def test_no_right_is_not_no_tags(server: Workspace, sdk: WorkspaceClient) -> None:
    server.denied.add("shop.raw.notes")
    with pytest.raises(PermissionDenied, match=r"shop\.raw\.notes"):
        list(sdk.entity_tag_assignments.list("tables", "shop.raw.notes"))


def test_files_go_up_and_come_down(sdk: WorkspaceClient) -> None:
    for name in ("a b#1.txt", "ü.txt", "100%.txt"):
        sdk.files.upload(f"{FOLDER}/{name}", io.BytesIO(name.encode()), overwrite=True)
        answer = sdk.files.download(f"{FOLDER}/{name}")
        assert answer.contents is not None and answer.contents.read() == name.encode()
        assert sdk.files.get_metadata(f"{FOLDER}/{name}").content_length == len(name.encode())
    entries = list(sdk.files.list_directory_contents(FOLDER))
    assert sorted((e.name, e.is_directory) for e in entries) == [
        ("100%.txt", False),
        ("a b#1.txt", False),
        ("ü.txt", False),
    ]
    for entry in entries:
        sdk.files.delete(str(entry.path))
    with pytest.raises(NotFound):
        sdk.files.get_metadata(f"{FOLDER}/ü.txt")


def submitted(sdk: WorkspaceClient, file: Path, code: str, token: str) -> Any:
    file.write_text(code)
    task = SubmitTask(task_key="go", spark_python_task=SparkPythonTask(str(file), parameters=["one"]))
    return sdk.jobs.submit(run_name="a run", idempotency_token=token, tasks=[task])


def test_a_run_runs_once_for_one_token(sdk: WorkspaceClient, tmp_path: Path) -> None:
    code = "import sys; print('got', *sys.argv[1:])"
    first = submitted(sdk, tmp_path / "job.py", code, "t1")
    assert submitted(sdk, tmp_path / "job.py", code, "t1").run_id == first.run_id
    run = first.result()
    assert run.state.result_state is RunResultState.SUCCESS
    assert sdk.jobs.get_run_output(run.tasks[0].run_id).logs == "got one\n"
    with pytest.raises(InvalidParameterValue, match="65 characters"):
        submitted(sdk, tmp_path / "job.py", code, "t" * 65)


def test_a_run_that_fails_and_one_that_is_cancelled(sdk: WorkspaceClient, tmp_path: Path) -> None:
    failed = submitted(sdk, tmp_path / "bad.py", "import sys; sys.exit('no luck')", "t2")
    assert failed.result().state.result_state is RunResultState.FAILED
    output = sdk.jobs.get_run_output(failed.run_id)
    assert output.logs == "no luck\n" and "exit code 1" in str(output.error)
    waiting = submitted(sdk, tmp_path / "long.py", "import time; time.sleep(600)", "t3")
    sdk.jobs.cancel_run(waiting.run_id)
    run = sdk.jobs.get_run(waiting.run_id)
    assert run.status and run.status.termination_details and run.status.termination_details.code
    assert run.status.termination_details.code.value == "USER_CANCELED"


def test_credentials_and_endpoints(server: Workspace, sdk: WorkspaceClient) -> None:
    one = sdk.postgres.generate_database_credential(endpoint="projects/p/branches/b/endpoints/e")
    two = sdk.database.generate_database_credential(instance_names=["old"], request_id="r")
    assert [issued.token for issued in server.credentials.issued] == [one.token, two.token]
    server.endpoints.append("chat")
    assert [endpoint.name for endpoint in sdk.serving_endpoints.list()] == ["chat"]
    assert sdk.serving_endpoints.get("chat").name == "chat"
    with pytest.raises(NotFound):
        sdk.serving_endpoints.get("another")
