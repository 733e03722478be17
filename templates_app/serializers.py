"""How templates, their test and their preflight look in the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sheets.models import Sheet
from templates_app.models import PromptTemplate
from workbench.api.serializers import SheetKeyField

FIELD = {
    "type": "object",
    "required": ["name", "type"],
    "properties": {
        "name": {"type": "string"},
        "type": {"type": "string"},
        "description": {"type": "string"},
        "required": {"type": "boolean"},
        "enum": {"type": "array", "items": {}},
        "items": {},
    },
}
EXAMPLE = {"type": "object", "required": ["input", "output"], "properties": {"input": {}, "output": {}}}


@extend_schema_field({"type": "array", "items": FIELD})
class InputSchemaField(serializers.JSONField):
    """The columns that the prompts use."""


@extend_schema_field({"oneOf": [{"type": "object"}, {"type": "array", "items": FIELD}]})
class OutputSchemaField(serializers.JSONField):
    """The shape of an answer: JSON Schema, or a list of fields."""


@extend_schema_field({"type": "array", "items": EXAMPLE})
class ExamplesField(serializers.JSONField):
    """Few-shot examples."""


class TemplateSerializer(serializers.ModelSerializer[PromptTemplate]):
    """One version of a template; the action that saves it says what is wrong with it."""

    # A draft may still lack its question.
    user_prompt_template = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, help_text="Jinja2 over the item's columns."
    )
    system_prompt = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    input_schema = InputSchemaField(required=False)
    output_schema = OutputSchemaField(required=False)
    examples = ExamplesField(required=False)

    class Meta:
        model = PromptTemplate
        fields = (
            "id",
            "name",
            "version",
            "description",
            "status",
            "label_type",
            "system_prompt",
            "user_prompt_template",
            "input_schema",
            "output_schema",
            "base_model",
            "temperature",
            "max_tokens",
            "examples",
            "guidelines",
            "source_catalog",
            "source_schema",
            "source_table",
            "source_volume",
            "created_by",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("id", "status", "created_by", "created_at", "updated_at")
        # Without the framework's own check of uniqueness: the action answers a taken version with 409.
        validators = ()


class TemplateTestSerializer(serializers.Serializer[Any]):
    sheet_id: Any = SheetKeyField(queryset=Sheet.objects.all())
    limit = serializers.IntegerField(min_value=1, max_value=20, default=5, help_text="Rows to render.")


class SheetQuerySerializer(serializers.Serializer[Any]):
    sheet: Any = SheetKeyField(queryset=Sheet.objects.all(), help_text="Id of the sheet.")


class MessageSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    content = serializers.CharField()


class MissingSerializer(serializers.Serializer[Any]):
    prompt = serializers.CharField(help_text="The field of the template.")
    variable = serializers.CharField()
    lines = serializers.ListField(child=serializers.IntegerField())


class PromptProblemSerializer(serializers.Serializer[Any]):
    prompt = serializers.CharField(help_text="The field of the template.")
    message = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    variable = serializers.CharField(allow_null=True)


class PreviewItemSerializer(serializers.Serializer[Any]):
    item_ref = serializers.CharField()
    messages = MessageSerializer(many=True, help_text="Empty where there are problems.")
    problems = PromptProblemSerializer(many=True)
    tokens = serializers.IntegerField(help_text="Estimate for the messages.")


class PreviewSerializer(serializers.Serializer[Any]):
    faults = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), help_text="By field: what keeps it from publishing."
    )
    missing = MissingSerializer(many=True, help_text="Variables that the sheet has no column for.")
    items = PreviewItemSerializer(many=True)


class PreflightQuerySerializer(SheetQuerySerializer):
    limit = serializers.IntegerField(
        required=False,
        default=None,
        min_value=1,
        help_text="Of a generation with the same limit: only the first items.",
    )


class PreflightSerializer(serializers.Serializer[Any]):
    items = serializers.IntegerField()
    pre_approved = serializers.IntegerField(help_text="Items with a canonical label that fits the output schema.")
    incompatible_labels = serializers.IntegerField(help_text="Items whose label does not fit, which experts look at.")
    to_draft = serializers.IntegerField(help_text="Items that the model answers.")
    sampled = serializers.IntegerField()
    sampled_with_problems = serializers.IntegerField(help_text="Sampled items whose prompt cannot be filled.")
    tokens = serializers.IntegerField(help_text="Estimate for the prompts to draft and their files, from the sample.")
    completion_tokens = serializers.IntegerField(help_text="Estimate for the answers: as long as labels or examples.")
    model = serializers.CharField()
    cost = serializers.FloatField(allow_null=True, help_text="US dollars; null where the price is not known.")
    minutes = serializers.FloatField(allow_null=True, help_text="Null where nothing tells how fast the model is.")
    based_on = serializers.CharField(help_text="What the minutes come from.")
