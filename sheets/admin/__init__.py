"""The screens of sheets: define one, look at its items, browse the lakehouse."""

from __future__ import annotations

from sheets.admin.sheets import SheetAdmin

__all__ = ["SheetAdmin"]
