"""Tests that say nothing about a warehouse, each under its reason; `make test-databricks` skips them."""

from __future__ import annotations

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "it is about the local engine's own directory and processes": (
        "tests/lakehouse/local/",
        "tests/lakehouse/test_processes.py::test_a_process_forked_too_late_is_told_so",
        "tests/lakehouse/test_settings.py::test_an_unwritable_directory_is_told_in_one_line",
    ),
    "it is about volumes that are directories; tests/databricks/test_volumes.py is about the others": (
        "tests/sheets/test_volumes.py",
    ),
    "it is about files that are within reach": ("tests/governance/test_audit.py::test_any_byte",),
    "a warehouse has its staging volume": ("tests/sheets/test_health.py::test_a_lakehouse_without_volumes_is_well",),
    "its processes have a site of their own, on the local engine": (
        "tests/training/jobs/test_killed.py",
        "tests/training/jobs/test_workers.py",
        "tests/training/jobs/test_stopped.py",
        "tests/training/review/test_crowd.py",
        "tests/governance/test_audit.py::test_processes_that_append_at_once_make_one_chain",
    ),
    "its processes have a warehouse of their own, in every `pytest`": ("tests/databricks/test_job_runs.py",),
}


def reason(test: str) -> str:
    """Return why the test is skipped, or an empty text."""
    return next((why for why, names in ELSEWHERE.items() if test.startswith(names)), "")
