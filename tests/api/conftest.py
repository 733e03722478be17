from __future__ import annotations

from tests.seeded import boards, invoices, seeded, seeded_directory

__all__ = ["boards", "invoices", "seeded", "seeded_directory"]
