"""A prompt template: how an item becomes a question, and what shape the answer has."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from workbench.concepts import Concept
from workbench.lakehouse.fields import ChoiceField


class PromptTemplate(Concept):
    """One version of a template; a published version never changes."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        ARCHIVED = "archived"

    name = models.CharField(max_length=255)
    version = models.CharField(max_length=32, default="1.0.0", help_text="Semantic version, such as 1.0.0.")
    description = models.TextField(blank=True, default="")
    status = ChoiceField(max_length=9, choices=Status.choices, default=Status.DRAFT, editable=False)
    label_type = models.CharField(max_length=64, help_text="The task: classification, entity_extraction, …")
    system_prompt = models.TextField(blank=True, default="")
    user_prompt_template = models.TextField(help_text="Jinja2 over the item's columns, such as {{ image_id }}.")
    input_schema = models.JSONField(
        default=list, blank=True, help_text='[{"name", "type", "description"?, "required"?}]'
    )
    output_schema = models.JSONField(
        default=dict, blank=True, help_text="JSON Schema of the answer, or a list of fields."
    )
    base_model = models.CharField(max_length=255, blank=True, default="")
    temperature = models.FloatField(default=0.0)
    max_tokens = models.IntegerField(default=1024)
    examples = models.JSONField(default=list, blank=True, help_text='Few-shot examples: [{"input": {…}, "output": …}]')
    guidelines = models.TextField(blank=True, default="", help_text="What reviewers should look at.")
    source_catalog = models.CharField(max_length=255, blank=True, default="")
    source_schema = models.CharField(max_length=255, blank=True, default="")
    source_table = models.CharField(max_length=255, blank=True, default="")
    source_volume = models.CharField(max_length=255, blank=True, default="")
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "templates"
        db_table_comment = "Prompt templates, one row a version"
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="templates_name_version")]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def is_draft(self) -> bool:
        return self.status == self.Status.DRAFT
