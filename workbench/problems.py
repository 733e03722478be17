"""What can go wrong in an action: raised once, shown alike by the API, the admin and the commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self


class Problem(Exception):  # noqa: N818 - the word that API, admin and commands show
    """A refusal in words for the user: what was found, what is allowed, what to do; `fields` names the inputs at fault.

    `code` and `status` are those of the API's answer, `details` what a program needs to go on. Commands show
    `str(problem)`.
    """

    code = "problem"
    status = 400

    def __init__(self, message: str, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = {name: list(messages) for name, messages in (fields or {}).items()}
        self.details: Mapping[str, Any] = {}

    @classmethod
    def of_fields(cls, opening: str, fields: Mapping[str, Sequence[str]]) -> Self:
        """Return the problem whose message is `opening` followed by the messages of every field."""
        return cls(f"{opening} {in_words(fields)}", fields)


class Invalid(Problem):
    """The input cannot be used; nothing was changed."""

    code = "invalid"
    status = 400


class Forbidden(Problem):
    """The actor may not do this."""

    code = "forbidden"
    status = 403


class NotFound(Problem):
    """There is no such thing."""

    code = "not_found"
    status = 404


class Conflict(Problem):
    """The input is fine, but what exists already stands against it."""

    code = "conflict"
    status = 409


class Unavailable(Problem):
    """What is needed for it does not answer now; trying again later may help."""

    code = "unavailable"
    status = 503


def in_words(fields: Mapping[str, Sequence[str]]) -> str:
    """Return the messages of all fields in one line, each after its field's name."""
    return one_line(f"{name}: {one_line(messages)}" for name, messages in fields.items())


def one_line(messages: Iterable[str]) -> str:
    """Return messages as one, with a semicolon behind each that does not end like a sentence or a heading."""
    line = ""
    for message in messages:
        line += message if not line else f" {message}" if line[-1] in ".:?!" else f"; {message}"
    return line
