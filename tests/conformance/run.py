"""Runs Django's own test packages on the lakehouse backend: `make conformance`.

The tests come from Django's source distribution, which is fetched once into `var/` and checked against its digest.
Each package runs in a process of its own. The command fails when a test fails or unexpectedly succeeds beyond what
`features.py` lists, or when fewer than 95% of the collected tests pass or are skipped by a feature.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

VERSION = "5.2.19"
SHA256 = "ad03d8abc51dbff95ebf34b27123cf0c26a3b62db7ba0cd520783686362533d1"
PACKAGES = (
    "basic", "lookup", "ordering", "aggregation", "annotations", "bulk_create", "update", "delete", "dates",
    "datetimes", "get_or_create", "custom_pk",
)  # fmt: skip
LEAST = 0.95
ROOT = Path(__file__).parents[2]
CACHE = ROOT / "var" / "conformance"


@dataclass(frozen=True)
class Outcome:
    """What one package's run said."""

    package: str
    collected: int
    skipped: int
    failed: int
    unexpected: int

    @property
    def passed(self) -> int:
        return self.collected - self.skipped - self.failed - self.unexpected


def main(packages: list[str]) -> int:
    tests = source() / "tests"
    outcomes = [run(tests, package) for package in packages or PACKAGES]
    print(f"{'package':<16}{'collected':>10}{'passed':>8}{'skipped':>9}{'failed':>8}{'unexpected':>12}")
    for o in outcomes:
        print(f"{o.package:<16}{o.collected:>10}{o.passed:>8}{o.skipped:>9}{o.failed:>8}{o.unexpected:>12}")
    collected = sum(o.collected for o in outcomes)
    failed = sum(o.failed for o in outcomes)
    unexpected = sum(o.unexpected for o in outcomes)
    share = (collected - failed - unexpected) / max(collected, 1)
    print(f"{share:.1%} of {collected} tests pass or are skipped by a feature; at least {LEAST:.0%} must.")
    print(f"{collected - failed - unexpected} passed, {failed + unexpected} failed")
    return int(failed + unexpected > 0 or share < LEAST)


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


def run(tests: Path, package: str) -> Outcome:
    """Run one package and read its closing lines; a run without them counts as one failure."""
    command = [
        sys.executable,
        "runtests.py",
        "--settings",
        "tests.conformance.settings",
        "--parallel",
        "1",
        "--noinput",
    ]
    # The source tree stands first on the path, because the tests belong to exactly this version.
    path = os.pathsep.join((str(tests.parent), str(ROOT)))
    done = subprocess.run(
        [*command, package],
        cwd=tests,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    (CACHE / f"{package}.log").write_text(done.stdout + done.stderr)
    collected = re.search(r"^Ran (\d+) tests? in", done.stderr, re.MULTILINE)
    if collected is None:
        print(done.stdout[-2000:] + done.stderr[-4000:])
        return Outcome(package, 1, 0, 1, 0)

    def count(words: str) -> int:
        match = re.search(rf"\b{words}=(\d+)", done.stderr.rsplit("Ran ", 1)[1])
        return int(match[1]) if match else 0

    failed = count("failures") + count("errors")
    if failed:
        print("\n".join(re.findall(r"^(?:FAIL|ERROR): .*$", done.stderr, re.MULTILINE)))
    return Outcome(package, int(collected[1]), count("skipped"), failed, count("unexpected successes"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
