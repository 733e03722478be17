from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import TracebackType
from typing import Any

import numpy as np
from jinja2 import Template, meta, nodes
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError, UndefinedError

from templates_app import metering
from templates_app.problems import TemplateLimitError, TemplateProblem
from templates_app.sandbox import PromptEnvironment
from workbench.canonical import canonical_json
from workbench.near import listed, near_misses

MAX_TEMPLATE = 64_000
# Roughly: models count 85 to 1,600 for a picture, by its size and their own rules.
PICTURE_TOKENS = 1_000
# What a byte of UTF-8 counts, fitted to o200k: words are four letters a token, while digits and signs are nearly one each.
COUNTED_AS = "a byte of UTF-8 is 0.25 tokens, but a capital 0.4, a sign 0.6, a digit 0.7 and an emoji 1.75; and 4 for each message"
TWENTIETHS = 20
_ENVIRONMENT = PromptEnvironment()
_MISSING = re.compile(r"^'(?P<name>[^']+)' is undefined$|has no attribute '(?P<part>[^']+)'$")


def _weight(byte: int) -> int:
    """Return what a byte of UTF-8 counts, in twentieths of a token."""
    letter = chr(byte)
    if byte >= 0x80:
        return 20 if byte >= 0xF0 else 5  # the first of the four bytes of an emoji
    if letter.isdecimal():
        return 14
    if letter.isupper():
        return 8
    return 12 if letter.isprintable() and not letter.isalpha() and letter != " " else 5


_WEIGHTS = bytes(map(_weight, range(256)))


def render(template_text: str, row: Mapping[str, Any]) -> str:
    """The template's text for one row; its columns are the template's variables.

    Lists and objects print as canonical JSON. Raises TemplateProblem with line and variable for what cannot be
    rendered, TemplateLimitError when it would take more than 1.5 s of CPU or 200,000 characters.
    """
    template = compiled(template_text)
    metering.start()
    try:
        return _collected(template, row)
    except (TemplateError, TemplateProblem, *_FAILURES) as error:
        raise _problem(error, template, row) from error
    finally:
        metering.stop()


def variables(template_text: str) -> dict[str, list[int]]:
    """The columns a template asks for, each with its lines in order; `a.b[0].c` asks for `a`.

    Raises TemplateProblem if the template does not parse.
    """
    compiled(template_text)
    tree = _ENVIRONMENT.parse(template_text)
    wanted = meta.find_undeclared_variables(tree) - _ENVIRONMENT.globals.keys()
    lines: dict[str, set[int]] = {name: set() for name in sorted(wanted)}
    for node in tree.find_all(nodes.Name):
        if node.ctx == "load" and node.name in lines:
            lines[node.name].add(node.lineno)
    return {name: sorted(found) for name, found in lines.items()}


def render_messages(
    system_prompt: str | None,
    user_prompt_template: str,
    examples: Iterable[Mapping[str, Any]],
    row: Mapping[str, Any],
    *,
    user_example_template: str | None = None,
) -> list[dict[str, str]]:
    """The messages up to the question: system (if it renders to any text), each example as two turns, user.

    An example is `{"input": …, "output": …}`; an input object is rendered by `user_example_template` (default: the user
    template), an input text stands as it is. The output is canonical JSON, or the text itself.
    Errors are those of `render`.
    """
    messages = []
    if system_prompt and (system := render(system_prompt, row)).strip():
        messages.append({"role": "system", "content": system})
    for example in examples:
        shown = example["input"]
        asked = (
            render(user_example_template or user_prompt_template, shown) if isinstance(shown, Mapping) else str(shown)
        )
        messages.append({"role": "user", "content": asked})
        messages.append({"role": "assistant", "content": canonical_json(example["output"])})
    messages.append({"role": "user", "content": render(user_prompt_template, row)})
    return messages


def token_estimate(messages: Sequence[Mapping[str, Any]]) -> int:
    """Tokens of the messages by a rule of thumb, without a tokenizer, rather too many than too few.

    Of text, JSON and tables between nine tenths and half again of what OpenAI's o200k counts; runs of random letters, as
    base64, are up to twice as many. To the text come 4 for the frame of each message and 3 to open the answer, as chat formats
    add. A picture counts as PICTURE_TOKENS.
    """
    return 3 + sum(4 + text_tokens(message["content"]) for message in messages)


def text_tokens(content: str | Sequence[Mapping[str, Any]]) -> int:
    """Tokens of a message's content, text or parts, by the same rule."""
    if isinstance(content, str):
        return -(-int(np.frombuffer(content.encode().translate(_WEIGHTS), np.uint8).sum(dtype=np.int64)) // TWENTIETHS)
    return sum(text_tokens(part["text"]) if part["type"] == "text" else PICTURE_TOKENS for part in content)


@lru_cache(maxsize=256)
def compiled(template_text: str) -> Template:
    """The compiled template. TemplateProblem with the line for what does not parse."""
    if len(template_text) > MAX_TEMPLATE:
        raise TemplateLimitError(f"The template has {len(template_text):,} characters; allowed are {MAX_TEMPLATE:,}.")
    try:
        return _ENVIRONMENT.from_string(template_text)
    except TemplateSyntaxError as error:
        raise TemplateProblem(_syntax_words(error), error.lineno) from error
    except (RecursionError, MemoryError, SyntaxError) as error:
        raise TemplateLimitError("The template is nested too deeply. Split its expressions with {% set %}.") from error


_FAILURES = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, MemoryError)


def _collected(template: Template, row: Mapping[str, Any]) -> str:
    parts, length = [], 0
    for part in template.root_render_func(template.new_context(dict(row))):
        length += len(part)
        if length > metering.MAX_OUTPUT:
            raise TemplateLimitError(
                f"The prompt is longer than {metering.MAX_OUTPUT:,} characters. Cut long columns with | truncate(2000)."
            )
        parts.append(part)
    return "".join(parts)


def _problem(error: BaseException, template: Template, row: Mapping[str, Any]) -> TemplateProblem:
    line = _line(error.__traceback__, template)
    if isinstance(error, TemplateProblem):
        return type(error)(error.message, line, error.variable)
    if isinstance(error, RecursionError | MemoryError):
        return TemplateLimitError("The template calls itself too deeply. End the recursion earlier.", line)
    if isinstance(error, SecurityError):
        return TemplateProblem(f"{error} Allowed are columns, their fields and plain methods of text and times.", line)
    if isinstance(error, UndefinedError) and (hit := _MISSING.search(str(error))):
        return _missing(hit["name"], hit["part"], line, row)
    return TemplateProblem(f"{type(error).__name__}: {error}", line)


def _missing(name: str | None, part: str | None, line: int | None, row: Mapping[str, Any]) -> TemplateProblem:
    if name is None:
        return TemplateProblem(f"A value has no field '{part}'. Add | default('') if it may be missing.", line, part)
    words = f"The variable '{name}' is missing. The row has {listed(row)}.{near_misses(name, row)}"
    return TemplateProblem(words, line, name)


def _line(traceback: TracebackType | None, template: Template) -> int | None:
    """The template's line that was being rendered, from the innermost frame of its compiled code."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__jinja_template__") is template:
            line = template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line


def _syntax_words(error: TemplateSyntaxError) -> str:
    words = error.message or "The template does not parse."
    if hit := re.search(r"No (filter|test) named '([^']+)'", words):
        known = _ENVIRONMENT.filters if hit[1] == "filter" else _ENVIRONMENT.tests
        words += near_misses(hit[2], known) or f" Allowed: {listed((name for name in known if ' ' not in name), 60)}."
    return words
