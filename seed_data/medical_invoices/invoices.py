"""The thirty invented invoices: who was treated where, for what, and what it cost. The same for every run."""

# ruff: noqa: S311 (seeded chance makes the same data each time; nothing here is secret)
from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

COUNT = 30

# (name, street, town): none of them exists; postal codes from 00001 up are not in use.
CLINICS = (
    ("Larkspur Hollow Family Clinic", "14 Larkspur Lane", "Fennimoor, ZZ 00014"),
    ("Northgate Imaginary Medical Center", "900 Northgate Way", "Quillport, ZZ 00021"),
    ("Bramblewick Pediatrics", "7 Hedgerow Court", "Bramblewick, ZZ 00033"),
    ("Saltmarsh Orthopedic Group", "210 Causeway Road", "Saltmarsh Point, ZZ 00045"),
    ("Harrowdale Heart Institute", "3 Rowan Square", "Harrowdale, ZZ 00052"),
    ("Tinkers Vale Behavioral Health", "58 Old Mill Street", "Tinkers Vale, ZZ 00067"),
)
FIRST = (
    "Adeline Bertram Corisande Dorian Elspeth Fenwick Griselda Hartley Isolde Jasper Keziah Lorcan Maribel Ned Ottoline"
)
LAST = (
    "Quillfeather Thistlewood Marrowby Pennyfarthing Oakhurst-Vane Wimbleton Featherstonhaugh "
    "Greengrass Copperfield-Ames Dunmorrow"
)
STREETS = ("Elder Street", "Foxglove Road", "Harbor Mews", "Juniper Close", "Mossy Bank")

# clinic → (procedure code, words, price) that it bills
_VISITS = [("99213", "Office visit, established patient", "128.00"), ("99214", "Office visit, extended", "186.50")]
_LAB = [("36415", "Blood draw", "18.00"), ("80053", "Metabolic panel", "64.25"), ("85025", "Blood count", "39.00")]
SERVICES: dict[str, list[tuple[str, str, str]]] = {
    CLINICS[0][0]: [*_VISITS, *_LAB, ("90686", "Influenza vaccine", "42.00"), ("87426", "Antigen test", "54.75")],
    CLINICS[1][0]: [*_VISITS, *_LAB, ("71046", "Chest X-ray, two views", "142.00"), ("93000", "ECG", "97.50")],
    CLINICS[2][0]: [("99392", "Well-child visit", "155.00"), ("90707", "MMR vaccine", "96.40"), _VISITS[0], _LAB[0]],
    CLINICS[3][0]: [_VISITS[1], ("73562", "Knee X-ray, three views", "118.00"), ("97110", "Exercise therapy", "72.30")],
    CLINICS[4][0]: [_VISITS[1], ("93000", "ECG", "97.50"), ("93306", "Echocardiogram", "612.00"), _LAB[1]],
    CLINICS[5][0]: [("90791", "Intake evaluation", "245.00"), ("90834", "Psychotherapy, 45 min", "148.00"), _LAB[0]],
}

REPEATED = ("97110", "36415", "73562")  # services that one visit may bill twice


@dataclass(frozen=True)
class Line:
    code: str
    words: str
    units: int
    price: Decimal

    @property
    def amount(self) -> Decimal:
        return self.price * self.units


@dataclass(frozen=True)
class Invoice:
    """One invoice; `noisy` ones come out of text recognition with mistakes."""

    number: int
    clinic: tuple[str, str, str]
    npi: str
    patient: str
    address: str
    born: date
    insurance_id: str
    account: str
    dated: date
    lines: tuple[Line, ...]
    discount: Decimal
    noisy: bool

    @property
    def invoice_id(self) -> str:
        return f"invoice_{self.number:03d}"

    @property
    def invoice_number(self) -> str:
        return f"INV-2026-{self.number:03d}"

    @property
    def subtotal(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal("0.00"))

    @property
    def total(self) -> Decimal:
        return self.subtotal - self.discount

    @property
    def phone(self) -> str:
        return f"(555) 555-01{10 + CLINICS.index(self.clinic) * 13 % 90:02d}"

    @property
    def uploaded_at(self) -> datetime:
        day = datetime(self.dated.year, self.dated.month, self.dated.day, 8, tzinfo=UTC)
        return day + timedelta(days=2, minutes=self.number * 37 % 480, seconds=self.number * 11 % 60)


def check_digit_holds(npi: str) -> bool:
    """Whether a provider id passes the Luhn check (prefix 80840) that every real one passes."""
    digits = [int(d) for d in "80840" + npi][::-1]
    doubled = [d if i % 2 == 0 else (2 * d if d < 5 else 2 * d - 9) for i, d in enumerate(digits)]
    return sum(doubled) % 10 == 0


def _false_npi(clinic: int) -> str:
    npi = f"19{clinic + 1}0000{clinic + 3}00"[:9]
    return next(npi + str(d) for d in range(9, -1, -1) if not check_digit_holds(npi + str(d)))


def _name(names: str, which: int) -> str:
    listed = names.split()
    return listed[which % len(listed)]


def invoice(number: int) -> Invoice:
    """Invoice `number`, from 1."""
    rng = random.Random(f"invoice {number}")
    which = (number * 5 + number // 6) % len(CLINICS)
    clinic = CLINICS[which]
    services = rng.sample(SERVICES[clinic[0]], rng.choice((1, 2, 2, 3)))
    lines = tuple(Line(c, w, rng.choice((1, 1, 2)) if c in REPEATED else 1, Decimal(p)) for c, w, p in sorted(services))
    billed = sum((line.amount for line in lines), Decimal(0))
    share = rng.choice((Decimal("0"), Decimal("0.10"), Decimal("0.25")))
    oldest = 3 if clinic[0] == CLINICS[2][0] else 70
    return Invoice(
        number,
        clinic,
        _false_npi(which),
        f"{_name(FIRST, number * 7)} {_name(LAST, number * 3 + number // 10)}",
        f"{rng.randrange(2, 180)} {rng.choice(STREETS)}, {clinic[2]}",
        date(2025, 6, 1) - timedelta(days=rng.randrange(200, oldest * 365)),
        f"ZZ{rng.randrange(10_000_000, 99_999_999)}",
        f"ACC-{rng.randrange(10_000, 99_999)}",
        date(2026, 1, 5) + timedelta(days=number * 4 % 26),
        lines,
        (billed * share).quantize(Decimal("0.01")),
        number % 5 == 4,
    )


def invoices() -> list[Invoice]:
    """All thirty invoices."""
    return [invoice(number) for number in range(1, COUNT + 1)]
