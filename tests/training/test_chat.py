from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.chat import assistant_answer, chat_line, line_problems, validate_file, with_answer

# The first text drawn on a machine builds tables, which on a busy one looks like a slow test.
SLOW_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

S, U, A = ({"role": role, "content": f"from {role}"} for role in ("system", "user", "assistant"))


@pytest.mark.parametrize("messages", [[U, A], [S, U, A], [U, A, U, A], [S, U, A, U, A]])
def test_valid_lines(messages: list[dict[str, str]]) -> None:
    assert line_problems(chat_line(messages)) == []


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "messages: found an empty list"),
        ([U], "the last message is of user"),
        ([A], "expected user"),
        ([S, A], "expected user"),
        ([U, S, A], "system only comes first"),
        ([S, S, U, A], "system only comes first"),
        ([U, U, A], "expected assistant"),
        ([U, A, A], "expected user"),
        ([U, A, U], "the last message is of user"),
        ([U, {"role": "tool", "content": "x"}], "found 'tool'; allowed are system, user, assistant"),
        ([U, {"role": "assistant", "content": {"a": 1}}], "content: found an object; allowed is text"),
        ([U, {"role": "assistant", "content": None}], "content: found null"),
        ([U, {"role": "assistant", "content": " \n"}], "content: found empty text"),
        ([U, {"role": "assistant", "content": "x", "id": 1}], "found the keys 'content', 'id', 'role'"),
        ([U, {"role": "assistant"}], "found the keys 'role'"),
        ([U, "x"], "messages[1]: found text"),
    ],
)
def test_broken_messages_are_named(messages: Any, words: str) -> None:
    line = {"messages": messages}
    assert words in "; ".join(line_problems(line))
    assert line_problems(json.dumps(line).encode() + b"\n") == line_problems(line)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'\xef\xbb\xbf{"messages":[]}', "byte order mark"),
        (b'{"messages":[{"role":"user","content":"\xff"}]}', "not valid JSON in UTF-8"),
        (b"\n", "empty"),
        (b"{}\r\n", "CR LF"),
        (b"{}\n{}\n", "more than one line"),
        (b"[]", "found an empty list"),
        (b'{"messages":[],"id":1}', "'id', 'messages'"),
        (b'{"messages":[],"messages":[]}', "the key 'messages' stands twice"),
        (b'{"messages": [{"role":"user","role":"user","content":"x"}]}', "the key 'role' stands twice"),
    ],
)
def test_broken_lines_are_named(line: bytes, words: str) -> None:
    assert words in "; ".join(line_problems(line))


def test_a_line_is_role_then_content_and_nothing_else() -> None:
    line = chat_line([{"content": "é", "role": "user"}, A | {"id": "7"}])
    assert (
        line
        == '{"messages":[{"role":"user","content":"é"},{"role":"assistant","content":"from assistant"}]}\n'.encode()
    )


def test_a_file_is_judged_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(chat_line([U, A]) + chat_line([U]) + chat_line([S, U, A]).rstrip(b"\n"))
    report = validate_file(path)
    assert (report.lines, report.ok, report.problem_count) == (3, False, 2)
    assert [number for number, _ in report.problems] == [2, 3]
    path.write_bytes(chat_line([U]) * 500)
    assert (validate_file(path, most=3).problem_count, len(validate_file(path, most=3).problems)) == (500, 3)


def test_an_empty_file_is_not_valid(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").touch()
    assert validate_file(tmp_path / "out.jsonl").problems == [(0, "the file has no lines")]


def test_the_answer_is_read_and_replaced_in_a_copy() -> None:
    asked = [S, U]
    assert assistant_answer(asked) is None and assistant_answer([]) is None
    answered = with_answer(asked, "one")
    assert assistant_answer(with_answer(answered, "two")) == "two"
    assert asked == [S, U] and assistant_answer(answered) == "one" and len(with_answer(answered, "two")) == 3


texts = st.text(min_size=1).filter(str.strip)


@settings(SLOW_MACHINE)
@given(st.none() | texts, st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
def test_whatever_text_a_conversation_holds_its_line_is_valid_and_reads_back(
    system: str | None, turns: list[tuple[str, str]]
) -> None:
    messages = [{"role": "system", "content": system}] if system else []
    for asked, answered in turns:
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    line = chat_line(messages)
    assert line_problems(line) == [] and line.count(b"\n") == 1
    assert json.loads(line) == {"messages": messages}
