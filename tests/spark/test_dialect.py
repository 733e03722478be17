"""Apache Spark reads every statement that the product sent in the recorded run: `make test-spark`."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.spark.exceptions import EXCEPTIONS, GRAMMAR, begins, explained
from tests.spark.recording import CORPUS

PYTHON = Path(__file__).parents[2] / ".venv-spark" / "bin" / "python"
RECORDED = sorted(CORPUS.glob("statements-*.json"))
VERBS = {"SELECT", "INSERT", "MERGE", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "SHOW", "OPTIMIZE", "VACUUM"}
WRONG = "SELECT COUNT(*) FROM `qa_pairs` WHERE `status` = 'labeled' GROUP `status`"
UNKNOWN = "SELECT FROBNICATE(`id`) FROM `qa_pairs`"
QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|`[^`]*`|--.*")
CALLED = re.compile(r"\b([A-Z][A-Z0-9_]+)\(")

pytestmark = pytest.mark.skipif(
    not (PYTHON.exists() and RECORDED), reason="`make test-spark` installs pyspark and records the statements"
)


class Opinion:
    """What Spark says of statements: the messages of those that it refuses, and the functions that it lacks."""

    def __init__(self, statements: list[str]) -> None:
        command = [PYTHON, Path(__file__).with_name("parse.py")]
        done = subprocess.run(command, input=json.dumps(statements), capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        answers = zip(statements, found["messages"], strict=True)
        self.refused = {text: message for text, message in answers if message is not None}
        called = {name: text for text in statements for name in CALLED.findall(QUOTED.sub("", text))}
        self.unknown = {
            n: text for n, text in called.items() if n.lower() not in found["functions"] and n not in GRAMMAR
        }


@pytest.fixture(scope="module")
def recorded() -> list[str]:
    return sorted({text for file in RECORDED for text in json.loads(file.read_text(encoding="utf-8"))})


@pytest.fixture(scope="module")
def opinion(recorded: list[str]) -> Opinion:
    return Opinion([*recorded, WRONG, UNKNOWN])


def test_the_recording_is_whole(recorded: list[str]) -> None:
    """Every verb, and enough of them: an empty recording would prove nothing."""
    first = [re.search(r"^\W*([A-Z]+)\b", QUOTED.sub("", text), re.IGNORECASE) for text in recorded]
    assert {found[1].upper() for found in first if found} >= VERBS
    assert len(recorded) > 500


def test_spark_reads_every_statement(opinion: Opinion) -> None:
    refused = {text: why for text, why in opinion.refused.items() if text != WRONG and not explained(text)}
    assert not refused, "\n\n".join(f"{text[:2000]}\n=> {why[:500]}" for text, why in refused.items())


def test_spark_has_every_function(opinion: Opinion) -> None:
    unknown = {name: text for name, text in opinion.unknown.items() if text != UNKNOWN}
    assert not unknown, "\n\n".join(f"{name} in {text[:1000]}" for name, text in unknown.items())


def test_every_exception_is_needed(opinion: Opinion) -> None:
    unneeded = [construct for construct in EXCEPTIONS if not any(begins(t, construct) for t in opinion.refused)]
    assert not unneeded, "Spark reads these now, or nothing sends them: take them out of exceptions.py"


def test_a_wrong_statement_is_refused(opinion: Opinion) -> None:
    assert "PARSE_SYNTAX_ERROR" in opinion.refused[WRONG] and not explained(WRONG)
    assert opinion.unknown["FROBNICATE"] == UNKNOWN
