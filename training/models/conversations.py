"""Enriched conversations, and the training files that they are gathered into."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from governance.uses import all_uses
from training.files.querysets import TrainingFileQuerySet
from training.models.sheets import TrainingSheet
from workbench.concepts import Concept, Governed
from workbench.lakehouse.fields import ArrayField, ChoiceField, KeyField
from workbench.lakehouse.indexes import ClusterBy
from workbench.sheet_rights import OfSheetQuerySet

SCAFFOLDING = (
    "persona_key", "persona_name", "emotional_arc_key", "emotional_arc", "training_topic_key", "training_topic",
)  # fmt: skip


class Conversation(Concept, Governed):
    """What is known of an enriched conversation; its turns are in its file in the volume."""

    class Enrichment(models.TextChoices):
        PENDING = "pending"
        PROCESSING = "processing"
        COMPLETED = "completed"
        FAILED = "failed"

    of_sheet: ClassVar[str] = "training_sheet__sheet_id"

    class Tier(models.TextChoices):
        EXPERIMENTAL = "experimental"
        PRODUCTION = "production"
        SEED_DATASET = "seed_dataset"
        REJECTED = "rejected"

    enrichment_status = ChoiceField(max_length=10, choices=Enrichment.choices, default=Enrichment.PENDING)
    enriched_file_path = models.CharField(max_length=1024, null=True, help_text="Its file in the volume.")
    file_sha256 = models.CharField(max_length=64, blank=True, default="")
    source_file = models.CharField(max_length=255, help_text="The name of the file that it came in.")
    created_date = models.DateField(help_text="When the conversation was written.")
    total_turns = models.PositiveIntegerField(default=0)
    training_pairs = models.PositiveIntegerField(default=0, help_text="Pairs with an answer to train on.")
    human_reviewed_pairs = models.PositiveIntegerField(default=0)
    quality_score = models.FloatField(null=True, help_text="0 to 10.")
    quality_tier = ChoiceField(max_length=12, choices=Tier.choices, default=Tier.EXPERIMENTAL)
    persona_key = models.CharField(max_length=128)
    persona_name = models.CharField(max_length=255)
    emotional_arc_key = models.CharField(max_length=128)
    emotional_arc = models.CharField(max_length=255)
    training_topic_key = models.CharField(max_length=128)
    training_topic = models.CharField(max_length=255)
    batch_id = models.CharField(max_length=64, help_text="The import that it came by.")
    training_sheet = models.ForeignKey(
        TrainingSheet,
        null=True,
        on_delete=models.PROTECT,
        related_name="conversations",
        help_text="Its origin, if any.",
    )
    qa_pair_id = models.CharField(max_length=36, blank=True, default="", help_text="The pair that it was made from.")
    answer_sha256 = models.CharField(
        max_length=64, blank=True, default="", help_text="Of the answer that the pair had when it was made from it."
    )
    updated_at = models.DateTimeField(default=timezone.now)

    allowed_uses = ArrayField(default=all_uses)

    objects = OfSheetQuerySet.as_manager()

    class Meta:
        db_table = "conversations"
        db_table_comment = "Enriched conversations: status, quality, scaffolding and the file of each"
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.source_file


class TrainingFile(Concept):
    """A named file of conversations, as JSON and as JSONL; the row names the one build that counts."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        ARCHIVED = "archived"
        PROCESSING = "processing"
        FAILED = "failed"

    name = models.CharField(max_length=255, unique=True)
    description = models.TextField(blank=True, default="")
    status = ChoiceField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    version = models.PositiveIntegerField(default=1, help_text="One more with each change of its conversations.")
    build = models.CharField(max_length=36, help_text="Its files and conversations are those of this build.")
    json_file_path = models.CharField(max_length=1024)
    json_sha256 = models.CharField(max_length=64)
    json_file_size = models.BigIntegerField()
    jsonl_file_path = models.CharField(max_length=1024)
    jsonl_sha256 = models.CharField(max_length=64)
    jsonl_file_size = models.BigIntegerField()
    conversation_count = models.PositiveIntegerField()
    total_training_pairs = models.PositiveIntegerField()
    avg_quality_score = models.FloatField()
    min_quality_score = models.FloatField()
    max_quality_score = models.FloatField()
    human_reviewed_count = models.PositiveIntegerField()
    scaffolding_distribution = models.JSONField(help_text='{"personas", "emotional_arcs", "training_topics"}')
    updated_at = models.DateTimeField(default=timezone.now)
    updated_by = models.CharField(max_length=254, default="")

    objects = TrainingFileQuerySet.as_manager()

    class Meta:
        db_table = "training_files"
        db_table_comment = "Files of conversations to train on"
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.name


class TrainingFileConversation(models.Model):
    """That a conversation is in a build of a training file; rows of another build than the file's do not count."""

    id = KeyField()
    training_file = models.ForeignKey(TrainingFile, on_delete=models.PROTECT, related_name="memberships")
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="memberships")
    build = models.CharField(max_length=36)
    position = models.PositiveIntegerField(help_text="Its place in the file, from 0.")
    added_by = models.CharField(max_length=254)
    added_at = models.DateTimeField()
    file_sha256 = models.CharField(max_length=64, default="", help_text="Of its enriched file, as it is in the build.")
    answer_sha256 = models.CharField(
        max_length=64, default="", help_text="Of its pair's answer, as it is in the build."
    )

    class Meta:
        db_table = "training_file_conversations"
        db_table_comment = "Which conversations are in which build of a training file"
        ordering = ["training_file_id", "position"]
        indexes = [ClusterBy("training_file", name="file_conversations_cluster")]

    def __str__(self) -> str:
        return f"{self.conversation_id} in {self.training_file_id}"


class TrainingFileVersion(models.Model):
    """A piece of what a training file held before it was changed or deleted; rows are only ever added.

    `pair_ids` are the pairs that the conversations were made from, in their order, and empty for those that were imported.
    """

    id = KeyField()
    training_file_id = models.CharField(max_length=36, help_text="The file may be deleted since.")
    build = models.CharField(max_length=36)
    number = models.PositiveIntegerField(help_text="Of the piece, from 0.")
    name = models.CharField(max_length=255)
    version = models.PositiveIntegerField()
    json_sha256 = models.CharField(max_length=64)
    jsonl_sha256 = models.CharField(max_length=64)
    conversation_ids = ArrayField()
    pair_ids = ArrayField()
    updated_by = models.CharField(max_length=254)
    updated_at = models.DateTimeField()
    replaced_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "training_file_versions"
        db_table_comment = "What training files held before they were changed or deleted"
        ordering = ["training_file_id", "build", "number"]
        indexes = [ClusterBy("training_file_id", name="file_versions_cluster", keys_within=True)]

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"


class FileBuild(models.Model):
    """How far the build of a training file is that runs now."""

    lives_in: ClassVar[str] = "default"

    id = models.CharField(primary_key=True, max_length=36, help_text="The key of the build.")
    training_file_id = models.CharField(max_length=36, db_index=True)
    replaces = models.CharField(max_length=36, default="", help_text="The build that counted before.")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField()
    started_by = models.CharField(max_length=254)
    seen_at = models.DateTimeField(default=timezone.now, help_text="When it was last heard of.")

    class Meta:
        db_table = "file_builds"

    def __str__(self) -> str:
        return f"{self.done} of {self.total}"


class ConversationFile(models.Model):
    """A file of a conversation that is to be removed where no row names it an hour later: each new one, and each replaced one."""

    lives_in: ClassVar[str] = "default"

    path = models.CharField(primary_key=True, max_length=1024)
    conversation_id = models.CharField(max_length=36)
    written_by = models.CharField(max_length=36, default="", db_index=True, help_text="The import that wrote it.")
    seen_at = models.DateTimeField(default=timezone.now, db_index=True, help_text="When it was last heard of.")

    class Meta:
        db_table = "conversation_files"

    def __str__(self) -> str:
        return self.path
