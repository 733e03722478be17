"""The admin of training sheets, pairs, and what is kept about them."""

from __future__ import annotations

from training.admin import audit, conversations, findings, jobs, pairs, tracing, training_files, training_sheets

__all__ = ["audit", "conversations", "findings", "jobs", "pairs", "tracing", "training_files", "training_sheets"]
