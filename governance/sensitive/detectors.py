"""What each kind of sensitive data looks like, and how a candidate is checked. A further detector is a further entry.

A number that has a check digit counts only where that is right, or where the text says in words what it is.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import phonenumbers
from stdnum import iban, luhn
from stdnum.us import ssn

# Kept with each finding; a higher one looks at what an earlier one looked at again.
VERSION = "1"
Match = re.Match[str]


@dataclass(frozen=True)
class Found:
    """One finding: its kind, where it stands in the text, and what makes it one."""

    kind: str
    start: int
    end: int
    why: str


Check = Callable[[Match], str]


@dataclass(frozen=True)
class Pattern:
    """A candidate's pattern, and the check that says why it is a finding, "" where it is none.

    What is found is the group `it` where the pattern has one. A text without the `hint`, or without any of the `words` in
    small letters, has no match, which is cheap to ask.
    """

    kind: str
    pattern: re.Pattern[str]
    check: Check
    hint: re.Pattern[str] | None = None
    words: tuple[str, ...] = ()

    def find(self, text: str, lowered: str) -> Iterator[Found]:
        if (self.hint and not self.hint.search(text)) or (
            self.words and not any(map(lowered.__contains__, self.words))
        ):
            return
        for match in self.pattern.finditer(text):
            if why := self.check(match):
                group = "it" if "it" in self.pattern.groupindex else 0
                yield Found(self.kind, match.start(group), match.end(group), why)


def is_npi(number: str) -> bool:
    """Return whether ten digits are a National Provider Identifier: Luhn over 80840 and the number (CMS, 45 CFR 162)."""
    return len(number) == 10 and number[0] in "12" and luhn.is_valid("80840" + number)


def entropy(text: str) -> float:
    """Return the bits a character that the text carries (Shannon): words of a language are below 4, random keys above."""
    counted = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counted.values())


def _digits(match: Match) -> str:
    return re.sub(r"\D", "", match[0])


def _card(match: Match) -> str:
    number = _digits(match)
    # Brands begin with 2 to 6; a row of one digit is filling.
    is_card = 13 <= len(number) <= 19 and number[0] in "23456" and len(set(number)) > 1 and luhn.is_valid(number)
    return "card number, check digit is right" if is_card else ""


def _iban(match: Match) -> str:
    return "IBAN, check digits are right" if iban.is_valid(match[0], check_country=False) else ""


def _ssn(match: Match) -> str:
    # The library knows the areas, groups and examples that were never given out.
    return "social security number, by its form" if ssn.is_valid(match["it"]) else ""


def _npi(match: Match) -> str:
    right = is_npi(match["it"])
    if match["said"]:
        return "said to be an NPI" + ("" if right else ", though its check digit is not right")
    return "NPI, check digit is right" if right else ""


def _phone(match: Match) -> str:
    try:
        number = phonenumbers.parse(match[0], None if match[0].startswith("+") else "US")
    except phonenumbers.NumberParseException:
        return ""
    if phonenumbers.is_valid_number(number):
        return "phone number of a plan that is in use"
    is_written_as_one = "(" in match[0] or match[0].startswith("+")
    return "phone number, by its form" if is_written_as_one and phonenumbers.is_possible_number(number) else ""


def _said(what: str) -> Check:
    return lambda match: f"said to be {what}"


def _key(match: Match) -> str:
    return "key, by its first letters"


def _secret(match: Match) -> str:
    value = match["it"]
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return "said to be a secret, and looks random" if mixed and entropy(value) > 3.5 else ""


def _of(kind: str, pattern: str, check: Check, hint: str = "", words: str = "") -> Pattern:
    return Pattern(kind, re.compile(pattern), check, re.compile(hint) if hint else None, tuple(words.split()))


# Prefixes as their makers publish them: AWS, GitHub, GitLab, Slack, Google, Stripe, OpenAI, Anthropic, Databricks, npm, PyPI.
KEYS = (
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{40,}|\bglpat-[\w-]{20,}|\bxox[abprs]-[\w-]{10,}"
    r"|\bAIza[\w-]{35}|\b[sr]k_live_[A-Za-z0-9]{16,}|\bsk-(?:ant-|proj-)?[\w-]{20,}|\bdapi[0-9a-f]{32}\b|\bnpm_[A-Za-z0-9]{36}"
    r"|\bpypi-[\w-]{50,}|-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"
)
NAME = r"[A-Z][\w'\u2019-]+(?:[ \t]+(?:[A-Z]\.?|[A-Z][\w'\u2019-]+)){1,3}?"
PATTERNS = (
    # Not the rest of an IBAN, whose groups of four may pass for a card's.
    _of("card", r"(?<![\w.-])(?<![A-Z]{2}\d\d )(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|3[47]\d\d[ -]\d{6}[ -]\d{5})(?![\w-]|\.\d|[ ]\d)", _card, r"\d{4}[ -]?\d{4}"),
    _of("iban", r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b", _iban),
    _of("ssn", r"(?<![\w-])(?P<it>\d{3}-\d{2}-\d{4})(?![\w-])", _ssn, r"\d{3}-\d{2}-\d{4}"),
    _of("npi", r"(?P<said>\b(?i:npi)(?i: number| no\.?)?[:# ]+)?(?<![\w.-])(?P<it>[12]\d{9})(?![\w-]|\.\d)", _npi, r"\d{10}"),
    _of("email", r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}\b", lambda _: "e-mail address", words="@"),
    _of("phone", r"(?<![\w.)-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ ]?|\d{2,4}[ .-])\d{2,4}(?:[ .-]\d{2,4}){1,3}(?![\w-]|\.\d)", _phone, r"\d{2,4}[ .-]\d"),
    _of("key", KEYS, _key, words="akia asia ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- xox aiza k_live_ sk- dapi npm_ pypi- -----begin eyj"),
    _of("secret", r"(?i)\b(?:password|passwd|secret|api[_ -]?key|access[_ -]?token|auth[_ -]?token)\b[\"']?\s*[:=]\s*[\"']?(?P<it>[^\s\"',;]{12,200})", _secret, words="passw secret api token"),
    _of("birth_date", r"(?i)\b(?:date of birth|birth ?date|dob)[:# ]+(?P<it>\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4})", _said("a date of birth"), words="birth dob"),
    _of("member_id", r"(?i)\b(?:insurance|member|policy|subscriber|medical record|mrn)(?: id| no\.?| number)?[:# ]+(?P<it>(?=[A-Z0-9-]*\d{4})[A-Z0-9-]{6,20})\b", _said("the number of an insured or a patient"), words="insurance member policy subscriber medical mrn"),
    _of("name", rf"\b(?i:patient|member|subscriber|insured|guarantor|customer|client)(?i: name)?[ \t]*:[ \t]*(?P<it>{NAME})(?=[ \t]+(?:[A-Z][a-z]+ )?[A-Z][a-z]+:|[ \t]+[A-Z][a-z]+ (?:Number|Date|Id|ID)\b|[ \t]*[,;\n]|[ \t]*$)", _said("a person's name"), words="patient member subscriber insured guarantor customer client"),
)  # fmt: skip
Detector = Callable[[str], Iterator[Found]]


def _by_patterns(text: str) -> Iterator[Found]:
    lowered = text.lower()
    for pattern in PATTERNS:
        yield from pattern.find(text, lowered)


# Name to what finds. All that are here look at every text; WORKBENCH_PRESIDIO adds `governance.sensitive.presidio`.
DETECTORS: dict[str, Detector] = {"patterns": _by_patterns}
KINDS: dict[str, str] = {
    "card": "payment card", "iban": "IBAN", "ssn": "social security number", "npi": "provider number (NPI)",
    "email": "e-mail address", "phone": "phone number", "key": "key", "secret": "secret", "birth_date": "date of birth",
    "member_id": "insurance or patient number", "name": "person's name", "person": "person", "location": "location",
    "group": "nationality, religion or politics", "ip_address": "IP address",
}  # fmt: skip
CHOICES = list(KINDS.items())
# Of two that overlap the earlier one here stays.
STRONGEST = tuple(KINDS)
