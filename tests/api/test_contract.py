"""schemathesis over the whole OpenAPI: no failure of ours, answers as described, nothing readable without signing in."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS

from training.models import TrainingSheet
from workbench.tokens import make_token
from workbench.wsgi import application

EXAMPLES = 8
NAMES = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
LOOKED_AT = [check for check in CHECKS.get_all() if check.__name__ in NAMES]
# 401, 403, 404, 405, 406, 413, 415 and 429 are answers of the framework, in the one shape of errors, to any request.
OF_ALL = {400, 401, 403, 404, 405, 406, 409, 413, 415, 429}


@pytest.fixture
def described(boards: TrainingSheet, omar: User) -> tuple[Any, dict[str, str]]:
    """The API as its document describes it, and the headers of an owner's token."""
    _, text = make_token(omar, name="contract", actor="omar")
    headers = {"Authorization": f"Token {text}"}
    return schemathesis.openapi.from_wsgi("/api/schema", application, headers=headers), headers
