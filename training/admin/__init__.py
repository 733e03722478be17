"""The admin of training sheets, pairs, and what is kept about them."""

from __future__ import annotations

from training.admin import audit, jobs, pairs, training_sheets

__all__ = ["audit", "jobs", "pairs", "training_sheets"]
