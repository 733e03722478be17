from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from governance.serializers import UsesField
from training.actions.training_files import MOST
from training.files.building import SHAPES
from training.files.naming import NAME
from training.files.quality import percentage
from training.models import Conversation, TrainingFile
from workbench.api.serializers import BoundedListField, ConceptSerializer, OptionsSerializer
from workbench.concepts import Classification


class ConversationSerializer(ConceptSerializer[Conversation]):
    training_sheet_id = serializers.CharField(allow_null=True)

    class Meta:
        model = Conversation
        exclude = ["training_sheet"]


class ImportSerializer(OptionsSerializer):
    """Enriched conversations as JSON, or paths of files in volumes that hold them; and what they may be used for.

    A list of conversations, one conversation and a full training file are taken as well, as they are in files.
    """

    ONE = frozenset({"conversation_metadata", "training_pairs", "enrichment_status"})
    OF_A_FILE = frozenset({"training_file_metadata", "consultant_profile"})

    conversations = BoundedListField(child=serializers.DictField(), required=False, default=list)
    paths = BoundedListField(child=serializers.CharField(), required=False, default=list)
    batch_id = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    prohibited_uses = UsesField(required=False, default=list)
    usage_reason = serializers.CharField(required=False, allow_blank=True, default="")
    data_classification = serializers.ChoiceField(Classification.choices, default=Classification.INTERNAL)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, list):
            data = {"conversations": data}
        elif isinstance(data, Mapping) and "conversation_metadata" in data:
            # What is no part of a conversation may be a limit, or a misspelled one.
            one = {name: value for name, value in data.items() if name in self.ONE}
            data = {name: value for name, value in data.items() if name not in self.ONE} | {"conversations": [one]}
        elif isinstance(data, Mapping) and "conversations" in data:
            data = {name: value for name, value in data.items() if name not in self.OF_A_FILE}
        return super().to_internal_value(data)

    def validate(self, given: Any) -> Any:
        if bool(given["conversations"]) == bool(given["paths"]):
            raise serializers.ValidationError("Give either `conversations` or `paths`.")
        return given


class ImportedConversationsSerializer(serializers.Serializer[Any]):
    batch_id = serializers.CharField()
    conversation_ids = serializers.ListField(child=serializers.CharField())


class ScaffoldingSerializer(OptionsSerializer):
    """Persona, arc and topic; a name that is left out is its key in words."""

    persona_key = serializers.CharField(max_length=128, required=False)
    persona_name = serializers.CharField(max_length=255, required=False)
    emotional_arc_key = serializers.CharField(max_length=128, required=False)
    emotional_arc = serializers.CharField(max_length=255, required=False)
    training_topic_key = serializers.CharField(max_length=128, required=False)
    training_topic = serializers.CharField(max_length=255, required=False)


class FromSheetSerializer(OptionsSerializer):
    """An approved training sheet, and what its conversations shall have instead of their own scaffolding."""

    training_sheet = serializers.CharField()
    scaffolding = ScaffoldingSerializer(required=False, default=dict)


class ExcludedSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    count = serializers.IntegerField()


class FromSheetMadeSerializer(serializers.Serializer[Any]):
    batch_id = serializers.CharField()
    total = serializers.IntegerField()
    exported = serializers.IntegerField(help_text="Conversations made.")
    excluded = serializers.IntegerField()
    exclusions = ExcludedSerializer(many=True)


class ProgressOfBuildSerializer(serializers.Serializer[Any]):
    done = serializers.IntegerField()
    total = serializers.IntegerField()


class TrainingFileSerializer(ConceptSerializer[TrainingFile]):
    human_reviewed_percentage = serializers.SerializerMethodField()
    building = serializers.SerializerMethodField()
    changed_conversations = serializers.SerializerMethodField(
        help_text="How many have other contents now than in the file: `GET /conversations?changed_in=` lists them."
    )

    class Meta:
        model = TrainingFile
        exclude = ["build"]
        read_only_fields = [field.name for field in TrainingFile._meta.fields]

    def get_human_reviewed_percentage(self, row: TrainingFile) -> float:
        return percentage(row.human_reviewed_count, row.total_training_pairs)

    @extend_schema_field(ProgressOfBuildSerializer(allow_null=True))
    def get_building(self, row: TrainingFile) -> Any:
        found = self.context["standing"][row.pk]["building"]
        return ProgressOfBuildSerializer(found).data if found else None

    def get_changed_conversations(self, row: TrainingFile) -> int:
        return int(self.context["standing"][row.pk]["changed_conversations"])


class AddSerializer(serializers.Serializer[Any]):
    conversation_ids = BoundedListField(child=serializers.CharField(), min_length=1, max_length=MOST)


class CreateSerializer(AddSerializer):
    name = serializers.CharField(min_length=1, help_text=f"Up to {NAME} characters that can be seen, as nobody else's.")
    description = serializers.CharField(required=False, allow_blank=True, default="")


class WrappedSerializer(serializers.Serializer[Any]):
    trainingFile = TrainingFileSerializer()  # noqa: N815 - the name in the answers of this API


class ChoiceSerializer(OptionsSerializer):
    """Which conversations come into question; left out is any, but for the tier `rejected`, which a bound of quality brings in."""

    min_quality = serializers.FloatField(required=False, allow_null=True, default=None, min_value=0, max_value=10)
    max_quality = serializers.FloatField(required=False, allow_null=True, default=None, min_value=0, max_value=10)
    persona_key = serializers.CharField(required=False, allow_blank=True, default="")
    emotional_arc_key = serializers.CharField(required=False, allow_blank=True, default="")
    training_topic_key = serializers.CharField(required=False, allow_blank=True, default="")
    batch_id = serializers.CharField(required=False, allow_blank=True, default="")


class SuggestSerializer(ChoiceSerializer):
    limit = serializers.IntegerField(default=20, min_value=1, max_value=MOST)


class AddMatchingSerializer(ChoiceSerializer):
    limit = serializers.IntegerField(default=1_000, min_value=1, max_value=20_000)


class SuggestionSerializer(ConceptSerializer[Conversation]):
    class Meta:
        model = Conversation
        fields = [
            "id", "source_file", "quality_score", "quality_tier", "training_pairs", "human_reviewed_pairs", "persona_key",
            "emotional_arc_key", "training_topic_key",
        ]  # fmt: skip


class ShapeSerializer(serializers.Serializer[Any]):
    format = serializers.ChoiceField(SHAPES)


class SignedSerializer(ShapeSerializer):
    signature = serializers.CharField()


class FileLinkSerializer(serializers.Serializer[Any]):
    download_url = serializers.CharField()
    filename = serializers.CharField()
    expires_in_seconds = serializers.IntegerField()


def given_by(kind: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """Return what was sent, as this kind of serializer reads it; its ValidationError where it cannot."""
    asked = kind(data=data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)
