from __future__ import annotations

import hashlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sheets.items import FileStamp, content_hash, sample_key, sample_key_sql

# The first text drawn on a machine builds tables, which on a busy one looks like a slow test.
SLOW_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ROW = {"image_id": "pcb_001", "temp": 245.5}
FILE = FileStamp("pcb_001.jpg", 100, "e1")


def test_the_same_source_gives_the_same_hash_in_any_order() -> None:
    turned = dict(reversed(ROW.items()))
    other = FileStamp("b.pdf", 1)
    assert content_hash(ROW, [FILE, other]) == content_hash(turned, [other, FILE])


def test_a_changed_value_or_file_gives_another_hash() -> None:
    hashes = {
        content_hash(ROW),
        content_hash(ROW | {"temp": 245.6}),
        content_hash(ROW, [FILE]),
        content_hash(ROW, [FileStamp("pcb_001.jpg", 101, "e1")]),
        content_hash(ROW, [FileStamp("pcb_001.jpg", 100, "e2")]),
        content_hash(ROW, [FileStamp("pcb_002.jpg", 100, "e1")]),
        content_hash(ROW | {"temp": None}),
        content_hash(ROW | {"temp": float("nan")}),
    }
    assert len(hashes) == 8


def test_the_sample_key_is_what_sql_computes() -> None:
    assert sample_key("pcb_001", "s") == hashlib.sha256(b"spcb_001").hexdigest()
    assert sample_key_sql("`image_id`") == "sha2(concat(?, CAST(`image_id` AS STRING)), 256)"


@settings(SLOW_MACHINE)
@given(st.sets(st.text(min_size=1), min_size=3, max_size=40), st.text(max_size=5))
def test_a_bigger_sample_holds_the_smaller_one(refs: set[str], seed: str) -> None:
    ordered = sorted(refs, key=lambda ref: sample_key(ref, seed))
    ordered_again = sorted(sorted(refs), key=lambda ref: sample_key(ref, seed))
    assert ordered == ordered_again
    assert set(ordered[:2]) <= set(ordered[:3])
