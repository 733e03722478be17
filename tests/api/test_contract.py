"""schemathesis over the whole OpenAPI: no failure of ours, answers as described, nothing readable without signing in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel
from training.actions.export import open_export
from training.models import Export, QAPair, TrainingSheet
from workbench import access
from workbench.tokens import make_token
from workbench.wsgi import application

# For each operation: so many with the id of a row that exists or none, and so many with ids as they come.
EXAMPLES, ASTRAY = 5, 2
# schemathesis knows no JSON lines: some that are, with the names of a label, and some bytes that are not.
NAMES = st.sampled_from(["item_ref", "label_type", "label_data", "confidence", "allowed_uses", "usage_reason"])
VALUES = st.none() | st.integers() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text())
LINES = st.lists(st.dictionaries(NAMES, VALUES).map(json.dumps)).map("\n".join).map(str.encode)
schemathesis.openapi.media_type("application/jsonl", LINES | st.binary())
# Answers in the one shape of errors that any request may get, described or not.
OF_ALL = {400, 401, 403, 404, 405, 409, 413, 415, 503}
# Ends the token that the others use.
LAST = "DELETE /api/v1/auth/token"


@pytest.fixture
def kept_open() -> Iterator[None]:
    """As in Django's own client, a request leaves the connections open: their transactions are those of the test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def described(boards: TrainingSheet, omar: User, kept_open: None) -> Any:
    """The API as its document describes it, asked with an owner's token."""
    _, text = make_token(omar, name="contract", actor="omar")
    schema = schemathesis.openapi.from_wsgi("/api/schema", application, headers={"Authorization": f"Token {text}"})
    return schema, text


@pytest.fixture
def there(boards: TrainingSheet) -> dict[str, str]:
    """By the first part of an address, the key of a row that exists."""
    list(open_export(boards, actor="omar", channel="api"))
    return {
        "sheets": boards.sheet_id,
        "templates": boards.template_id,
        "canonical-labels": CanonicalLabel.objects.filter(sheet_id=boards.sheet_id)[0].pk,
        "training-sheets": boards.pk,
        "qa-pairs": QAPair.objects.of(boards.pk)[20].pk,
        "exports": Export.objects.all()[0].pk,
        "usage-constraint-audit": UsageConstraintAudit.objects.all()[0].pk,
    }


def test_the_api_keeps_its_word(described: Any, there: dict[str, str]) -> None:
    schema, text = described
    faults: dict[str, str] = {}
    operations = [each.ok() for each in schema.get_all_operations()]
    for operation in sorted(operations, key=lambda each: (each.label == LAST, each.method == "delete")):
        key = there.get(operation.path.removeprefix("/api/v1/").split("/")[0])
        names = [each.name for each in operation.path_parameters]
        known = [{"path_parameters": dict.fromkeys(names, key)}] if key and names == ["id"] else []
        for more in [{}, *known]:
            if fault := tried(operation, text, more, ASTRAY if names and not more else EXAMPLES):
                faults[f"{operation.label} {more}"] = fault
    assert not faults, "\n".join(f"{name}: {fault}" for name, fault in faults.items())


def tried(operation: Any, text: str, more: dict[str, Any], examples: int) -> str:
    """What is wrong with an answer, "" if nothing. Kept, not raised: a request asked again finds other rows."""
    faults: list[str] = []

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(**more))
    def ask(case: Any) -> None:
        answer = case.call(headers={"Authorization": f"Token {text}"})
        told = f"{case.method} {case.formatted_path} {case.query} {str(case.body)[:300]}: {answer.status_code} {answer.text[:300]}"
        try:
            assert answer.status_code != 500
            if str(answer.status_code) in operation.responses.status_codes:
                operation.validate_response(answer, case=case)
            else:
                assert answer.status_code in OF_ALL and set(answer.json()["error"]) >= {"code", "message"}
        except (AssertionError, LookupError, ValueError) as fault:
            faults.append(f"{told}\n{fault}")

    ask()
    return faults[0] if faults else ""


def test_nothing_is_readable_without_signing_in(described: Any) -> None:
    schema, _ = described
    for each in schema.get_all_operations():
        operation = each.ok()
        if access.ENDPOINTS.get(f"{operation.method.upper()} {operation.path}") == access.OPEN:
            continue

        @settings(
            max_examples=2, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            assert case.call().status_code in (401, 403), case.formatted_path

        ask()
