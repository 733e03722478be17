"""Draws one invoice on one letter-size page and remembers the words it put there, top to bottom."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from invoices import CLINICS, Invoice
from reportlab.lib.colors import Color, HexColor, white  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import letter  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

WIDTH, HEIGHT = letter
LEFT, RIGHT = 54.0, WIDTH - 54.0
FOOTER = "SYNTHETIC SAMPLE - NOT A REAL PATIENT - INVENTED PROVIDER"
INKS = ("#1f4e79", "#5b2a6b", "#2e6b46", "#8a4b14", "#8b1e2d", "#2b4450")
BLACK, GREY = HexColor("#111111"), HexColor("#5d6670")


@dataclass
class Page:
    """A canvas that keeps what is written on it; y is measured in points from the top."""

    canvas: Canvas
    words: list[tuple[float, float, str]] = field(default_factory=list)

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 10,
        *,
        bold: bool = False,
        ink: Color = BLACK,
        end: bool = False,
    ) -> None:
        """Put words at a place; `end` says that x is where they end."""
        self.canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        self.canvas.setFillColor(ink)
        (self.canvas.drawRightString if end else self.canvas.drawString)(x, HEIGHT - y, text)
        self.words.append((y, x, text))

    def bar(self, x: float, y: float, w: float, h: float, ink: Color) -> None:
        self.canvas.setFillColor(ink)
        self.canvas.rect(x, HEIGHT - y - h, w, h, stroke=0, fill=1)

    def rule(self, y: float, ink: Color = GREY) -> None:
        self.canvas.setStrokeColor(ink)
        self.canvas.setLineWidth(0.6)
        self.canvas.line(LEFT, HEIGHT - y, RIGHT, HEIGHT - y)

    def text(self) -> str:
        """The words in reading order, one printed row a line."""
        rows: dict[float, list[tuple[float, str]]] = {}
        for y, x, text in self.words:
            rows.setdefault(y, []).append((x, text))
        return "\n".join(" ".join(text for _, text in sorted(rows[y])) for y in sorted(rows))


def draw(invoice: Invoice) -> tuple[bytes, str]:
    """The PDF of an invoice and the text on it. The same bytes for every run."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=letter, invariant=1, pageCompression=1)
    canvas.setTitle(f"{invoice.invoice_number} ({FOOTER})")
    page = Page(canvas)
    ink = HexColor(INKS[CLINICS.index(invoice.clinic)])
    _head(page, invoice, ink)
    _parties(page, invoice, ink)
    _totals(page, invoice, ink, _services(page, invoice, ink))
    page.rule(722)
    page.write(LEFT, 738, FOOTER, 9, bold=True, ink=HexColor("#b00020"))
    page.write(RIGHT, 738, "Page 1 of 1", 9, ink=GREY, end=True)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue(), page.text()


def _head(page: Page, invoice: Invoice, ink: Color) -> None:
    name, street, town = invoice.clinic
    filled = CLINICS.index(invoice.clinic) % 2 == 0
    if filled:
        page.bar(0, 0, WIDTH, 92, ink)
    else:
        page.bar(LEFT - 14, 30, 5, 60, ink)
    page.write(LEFT, 46, name, 18, bold=True, ink=white if filled else ink)
    page.write(LEFT, 64, f"{street}, {town}", 9, ink=white if filled else GREY)
    page.write(LEFT, 78, f"Phone {invoice.phone}   NPI {invoice.npi}", 9, ink=white if filled else GREY)
    page.write(RIGHT, 47, "INVOICE", 20, bold=True, ink=white if filled else ink, end=True)


def _parties(page: Page, invoice: Invoice, ink: Color) -> None:
    middle = 340.0
    page.write(LEFT, 126, "PATIENT", 9, bold=True, ink=ink)
    page.write(middle, 126, "INVOICE DETAILS", 9, bold=True, ink=ink)
    patient = (
        ("Patient Name:", invoice.patient),
        ("Date of Birth:", f"{invoice.born:%m/%d/%Y}"),
        ("Insurance ID:", invoice.insurance_id),
        ("Address:", invoice.address.split(", ", 1)[0]),
    )
    details = (
        ("Invoice Number:", invoice.invoice_number),
        ("Invoice Date:", f"{invoice.dated:%m/%d/%Y}"),
        ("Account Number:", invoice.account),
        ("Terms:", "Due in 30 days"),
    )
    for row, (mine, other) in enumerate(zip(patient, details, strict=True)):
        y = 144 + 16 * row
        page.write(LEFT, y, mine[0], ink=GREY)
        page.write(LEFT + 84, y, mine[1], bold=row == 0)
        page.write(middle, y, other[0], ink=GREY)
        page.write(middle + 92, y, other[1], bold=row == 0)


def _services(page: Page, invoice: Invoice, ink: Color) -> float:
    """Draw the table of services; returns the y below it."""
    y = 236.0
    page.bar(LEFT - 6, y - 14, RIGHT - LEFT + 12, 20, ink)
    heads = ((LEFT, "Code", False), (LEFT + 70, "Description", False), (380, "Units", True), (462, "Price", True))
    for x, head, end in (*heads, (RIGHT, "Amount", True)):
        page.write(x, y, head, 10, bold=True, ink=white, end=end)
    for line in invoice.lines:
        y += 24
        page.write(LEFT, y, line.code)
        page.write(LEFT + 70, y, line.words)
        page.write(380, y, str(line.units), end=True)
        page.write(462, y, f"{line.price:,.2f}", end=True)
        page.write(RIGHT, y, f"{line.amount:,.2f}", end=True)
        page.rule(y + 8, HexColor("#d4d8dd"))
    return y + 36


def _totals(page: Page, invoice: Invoice, ink: Color, y: float) -> None:
    page.write(380, y, "Subtotal", ink=GREY)
    page.write(RIGHT, y, f"${invoice.subtotal:,.2f}", end=True)
    if invoice.discount:
        y += 18
        page.write(380, y, "Plan adjustment", ink=GREY)
        page.write(RIGHT, y, f"-${invoice.discount:,.2f}", end=True)
    y += 26
    page.bar(368, y - 16, RIGHT - 362, 24, ink)
    page.write(380, y, "TOTAL DUE", 12, bold=True, ink=white)
    page.write(RIGHT, y, f"${invoice.total:,.2f}", 12, bold=True, ink=white, end=True)
    page.write(
        LEFT, y + 48, f"Please make payment to {invoice.clinic[0]} and quote {invoice.invoice_number}.", 9, ink=GREY
    )
    page.write(LEFT, y + 62, f"Questions about this invoice: {invoice.phone}, weekdays 9 to 5.", 9, ink=GREY)
