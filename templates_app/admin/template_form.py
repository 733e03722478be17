from __future__ import annotations

from templates_app.actions import FIELDS
from templates_app.models import PromptTemplate
from workbench.admin_base import VerbForm
from workbench.admin_fields import CodeWidget


class TemplateForm(VerbForm):
    """All fields of a template that people write."""

    class Meta:
        model = PromptTemplate
        fields = FIELDS
        widgets = {
            "system_prompt": CodeWidget(attrs={"rows": 4}),
            "user_prompt_template": CodeWidget(attrs={"rows": 10}),
        }
