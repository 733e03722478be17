"""A site to review at: pairs over a table of items, a reviewer who has signed in, and the server in processes of its own."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.figures import milliseconds
from benchmarks.invented import pairs, sheet_id
from benchmarks.stage import ROOT
from tests.lakebase.postgres import free_port

TRAINING_SHEET = sheet_id(0)
CSRF = "c" * 32
ANSWER = {
    "type": "object",
    "required": ["defect_type", "severity", "location"],
    "properties": {
        "defect_type": {"enum": ["scratch", "solder_bridge", "cold_joint"]},
        "severity": {"enum": ["low", "high"]},
        "location": {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}},
    },
}
# Together they wait so long for a server that starts.
TRIES, TURN = 3000, 0.1


@dataclass
class Reviewer:
    """A browser's connection, kept alive, with Rosa's session."""

    port: int
    session: str

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[float, Any]:
        """Return the milliseconds until the answer was read, and the answer; AssertionError where it is none."""
        answer: list[tuple[int, bytes]] = []
        took = milliseconds(lambda: answer.append(self._asked(method, path, body)))
        (status, text) = answer[0]
        assert status == 200, (method, path, status, text[:300])
        return took, json.loads(text) if text[:1] in (b"{", b"[") else text

    def _asked(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        headers = {"Cookie": f"sessionid={self.session}; csrftoken={CSRF}", "X-CSRFToken": CSRF}
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, headers | ({"Content-Type": "application/json"} if text else {}))
        found = self.connection.getresponse()
        return found.status, found.read()


def fill(lakehouse: Path, rows: int) -> None:
    """Make the items, their sheet, a template and a training sheet with all pairs; half of them wait for review."""
    from deltalake import write_deltalake

    from sheets.actions import create_sheet
    from templates_app.actions import create_template, publish
    from training.models import QAPair, TrainingSheet

    given = pairs(rows, per_sheet=rows)
    items = pa.table({"image_id": given["item_ref"], "line": given["training_sheet_id"], "reading": given["messages"]})
    write_deltalake(lakehouse / "mirion_vital/samples/boards", items)
    sheet = create_sheet(
        {"name": "boards", "primary_table": "mirion_vital.samples.boards", "join_keys": ["image_id"]}, actor="omar"
    )
    made = {"name": "review", "label_type": "classification", "user_prompt_template": "{{ line }}"}
    made |= {"input_schema": [{"name": "line", "type": "string"}], "output_schema": ANSWER}
    template = publish(create_template(made, actor="omar"), actor="omar")
    TrainingSheet.objects.create(pk=TRAINING_SHEET, name="boards", sheet=sheet, template=template, status="review")
    QAPair.objects.append_arrow(given)


def signed_in() -> str:
    """Have the tables of the default database with Rosa, who may review, and return the key of her session."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import Permission, User
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command

    call_command("migrate", database="default", verbosity=0)
    rosa, _ = User.objects.get_or_create(username="rosa", is_staff=True)
    rosa.user_permissions.set(Permission.objects.filter(content_type__app_label="training"))
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(rosa.pk), rosa.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.save()
    return str(session.session_key)


@contextmanager
def served(home: Path, lakehouse_url: str, mode: str) -> Iterator[int]:
    """Run `manage.py serve` on a copy of the default database at `home`; gives the port once it answers."""
    from django.conf import settings
    from django.db import connections

    connections["default"].close()
    home.mkdir()
    shutil.copy(settings.DATABASES["default"]["NAME"], home / "workbench.sqlite3")
    env = os.environ | {
        "WORKBENCH_VAR_DIR": str(home),
        "WORKBENCH_LAKEHOUSE_URL": lakehouse_url,
        "WORKBENCH_REVIEW_APPLY": mode,
        "WORKBENCH_SECRET_KEY": settings.SECRET_KEY,
    }
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--bind", f"127.0.0.1:{port}"]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
        try:
            _await(port)
            yield port
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


def _await(port: int) -> None:
    for _ in range(TRIES):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/admin/login/")
            return connection.getresponse().close()
        except OSError:
            time.sleep(TURN)
    raise TimeoutError("The server does not answer.")
