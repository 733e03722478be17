from __future__ import annotations


class TemplateProblem(Exception):  # noqa: N818 - the name the API and the screens use
    """What is wrong with a template: words, the line (from 1) and the variable, where known."""

    def __init__(self, message: str, line: int | None = None, variable: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.variable = variable

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


class TemplateLimitError(TemplateProblem):
    """The template would take more time or room than a prompt may."""


class TemplateCostError(TemplateLimitError):
    """The template would compute for longer than a prompt may."""
