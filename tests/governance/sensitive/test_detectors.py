"""Each kind is found where its check is right, and is not where it is wrong."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn
from stdnum.iso7064 import mod_97_10

from governance.sensitive.detectors import is_npi
from governance.sensitive.scanning import masked, scan, scan_field

digits = st.text("0123456789", min_size=1, max_size=18)


def kinds(text: str) -> list[str]:
    return [found.kind for found in scan(text)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("paid with 4111 1111 1111 1111 today", "card"),
        ("paid with 4111-1111-1111-1111.", "card"),
        ("to DE89 3704 0044 0532 0130 00, please", "iban"),
        ("her number is 536-90-4399", "ssn"),
        ("billed by 1234567893", "npi"),
        ("Phone: 1960000809  NPI 1960000809", "npi"),
        ("write to ana.b+c@example.co.uk.", "email"),
        ("call +44 20 7946 0958 or", "phone"),
        ("Phone (555) 555-0175", "phone"),
        ("key AKIAIOSFODNN7EXAMPLE here", "key"),
        ("ghp_" + "a1B2c3D4e5F6" * 3, "key"),
        ("-----BEGIN RSA PRIVATE KEY-----", "key"),
        ("password = 'x9Kq2!mPz7Lw4T'", "secret"),
        ("Date of Birth: 07/24/1968", "birth_date"),
        ("Insurance ID: ZZ96807149 Account", "member_id"),
        ("Patient Name: Hartley Pennyfarthing Invoice Number: 1", "name"),
    ],
)
def test_it_is_found(text: str, kind: str) -> None:
    assert kinds(text) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "order 4111 1111 1111 1112 was sent",
        "IBAN like DE89 3704 0044 0532 0130 01",
        "000-12-3456 and 666-12-3456 are never given out",
        "serial 1960000809",
        "2026-01-09 and 10.5.0.1 and 353.70",
        "C0402_100nF at 12.5, 1234567890123456789012",
        "user@host is no address, nor @handle",
        "password: see the vault",
        "Patient: see above",
        "line 1200 1201 1202, resistors R1-R20",
        "",
    ],
)
def test_it_is_not_found(text: str) -> None:
    assert kinds(text) == []


@given(digits)
def test_a_card_counts_only_with_its_check_digit(start: str) -> None:
    number = ("4" + start + "0" * 15)[:15]
    right = number + luhn.calc_check_digit(number)
    assert "card" in kinds(f"card {right}") or len(set(right)) == 1
    wrong = right[:-1] + str((int(right[-1]) + 1) % 10)
    assert "card" not in kinds(f"card {wrong}")


@given(st.text("0123456789", min_size=18, max_size=18))
def test_an_iban_counts_only_with_its_check_digits(account: str) -> None:
    right = "DE" + mod_97_10.calc_check_digits(account + "DE") + account
    assert iban.is_valid(right, check_country=False) and "iban" in kinds(f"to {right} now")
    wrong = right[:-1] + str((int(right[-1]) + 1) % 10)
    assert "iban" not in kinds(f"to {wrong} now")


@given(st.integers(10**8, 3 * 10**8 - 1))
def test_an_npi_has_exactly_one_check_digit(start: int) -> None:
    assert sum(is_npi(f"{start}{last}") for last in range(10)) == 1


@given(st.text(max_size=300))
def test_any_text_is_scanned_and_spans_lie_in_it(text: str) -> None:
    found = scan(text)
    assert all(0 <= each.start < each.end <= len(text) for each in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


@given(st.text("abcXYZ0123456789-()+@. ", min_size=1, max_size=60))
def test_a_mask_shows_two_letters_at_most(value: str) -> None:
    shown = masked(value)
    assert sum(map(str.isalnum, shown)) <= 2 and len(shown) <= 40


def test_the_name_of_a_field_says_what_it_holds() -> None:
    (found,) = scan_field("provider_npi", "1960000809")
    assert (found.kind, found.start, found.end) == ("npi", 0, 10) and "check digit is not right" in found.why
    assert [each.kind for each in scan_field("lines[0].patient_name", "Hartley Pennyfarthing")] == ["name"]
    assert scan_field("board_id", "1960000809") == []
