"""What the doctor finds at the model endpoint."""

from __future__ import annotations

import pytest
from django.test import override_settings

from tests.training.chat_server import chat_server, says
from training import health

KEY = "a secret key"


def test_none_is_needed() -> None:
    assert health.model().state == "ok" and "offline" in health.model().found


def test_one_tiny_request_is_answered() -> None:
    with chat_server(lambda body, number: says("OK")) as server:
        with override_settings(LLM_URL=server.url, LLM_MODEL="tiny", LLM_API_KEY=KEY):
            finding = health.model()
    assert finding.state == "ok" and finding.found.startswith(f"tiny at {server.url} answered in")
    assert server.requests[0]["max_tokens"] == 1 and server.keys == [f"Bearer {KEY}"]


@pytest.mark.parametrize(
    ("status", "advice"), [(401, "WORKBENCH_LLM_API_KEY"), (404, "WORKBENCH_LLM_MODEL"), (500, "log")]
)
def test_a_refusal_says_what_to_check(status: int, advice: str) -> None:
    with chat_server(lambda body, number: (status, {}, {"error": "no"})) as server:
        with override_settings(LLM_URL=server.url, LLM_MODEL="tiny", LLM_API_KEY=KEY):
            finding = health.model()
    assert finding.state == "FAIL" and advice in finding.advice and KEY not in str(finding)


@override_settings(LLM_URL="http://127.0.0.1:9/v1", LLM_MODEL="tiny")
def test_an_endpoint_that_is_not_there() -> None:
    with pytest.raises(OSError, match=r"tiny at http://127.0.0.1:9/v1 cannot be reached"):
        health.model()
