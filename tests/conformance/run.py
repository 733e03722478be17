"""Runs Django's own test packages on the lakehouse backend: `make conformance`.

The tests come from Django's source distribution, which is fetched once into `var/` and checked against its digest.
Each package runs in a process of its own: all of `TIER_1` on the local engine, and `ON_WAREHOUSE` through the
connector on a loopback warehouse as well. The command fails when a test fails or unexpectedly succeeds beyond what
`features.py` lists, when fewer than 97% of the collected tests pass or are skipped by a feature, or when `features.py`
names more than a hundred tests.
"""

from __future__ import annotations

import hashlib
import os
import re
import resource
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from workbench.lakehouse.features import DatabaseFeatures

VERSION = "5.2.19"
SHA256 = "ad03d8abc51dbff95ebf34b27123cf0c26a3b62db7ba0cd520783686362533d1"
ON_WAREHOUSE = (
    "basic", "lookup", "ordering", "aggregation", "annotations", "bulk_create", "update", "delete", "dates",
    "datetimes", "get_or_create", "custom_pk",
)  # fmt: skip
TIER_1 = (
    *ON_WAREHOUSE, "queries", "aggregation_regress", "expressions", "expressions_case", "expressions_window",
    "update_only_fields", "or_lookups", "null_queries", "many_to_one", "many_to_many", "one_to_one", "select_related",
    "prefetch_related", "defer", "force_insert_update", "from_db_value", "string_lookup", "reverse_lookup",
    "pagination", "get_earliest_or_latest", "m2m_through", "m2o_recursive", "m2m_recursive",
)  # fmt: skip
SETTINGS = {"local": "tests.conformance.settings", "databricks": "tests.conformance.warehouse_settings"}
LEAST, MOST_NAMED = 0.97, 100
PROCESSES = 2
ROOT = Path(__file__).parents[2]
CACHE = ROOT / "var" / "conformance"


@dataclass(frozen=True)
class Outcome:
    """What one package's run said; `named` were skipped by their names in `features.py`, `skipped` by a feature."""

    package: str
    collected: int
    skipped: int
    named: int
    failed: int

    @property
    def passed(self) -> int:
        return self.collected - self.skipped - self.named - self.failed


def main(packages: list[str]) -> int:
    started, tests = time.monotonic(), source() / "tests"
    wanted = {"local": TIER_1, "databricks": ON_WAREHOUSE}
    good = [part(tests, engine, packages or names) for engine, names in wanted.items()]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{time.monotonic() - started:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of CPU")
    named = sum(map(len, DatabaseFeatures.django_test_skips.values()))
    print(f"features.py names {named} tests as exceptions; at most {MOST_NAMED} may be.")
    return int(not all(good) or named > MOST_NAMED)


def part(tests: Path, engine: str, packages: Iterable[str]) -> bool:
    """Run the packages on one engine, print their table, and return whether that is good enough."""
    with ThreadPoolExecutor(PROCESSES) as pool:
        outcomes = list(pool.map(partial(run, tests, engine), packages))
    total = Outcome(
        "all", *(sum(getattr(o, what) for o in outcomes) for what in ("collected", "skipped", "named", "failed"))
    )
    print(f"\n{engine:<24}{'collected':>10}{'passed':>8}{'skipped':>9}{'named':>7}{'failed':>8}")
    for o in (*outcomes, total):
        print(f"{o.package:<24}{o.collected:>10}{o.passed:>8}{o.skipped:>9}{o.named:>7}{o.failed:>8}")
    share = (total.passed + total.skipped) / max(total.collected, 1)
    print(f"{share:.1%} of {total.collected} tests pass or are skipped by a feature; at least {LEAST:.0%} must.")
    print(f"{total.passed} passed, {total.failed} failed")
    return not total.failed and share >= LEAST


def source() -> Path:
    """Return the unpacked source distribution of Django, fetched on the first run."""
    folder = CACHE / f"django-{VERSION}"
    if folder.exists():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    fetch = ["download", "--quiet", "--no-binary", ":all:", "--no-deps", "--dest", str(CACHE), f"Django=={VERSION}"]
    subprocess.run([sys.executable, "-m", "pip", *fetch], check=True)
    archive = CACHE / f"django-{VERSION}.tar.gz"
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        archive.unlink()
        raise SystemExit(
            f"Django's source distribution has the digest {found}, not {SHA256}: it is not the one pinned."
        )
    with tarfile.open(archive) as tar:
        tar.extractall(CACHE / "unpacking", filter="data")
    (CACHE / "unpacking" / folder.name).replace(folder)
    return folder


def run(tests: Path, engine: str, package: str) -> Outcome:
    """Run one package and read what it printed; a run without closing lines counts as one failure."""
    options = ["--settings", SETTINGS[engine], "--parallel", "1", "--noinput", "--verbosity", "2"]
    # The source tree stands first on the path, because the tests belong to exactly this version.
    path = os.pathsep.join((str(tests.parent), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "runtests.py", *options, package],
        cwd=tests,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    (CACHE / f"{package}.{engine}.log").write_text(done.stdout + done.stderr)
    collected = re.search(r"^Ran (\d+) tests? in", done.stderr, re.MULTILINE)
    if collected is None:
        print(done.stdout[-2000:] + done.stderr[-4000:])
        return Outcome(package, 1, 0, 0, 1)
    closing = done.stderr.rsplit("Ran ", 1)[1]
    counts = {words: int(number) for words, number in re.findall(r"([a-z][a-z ]*)=(\d+)", closing)}
    for line in re.findall(r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS): .*$", done.stderr, re.MULTILINE):
        print(line)
    failed = sum(counts.get(words, 0) for words in ("failures", "errors", "unexpected successes"))
    reasons = re.findall(r"\.\.\. skipped (['\"])(.*)\1$", done.stderr, re.MULTILINE)
    named = sum(reason in DatabaseFeatures.django_test_skips for _, reason in reasons)
    return Outcome(package, int(collected[1]), counts.get("skipped", 0) - named, named, failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
