"""The doctor asks everything at once, waits for nobody too long, and says what to do."""

from __future__ import annotations

import json
from threading import Event

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils.module_loading import import_string

from workbench import doctor
from workbench.doctor import CHECKS, WRITING, Check, Finding, examine

HERE = "tests.workbench.test_doctor"
released = Event()


def well() -> Finding:
    return Finding("ok", "it is well")


def broken() -> Finding:
    raise OperationalError("nobody\nanswers")


def hangs() -> Finding:
    released.wait(30)
    return well()


def check(name: str, needs: str = "") -> Check:
    return Check(name, f"{HERE}.{name}", f"mend {name}", needs)


def test_one_that_hangs_costs_the_others_nothing() -> None:
    found = dict(examine([check("hangs"), check("well")], seconds=0.05))
    released.set()
    assert [finding.state for finding in found.values()] == ["FAIL", "ok"]
    assert found[check("hangs")] == Finding("FAIL", "no answer within 0.05 s", "mend hangs")


def test_an_error_is_a_finding_on_one_line() -> None:
    ((_, finding),) = examine([check("broken")])
    assert finding == Finding("FAIL", "nobody answers", "mend broken")


def test_what_needs_a_broken_thing_is_not_tried() -> None:
    (_, (_, finding)) = examine([check("broken"), Check("later", f"{HERE}.hangs", "", needs="broken")])
    assert finding == Finding("warn", "not checked, as it needs the broken", "mend the broken first")


def test_every_check_exists_and_comes_after_what_it_needs() -> None:
    names: list[str] = [""]
    for each in (*CHECKS, WRITING):
        assert callable(import_string(each.function)) and each.advice and each.needs in names
        names.append(each.name)


def test_all_ends_in_half_a_minute() -> None:
    assert doctor.SECONDS <= 22


def test_the_exit_code_tells_and_a_line_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("workbench.management.commands.doctor.CHECKS", (check("well"), check("broken")))
    with pytest.raises(SystemExit, match="1"):
        call_command("doctor")
    assert capsys.readouterr().out == "ok   well: it is well\nFAIL broken: nobody answers - mend broken\n"


def test_a_program_reads_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("workbench.management.commands.doctor.CHECKS", (check("well"),))
    call_command("doctor", "--json")
    assert json.loads(capsys.readouterr().out) == {"name": "well", "state": "ok", "found": "it is well", "advice": ""}
