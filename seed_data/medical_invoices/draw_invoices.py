"""Draws `invoices/*.pdf` and writes `invoices.csv`. Run: python seed_data/medical_invoices/draw_invoices.py

The same reportlab release gives the same bytes on every run.
"""

# ruff: noqa: S311 (seeded chance makes the same data each time; nothing here is secret)
from __future__ import annotations

import csv
import random
from pathlib import Path

from invoices import Invoice, invoices
from page import draw

HERE = Path(__file__).parent
VOLUME = "/Volumes/mirion_vital/raw/medical_invoices"
# what text recognition takes for what
MISREAD = {
    "O": "0",
    "0": "O",
    "l": "1",
    "1": "l",
    "S": "5",
    "5": "S",
    "B": "8",
    "8": "B",
    "m": "rn",
    "e": "c",
    ",": ".",
}


def recognised(text: str, invoice: Invoice) -> str:
    """The text as a parser read it: exact, or with about one letter in forty wrong for a noisy scan."""
    if not invoice.noisy:
        return text
    rng = random.Random(f"noise {invoice.number}")
    return "".join(MISREAD[letter] if letter in MISREAD and rng.random() < 0.07 else letter for letter in text)


def row_of(invoice: Invoice, text: str, size: int) -> dict[str, str]:
    """One row of `parsed_invoices`, every value as the text that goes into the CSV."""
    rng = random.Random(f"confidence {invoice.number}")
    sure = rng.uniform(0.71, 0.86) if invoice.noisy else rng.uniform(0.94, 0.995)
    return {
        "invoice_id": invoice.invoice_id,
        "pdf_path": f"{VOLUME}/{invoice.invoice_id}.pdf",
        "invoice_number": invoice.invoice_number,
        "invoice_date": invoice.dated.isoformat(),
        "total_amount": f"{invoice.total:.2f}",
        "account_number": invoice.account,
        "provider_name": invoice.clinic[0],
        "provider_npi": invoice.npi,
        "extracted_text": recognised(text, invoice),
        "page_count": "1",
        "parsing_confidence": f"{sure:.3f}",
        "file_size_bytes": str(size),
        "uploaded_at": invoice.uploaded_at.isoformat(timespec="microseconds"),
        "uploaded_by": "intake@mirion.com",
    }


def main(folder: Path = HERE) -> None:
    """Write every PDF and the table into `folder`, replacing what is there."""
    (folder / "invoices").mkdir(parents=True, exist_ok=True)
    rows = []
    for invoice in invoices():
        pdf, text = draw(invoice)
        (folder / "invoices" / f"{invoice.invoice_id}.pdf").write_bytes(pdf)
        rows.append(row_of(invoice, text, len(pdf)))
    with (folder / "invoices.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
