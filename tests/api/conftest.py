from __future__ import annotations

from tests.seeded import boards, invoices, seeded

__all__ = ["boards", "invoices", "seeded"]
