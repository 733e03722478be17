"""The screens of prompt templates: the list, the studio, and versions side by side."""

from __future__ import annotations

from templates_app.admin.templates import PromptTemplateAdmin

__all__ = ["PromptTemplateAdmin"]
