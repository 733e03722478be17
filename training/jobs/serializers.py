from __future__ import annotations

from typing import Any

from rest_framework import serializers

from training.models import JobRun
from training.prices import cost_of
from workbench.api.serializers import ConceptSerializer


class JobErrorSerializer(serializers.Serializer[Any]):
    item_ref = serializers.CharField()
    error = serializers.CharField()


class JobRunSerializer(ConceptSerializer[JobRun]):
    """A job as it is at this moment; `first_errors` are the first few of the `failed` items."""

    training_sheet_id = serializers.CharField(allow_null=True)
    wish = serializers.CharField(
        source="live.wish", help_text="What its worker is about to do: pause, cancel or nothing."
    )
    done = serializers.IntegerField(source="live.done")
    total = serializers.IntegerField(source="live.total")
    failed = serializers.IntegerField(source="live.failed")
    cached = serializers.IntegerField(source="live.cached", help_text="Items whose question was asked already.")
    first_errors = JobErrorSerializer(source="live.errors", many=True)
    rate = serializers.FloatField(source="live.rate", help_text="Items a second, lately.")
    seconds_left = serializers.FloatField(source="live.seconds_left", allow_null=True)
    prompt_tokens = serializers.IntegerField(source="live.prompt_tokens")
    completion_tokens = serializers.IntegerField(source="live.completion_tokens")
    cost = serializers.SerializerMethodField(help_text="US dollars; null where the price is not known.")
    heartbeat_at = serializers.DateTimeField(source="live.heartbeat_at", allow_null=True)
    worker_is_alive = serializers.BooleanField(source="live.is_leased")

    class Meta:
        model = JobRun
        exclude = ["training_sheet", "progress"]

    def get_cost(self, run: JobRun) -> float | None:
        cost = cost_of(run.live.prompt_tokens, run.live.completion_tokens)
        return None if cost is None else float(cost)
