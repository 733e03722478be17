"""Finding sensitive data in invented text, MB/s, beside one plain regular expression over the same text.

`python -m benchmarks.findings [--megabytes 5]`
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from random import Random

from governance.sensitive.scanning import scan

WORDS = [
    "the",
    "board",
    "was",
    "inspected",
    "at",
    "line",
    "three",
    "and",
    "no",
    "bridge",
    "between",
    "pads",
    "R12",
    "and",
    "C4",
    "is",
    "seen",
    "in",
    "picture",
    "0421",
    "of",
    "24",
]
SENSITIVE = (
    "NPI 1234567893", "card 4111 1111 1111 1111", "mail ana@example.org", "Phone (212) 555-0175", "IBAN DE89370400440532013000",
)  # fmt: skip
PLAIN = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
DOCUMENT = 2_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.findings", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=5)
    documents = invented(parser.parse_args().megabytes * 1_000_000 // DOCUMENT)
    ours, found = measured(documents, lambda text: len(scan(text)))
    plain, _ = measured(documents, lambda text: len(PLAIN.findall(text)))
    print(
        f"all detectors: {ours:.1f} MB/s, {found:,} found; one pattern of e-mail: {plain:.1f} MB/s; {plain / ours:.1f}×"
    )


def invented(count: int) -> list[str]:
    """Return documents of about 2,000 letters, one in five with one sensitive value."""
    random = Random(5)
    made = []
    for number in range(count):
        words = random.choices(WORDS, k=DOCUMENT // 5)
        if number % 5 == 0:
            words[random.randrange(len(words))] = random.choice(SENSITIVE)
        made.append(" ".join(words))
    return made


def measured(documents: list[str], look: Callable[[str], int]) -> tuple[float, int]:
    """Return MB a second of this process's own time, and how many were found."""
    began = time.process_time()
    found = sum(map(look, documents))
    return sum(map(len, documents)) / (time.process_time() - began) / 1e6, found


if __name__ == "__main__":
    main()
