"""The models of a Databricks workspace, through the unmodified SDK's sign-in against a workspace on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from templates_app.models import PromptTemplate
from tests.training.chat_server import says
from training.answerers import EndpointAnswerer, endpoint
from training.pairs import Question
from training.serving import base_and_sign_in
from workbench import workspace
from workbench.problems import Unavailable


class Serving(ThreadingHTTPServer):
    """Gives tokens by OAuth for machines, of which the newest is good, and answers chats that have it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tokens, self.lifetime, self.refuses = 0, 3600, False
        self.chats: list[tuple[str, str]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Serving

    def do_GET(self) -> None:
        here = f"http://127.0.0.1:{self.server.server_port}/oidc"
        found = {
            "/.well-known/databricks-config": {"oidc_endpoint": here},
            "/oidc/.well-known/oauth-authorization-server": {
                "authorization_endpoint": f"{here}/v1/authorize",
                "token_endpoint": f"{here}/v1/token",
            },
        }.get(self.path)
        self._answer(200 if found else 404, found or {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/oidc/v1/token":
            if self.server.refuses:
                return self._answer(401, {"error": "invalid_client", "error_description": "Client is unknown"})
            self.server.tokens += 1
            token = f"token-{self.server.tokens}"
            return self._answer(
                200, {"access_token": token, "token_type": "Bearer", "expires_in": self.server.lifetime}
            )
        self.server.chats.append((self.path, json.loads(body)["model"]))
        good = self.headers["Authorization"] == f"Bearer token-{self.server.tokens}"
        blocks = [{"type": "reasoning", "summary": []}, {"type": "text", "text": "fine"}]
        return self._answer(200, says("")[2] | _chosen(blocks)) if good else self._answer(401, {"message": "expired"})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None: ...


def _chosen(content: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}]}


@pytest.fixture
def serving(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    for name, value in {"CLIENT_ID": "robot", "CLIENT_SECRET": "secret", "CONFIG_FILE": "/nowhere"}.items():
        monkeypatch.setenv(f"DATABRICKS_{name}", value)
    monkeypatch.delenv("DATABRICKS_TOKEN", raising=False)
    workspace.sign_in.cache_clear()
    server = Serving()
    settings.LLM_URL, settings.LLM_MODEL = f"databricks://127.0.0.1:{server.server_port}", "gpt-oss"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
    workspace.sign_in.cache_clear()


def asked(*questions: str) -> list[str]:
    answerer = endpoint(PromptTemplate(output_schema=[]), {"concurrency": 1}, list)
    assert isinstance(answerer, EndpointAnswerer)
    answers = answerer([Question({}, [{"role": "user", "content": question}]) for question in questions])
    return [answer.text or answer.error for answer in answers]


def test_calls_go_to_serving_endpoints_with_one_token_while_it_is_good(serving: Serving) -> None:
    assert asked("a", "b", "c") == ["fine"] * 3
    assert (set(serving.chats), serving.tokens) == ({("/serving-endpoints/chat/completions", "gpt-oss")}, 1)


def test_a_token_that_runs_out_is_renewed_during_the_run(serving: Serving) -> None:
    serving.lifetime = 30  # the SDK calls a token spent 40 seconds before it ends
    assert asked("a", "b", "c") == ["fine"] * 3
    assert serving.tokens > 3


def test_a_sign_in_that_is_refused_is_told_before_anything_is_asked(serving: Serving) -> None:
    serving.refuses = True
    with pytest.raises(Unavailable, match=r"sign-in to the models of http://127.* Client is unknown"):
        asked("a")
    assert not serving.chats


def test_the_address_of_a_gateway_is_kept() -> None:
    assert base_and_sign_in("databricks://dbc.example.com")[0] == "https://dbc.example.com:443/serving-endpoints"
    base, sign_in = base_and_sign_in("databricks://dbc.example.com/ai-gateway/mlflow/v1/")
    assert (base, sign_in.address) == (
        "https://dbc.example.com:443/ai-gateway/mlflow/v1",
        "https://dbc.example.com:443",
    )
