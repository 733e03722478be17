"""Keeps what the loopback warehouse ran: `pytest -p tests.spark.recording` with the Databricks engine.

Statements that differ only in literals and white space are kept once; those that the warehouse refused, not at all: tests
send wrong ones on purpose.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[2] / "var" / "spark"
LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\b\d[\d.]*\b|\s+")


def shape(sql: str) -> str:
    """Return what statements share that differ in literals and white space only."""
    return LITERAL.sub(lambda found: " " if found[0].isspace() else "?", sql).strip()


class Recorder:
    """Listens to every loopback warehouse of this process."""

    def __init__(self) -> None:
        from tests.databricks.loopback import Loopback  # loads the connector

        self.statements: dict[str, str] = {}
        self.execute = Loopback.ExecuteStatement
        Loopback.ExecuteStatement = self._listening()  # type: ignore[method-assign]

    def _listening(self) -> Any:
        def execute(warehouse: Any, request: Any) -> Any:
            answer = self.execute(warehouse, request)
            failed = answer.directResults is None or answer.directResults.operationStatus.errorMessage
            if not failed:
                self.statements.setdefault(shape(request.statement), request.statement)
            return answer

        return execute

    def pytest_sessionfinish(self) -> None:
        CORPUS.mkdir(parents=True, exist_ok=True)
        file = CORPUS / f"statements-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}.json"
        file.write_text(json.dumps(list(self.statements.values()), indent=1), encoding="utf-8")


def pytest_configure(config: Any) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        for old in CORPUS.glob("statements-*.json"):
            old.unlink()
    config.pluginmanager.register(Recorder())
