from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from governance.uses import USES
from training.exports.formats import FORMATS
from training.exports.options import Options
from training.exports.profiles import PROFILES
from training.exports.splits import SIDES
from training.models import Export
from workbench.api.serializers import ConceptSerializer, OptionsSerializer
from workbench.near import listed
from workbench.problems import Invalid


def _choice(allowed: Iterable[str], help_text: str) -> serializers.ChoiceField:
    """Return a field whose refusal says what was found and what is allowed."""
    named = list(allowed)
    refused = f"Found '{{input}}': use {listed(named)}."
    return serializers.ChoiceField(
        named, required=False, help_text=help_text, error_messages={"invalid_choice": refused}
    )


class ExportOptionsSerializer(OptionsSerializer):
    """The options of an export."""

    use = _choice(USES, "Default: training, or that of the split.")
    split = _choice(SIDES, "Default: all items.")
    format = _choice(FORMATS, "Default: chat.")
    validation_percent = serializers.IntegerField(
        min_value=1, max_value=50, required=False, help_text="Fixed by the sheet's first split export; default 10."
    )
    stratify_by = serializers.CharField(
        max_length=255, required=False, help_text="A field of the answers whose values keep their share, or $."
    )
    since = serializers.CharField(
        max_length=36, required=False, help_text="An earlier export: only pairs that are new or changed since."
    )
    profile = _choice(PROFILES, "Refuse what this trainer would refuse, before anything is written.")

    @classmethod
    def options(cls, data: Any) -> Options:
        """Return the options of a request; Invalid where one is given twice, of which only one could be heard."""
        lists = data.lists() if isinstance(data, QueryDict) else ()
        if twice := {name: ["Found more than one value: give one."] for name, values in lists if len(values) > 1}:
            raise Invalid.of_fields("The export was not made.", twice)
        given = cls(data=data)
        given.is_valid(raise_exception=True)
        return Options(**given.validated_data)


class CheckOptionsSerializer(ExportOptionsSerializer):
    """Options of an export, and what a line may have at most."""

    max_tokens = serializers.IntegerField(
        min_value=1,
        required=False,
        help_text="Lines with more are warned of; default: the profile's limit, which is an error to exceed.",
    )


class ExclusionSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    count = serializers.IntegerField()
    rule = serializers.CharField(help_text="quality, governance, split, chat, format, since or download")
    source: Any = serializers.CharField(help_text="What carries the rule.")
    where = serializers.CharField(help_text="Its full name, where it has one.")
    pair_ids = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="A few, where what is wrong is in the pair itself."
    )


class WordedExclusionSerializer(ExclusionSerializer):
    words = serializers.CharField()


class WithdrawnSerializer(serializers.Serializer[Any]):
    """The pairs of the earlier export, and of those it goes on from, that may not leave any more."""

    count = serializers.IntegerField()
    pair_ids = serializers.ListField(child=serializers.CharField())


class ExportSummarySerializer(serializers.Serializer[Any]):
    """Every pair is exported or in exactly one exclusion."""

    training_sheet_id = serializers.CharField()
    use = serializers.CharField()
    split = serializers.CharField()
    format = serializers.CharField()
    total = serializers.IntegerField()
    exported = serializers.IntegerField()
    excluded = serializers.IntegerField()
    exclusions = WordedExclusionSerializer(many=True)
    undecided = serializers.IntegerField(help_text="Excluded now: pairs whose side is decided when they are exported.")
    withdrawn = WithdrawnSerializer()


class TokensSerializer(serializers.Serializer[Any]):
    is_estimate = serializers.BooleanField()
    method = serializers.CharField()
    total = serializers.IntegerField()
    p95 = serializers.IntegerField()
    most = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True, help_text="As asked for, else the profile's.")
    over_limit = serializers.IntegerField()
    pair_ids = serializers.ListField(child=serializers.CharField())


class DuplicatesSerializer(serializers.Serializer[Any]):
    repeated_lines = serializers.IntegerField()
    prompts_with_different_answers = serializers.IntegerField()
    pair_ids = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class ValueSerializer(serializers.Serializer[Any]):
    value = serializers.CharField()
    count = serializers.IntegerField()


class BalanceSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    values = ValueSerializer(many=True)


class NamedSerializer(serializers.Serializer[Any]):
    """How many pairs, and the first few of them."""

    count = serializers.IntegerField()
    pair_ids = serializers.ListField(child=serializers.CharField())


class ExportProblemSerializer(serializers.Serializer[Any]):
    level = serializers.CharField(help_text="error or warning")
    code = serializers.CharField()
    message = serializers.CharField()
    pair_ids = serializers.ListField(child=serializers.CharField())


class ExportChecksSerializer(serializers.Serializer[Any]):
    """What an export would be like; errors are what the profile's trainer would refuse."""

    training_sheet_id = serializers.CharField()
    use = serializers.CharField()
    split = serializers.CharField()
    format = serializers.CharField()
    profile = serializers.CharField()
    total = serializers.IntegerField()
    exported = serializers.IntegerField()
    excluded = serializers.IntegerField()
    exclusions = ExclusionSerializer(many=True)
    undecided = serializers.IntegerField(
        help_text="Pairs whose side is decided when they are exported; here they stand on the one that it would be."
    )
    withdrawn = WithdrawnSerializer()
    lines = serializers.IntegerField()
    size_bytes = serializers.IntegerField(help_text="As JSON lines, also for a table, which is smaller.")
    tokens = TokensSerializer()
    duplicates = DuplicatesSerializer()
    balance = BalanceSerializer(many=True)
    empty = NamedSerializer(help_text="Answers with nothing to be seen in them.")
    clipped = NamedSerializer(help_text="Answers that look as if they broke off.")
    other_form = NamedSerializer(help_text="Answers that are no object, where the template asks for one.")
    older_labels = NamedSerializer(help_text="Answers that were made from a label which was changed since.")
    unread = NamedSerializer(help_text="Lines with earlier turns that the profile's trainer does not read.")
    problems = ExportProblemSerializer(many=True)


class ExportSerializer(ConceptSerializer[Export]):
    training_sheet_id = serializers.CharField()

    class Meta:
        model = Export
        exclude = ["training_sheet"]


class LinkSerializer(serializers.Serializer[Any]):
    url = serializers.CharField()
    expires_at = serializers.DateTimeField()


class KeptExportSerializer(ExportSerializer):
    """A kept export with the first link to its file."""

    link = LinkSerializer()


class ExportStartedSerializer(serializers.Serializer[Any]):
    job_id = serializers.CharField(help_text="Follow it at /api/v1/jobs/{id}.")
    export_id = serializers.CharField(help_text="The export's id once the job succeeded.")


class SignatureSerializer(serializers.Serializer[Any]):
    signature = serializers.CharField(required=False, default="", help_text="From POST …/link.")
