"""The client of chat endpoints against a server that misbehaves as real ones do."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.training.chat_server import Behaviour, ChatServer, chat_server, says
from training import completions
from training.completions import Completions, Endpoint, Options
from training.pacing import AdaptiveLimit, pause, retry_after
from training.replies import Reply, read_reply, unfenced

SCHEMA = {"type": "object", "properties": {"defect": {"type": "string"}}, "required": ["defect"]}
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def ask(behaviour: Behaviour, *questions: str, **options: Any) -> tuple[list[Reply], ChatServer]:
    with chat_server(behaviour) as server:
        client = Completions(Endpoint(server.url, "tiny", "key"), Options(**options))
        return client.ask([[{"role": "user", "content": question}] for question in questions]), server


def test_replies_come_in_the_order_of_the_questions_and_four_are_asked_at_once() -> None:
    meeting = threading.Barrier(4)

    def behave(body: dict[str, Any], _: int) -> Any:
        meeting.wait(20)
        return says(body["messages"][-1]["content"].upper())

    replies, server = ask(behave, *"abcdefgh", concurrency=4)
    assert [reply.text for reply in replies] == list("ABCDEFGH")
    assert (server.keys, server.most_at_once) == (["Bearer key"] * 8, 4)


def test_a_refused_call_waits_as_it_is_told_and_is_repeated() -> None:
    replies, server = ask(lambda _, number: (429, {"Retry-After": "0"}, {}) if number < 2 else says("x"), "a")
    assert (replies[0].text, len(server.requests)) == ("x", 3)


def test_a_connection_that_is_cut_is_made_again() -> None:
    replies, _ = ask(lambda _, number: (0, {}, b"") if number == 0 else says("x"), "a")
    assert replies[0].text == "x"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((400, {}, {"error": "context length exceeded"}), "context length exceeded"),
        ((401, {}, b"no"), "answered 401: no"),
        ((302, {"Location": "http://127.0.0.1:9/"}, b""), "answered 302"),
        ((200, {}, b"<html>hello</html>"), "no JSON: <html>hello"),
        ((200, {}, {"choices": []}), "without choices"),
        ((200, {}, {"error": {"message": "upstream rate limited", "code": 429}}), "upstream rate limited"),
        (says("half", finish_reason="content_filter"), "content filter"),
        (says("", message={"content": [{"type": "text", "text": None}]}), "with nothing"),
        ((200, {}, [1]), "not with an object"),
        (says("half", finish_reason="length"), "cut off at max_tokens"),
        (says(""), "with nothing"),
    ],
)
def test_what_is_no_answer_is_the_problem_of_its_item_alone(answer: Any, words: str) -> None:
    replies, _ = ask(lambda body, _: answer if body["messages"][-1]["content"] == "bad" else says("x"), "bad", "good")
    assert words in replies[0].problem
    assert replies[1] == Reply("x", "", 7, 0)


def test_an_endpoint_that_is_down_is_named() -> None:
    client = Completions(Endpoint("http://127.0.0.1:9/v1", "tiny"), Options(timeout=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(completions, "TRIES", 1)
        (reply,) = client.ask([[{"role": "user", "content": "a"}]])
    assert "http://127.0.0.1:9/v1 cannot be reached" in reply.problem


def formats(server: ChatServer) -> list[str]:
    return [body.get("response_format", {}).get("type", "prompt") for body in server.requests]


def test_the_schema_is_asked_for_by_the_strictest_way_that_works_and_that_is_remembered() -> None:
    def picky(body: dict[str, Any], _: int) -> Any:
        return (500, {}, b"grammar") if body.get("response_format", {}).get("type") == "json_schema" else says("{}")

    replies, server = ask(picky, "a", schema=SCHEMA)
    assert (replies[0].text, formats(server)) == ("{}", ["json_schema", "json_object"])
    assert '"required":["defect"]' in server.requests[1]["messages"][-1]["content"]
    with chat_server(picky) as again:
        client = Completions(Endpoint(again.url, "tiny"), Options(schema=SCHEMA))
        for question in "ab":
            client.ask([[{"role": "user", "content": question}]])
    assert formats(again) == ["json_schema", "json_object", "json_object"]


@pytest.mark.parametrize(
    "words",
    [
        b"This model's maximum context length is 4096 tokens",
        b"prompt is too long: 9000 tokens",
        b"Requested tokens (9000) exceed context window of 2048",
        b"the request exceeds the available context size",
    ],
)
def test_a_prompt_over_the_context_is_its_items_problem_and_no_step_of_the_ladder(words: bytes) -> None:
    replies, server = ask(lambda *_: (400, {}, words), "a", schema=SCHEMA)
    assert (words.decode() in replies[0].problem, replies[0].is_outage) == (True, False)
    assert formats(server) == ["json_schema"]


def test_a_rung_that_worked_is_kept_whatever_happens_to_a_later_item() -> None:
    def behave(_: dict[str, Any], number: int) -> Any:
        return (500, {"Retry-After": "0"}, b"boom") if number == 1 else (400, {}, b"odd") if number == 3 else says("{}")

    replies, server = ask(behave, "a", "b", "c", schema=SCHEMA, concurrency=1)
    assert [reply.problem for reply in replies] == ["", "The endpoint answered 400: odd", ""]  # asked once more, last
    assert formats(server) == ["json_schema"] * 4


def test_a_server_with_json_schema_only_is_asked_for_nothing_else() -> None:
    def lm_studio(body: dict[str, Any], _: int) -> Any:
        kind = body.get("response_format", {}).get("type")
        return says("{}") if kind == "json_schema" else (400, {}, b"'response_format.type' must be 'json_schema'")

    replies, server = ask(lm_studio, "a", "b", schema=SCHEMA)
    assert ([reply.text for reply in replies], set(formats(server))) == (["{}", "{}"], {"json_schema"})


def test_headers_are_asked_for_before_each_call_and_never_shown() -> None:
    tokens = iter(["first-token", "second-token", "third-token"])

    def behave(_: dict[str, Any], number: int) -> Any:
        return (400, {}, b"bad key secret-key") if number else says("x")

    with chat_server(behave) as server:
        endpoint = Endpoint(server.url, "tiny", "secret-key", lambda: {"X-Token": next(tokens)})
        client = Completions(endpoint, Options(concurrency=1))
        replies = client.ask([[{"role": "user", "content": question}] for question in "ab"])
    assert "bad key ***" in replies[1].problem and next(tokens, "") == ""
    assert "secret" not in repr(endpoint)


def test_a_body_that_is_cut_off_is_asked_for_again() -> None:
    cut = {"Content-Length": "5000"}
    replies, server = ask(lambda _, number: (200, cut, b'{"choi') if number == 0 else says("x"), "a", timeout=1)
    assert (replies[0].text, len(server.requests)) == ("x", 2)


def test_an_endpoint_that_is_too_slow_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completions, "TRIES", 1)
    over = threading.Event()
    with chat_server(lambda *_: (over.wait(20), says("x"))[1]) as server:
        client = Completions(Endpoint(server.url, "tiny"), Options(timeout=0.2))
        (reply,) = client.ask([[{"role": "user", "content": "a"}]])
        over.set()
    assert ("no answer within 0.2 s" in reply.problem, reply.is_outage) == (True, True)


def test_a_quota_is_waited_for_longer_than_other_faults() -> None:
    replies, server = ask(lambda _, number: (429, {"Retry-After": "0"}, {}) if number < 7 else says("x"), "a")
    assert (replies[0].text, len(server.requests)) == ("x", 8)


def test_the_model_that_answered_is_told() -> None:
    replies, _ = ask(lambda *_: (200, {}, {**says("x")[2], "model": "other"}), "a")
    assert replies[0].model == "other"


def test_free_text_asks_for_no_format() -> None:
    _, server = ask(lambda *_: says("x"), "a")
    assert formats(server) == ["prompt"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("plain", "plain"),
        ('```json\n{"a": 1}\n```', '{"a": 1}'),
        ([{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
    ],
)
def test_contents_are_read_as_servers_write_them(content: Any, text: str) -> None:
    assert read_reply({"choices": [{"message": {"content": content}}]}) == Reply(text)


@pytest.mark.parametrize("text", ["see\n```\ncode\n```", "```sql\nSELECT 1\n```\nor\n```sql\nSELECT 2\n```", "```"])
def test_a_fence_that_does_not_hold_all_of_a_text_stays(text: str) -> None:
    assert unfenced(text) == text


def test_a_text_that_no_schema_is_asked_for_keeps_its_fence() -> None:
    fenced = "```sql\nSELECT 1\n```"
    assert ask(lambda *_: says(fenced), "a")[0][0].text == fenced


def test_a_fence_that_never_ends_is_read_in_no_time() -> None:
    began = time.process_time()
    assert unfenced("```json\n" + "\n" * 100_000 + "x").endswith("x")
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        ("-1", 0.0),
        ("Sat, 21 Nov 2026 12:00:05 GMT", 5.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after(header, NOON) == seconds


def test_without_a_word_from_the_server_pauses_grow_up_to_a_minute() -> None:
    assert 0.5 <= pause(1, {}) <= 1.0
    assert 30 <= pause(20, {}) <= 60.0
    assert pause(1, {"Retry-After": "999"}) == 60.0


def test_a_quota_is_waited_for_as_long_as_it_asks_within_our_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(AdaptiveLimit, "refused", lambda _, began, seconds: waits.append(seconds))
    ask(lambda _, number: (429, {"Retry-After": "400"}, {}) if number < 2 else says("x"), "a")
    assert waits == [400.0, 200.0]
