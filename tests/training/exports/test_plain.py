"""Lines that are written many at once are the very bytes that Python would write, or are left to it."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.chat import line_problems
from training.exports.formats import FORMATS
from training.exports.plain import plain_lines
from workbench.canonical import canonical_json

PLAIN = [name for name, each in FORMATS.items() if each.is_plain]
TEXTS = st.text() | st.text(' \t\n\r\\"/bfnrtu0{}[]:,éß\x00\x1b\x7f\x85\xa0\u2028\u3000\ufeff😀', max_size=12)
ROLES = st.sampled_from(["system", "user", "assistant", "tool", 'user","x":"', ""])
MESSAGES = st.builds(
    lambda roles, contents: [{"role": r, "content": c} for r, c in zip(roles, contents, strict=False)],
    st.sampled_from([["system", "user", "assistant"], ["user", "assistant"]]) | st.lists(ROLES, max_size=5),
    st.lists(TEXTS | st.none() | st.integers(-9, 9) | st.lists(st.text(), max_size=1), min_size=3, max_size=5),
)
# As other writers may have stored them: keys in another order, spaces, escapes by number, a key twice.
WRITERS = st.sampled_from(
    [
        canonical_json,
        json.dumps,
        lambda value: json.dumps(value, separators=(",", ":"), sort_keys=True),
        lambda value: orjson.dumps(value).decode(),
        lambda value: canonical_json(value).replace("}", ',"role":"user"}'),
        lambda value: canonical_json(value).replace("/", "\\/"),
        lambda value: canonical_json(value).replace("},{", "}{"),
        lambda value: canonical_json({"messages": value}),
        lambda value: canonical_json(value)[:-1],
    ]
)


def written(name: str, *stored: str) -> list[str | None]:
    return plain_lines(pa.chunked_array([pa.array(stored, pa.string())]), FORMATS[name].shape)[0].to_pylist()


@pytest.mark.parametrize("name", PLAIN)
@settings(deadline=None, max_examples=300)
@given(messages=MESSAGES, write=WRITERS)
def test_a_line_is_what_python_writes_of_messages_that_obey_the_chat_rules(
    name: str, messages: Any, write: Any
) -> None:
    stored = write(messages)
    (line,) = written(name, stored)
    if line is not None:
        parsed = orjson.loads(stored)
        assert not line_problems({"messages": parsed})
        assert line.encode() == orjson.dumps(FORMATS[name].shape(parsed, "")) + b"\n"
        # Nothing was lost in reading the stored text, like a key that stands twice.
        assert stored == canonical_json(parsed)


@pytest.mark.parametrize("name", PLAIN)
@settings(deadline=None)
@given(contents=st.lists(st.text("aé😀 \n\t\"\\/{}'", min_size=1).map(lambda text: f"x{text}"), min_size=3, max_size=3))
def test_ordinary_messages_are_all_written(name: str, contents: list[str]) -> None:
    messages = [{"role": r, "content": c} for r, c in zip(("system", "user", "assistant"), contents, strict=True)]
    stored = [canonical_json(messages), canonical_json(messages[1:]), canonical_json(messages)]
    assert None not in written(name, *stored)
