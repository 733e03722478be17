"""How second opinions and the agreement of experts look in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from labels.models import CanonicalLabel, LabelOpinion, SecondOpinion
from labels.opinions.reporting import Agreement
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from workbench.api.serializers import SheetKeyField
from workbench.concepts import Confidence


class SecondOpinionSerializer(serializers.ModelSerializer[SecondOpinion]):
    sheet_id = serializers.CharField()

    class Meta:
        model = SecondOpinion
        exclude = ["sheet"]
        validators: list[Any] = []


class AskForOpinionsSerializer(serializers.Serializer[Any]):
    """The rule of a sheet and label type, whole: what is left out takes its default."""

    sheet_id: Any = SheetKeyField(queryset=Sheet.objects.all(), to_work=True)
    label_type = serializers.CharField(max_length=64)
    share = serializers.IntegerField(min_value=0, max_value=100, help_text="Percent of the items; 0 asks for none.")
    tolerance = serializers.FloatField(default=0.0, min_value=0, help_text="Numbers this far apart are the same.")
    min_iou = serializers.FloatField(default=0.5, max_value=1, help_text="Shapes that overlap so far are the same.")


class LabelOpinionSerializer(serializers.ModelSerializer[LabelOpinion]):
    sheet_id = serializers.CharField()

    class Meta:
        model = LabelOpinion
        exclude = ["sheet"]


class GiveOpinionSerializer(serializers.Serializer[Any]):
    """A second opinion; it stands once it is given."""

    sheet_id: Any = SheetKeyField(queryset=Sheet.objects.all(), to_work=True)
    item_ref = serializers.CharField(max_length=1024, trim_whitespace=False)
    label_type = serializers.CharField(max_length=64)
    label_data = serializers.JSONField()
    confidence = serializers.ChoiceField(Confidence.choices, default=Confidence.HIGH, help_text="Left out: high.")
    notes = serializers.CharField(required=False, allow_blank=True, default="")
    template_id = serializers.PrimaryKeyRelatedField(
        queryset=PromptTemplate.objects.all(), required=False, allow_null=True, default=None
    )


class AdjudicateSerializer(serializers.Serializer[Any]):
    """The answer that holds from now on; confidence and notes that are left out stay."""

    label_data = serializers.JSONField()
    version = serializers.IntegerField(min_value=1, help_text="Of the label that you looked at: a newer one is a 409.")
    confidence = serializers.ChoiceField(Confidence.choices, required=False)
    notes = serializers.CharField(required=False, allow_blank=True)


class AskAgreementSerializer(serializers.Serializer[Any]):
    sheet: Any = SheetKeyField(queryset=Sheet.objects.all(), help_text="Id of the sheet.")
    label_type = serializers.CharField(max_length=64)


class FieldAgreementSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="Path of the field; `[]` stands for any row of a list.")
    kind = serializers.ChoiceField(["category", "number", "text", "shapes", "other"])
    places = serializers.IntegerField()
    same = serializers.IntegerField()
    percent = serializers.FloatField()
    kappa = serializers.FloatField(
        allow_null=True, help_text="Cohen's, of categories; pooled where several pairs answered."
    )
    similarity = serializers.FloatField(help_text="Mean closeness: of texts by edits, of shapes F1, else same or not.")
    mean_iou = serializers.FloatField(allow_null=True, help_text="Of the shapes that found a partner.")
    f1 = serializers.FloatField(allow_null=True, help_text="Of all shapes.")


class FieldKappaSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    places = serializers.IntegerField()
    kappa = serializers.FloatField(allow_null=True, help_text="1 where only one and the same was ever said.")


class ExpertPairSerializer(serializers.Serializer[Any]):
    first = serializers.CharField()
    second = serializers.CharField()
    items = serializers.IntegerField()
    same_items = serializers.IntegerField()
    percent = serializers.FloatField(help_text="Of all places of all fields.")
    kappa = serializers.FloatField(allow_null=True, help_text="Cohen's, pooled over the fields that are categories.")
    kappas = FieldKappaSerializer(many=True, help_text="Of each field that is a category.")


class DifferingSerializer(serializers.Serializer[Any]):
    opinion_id = serializers.CharField(source="opinion.pk")
    item_ref = serializers.CharField(source="opinion.item_ref")
    first_author = serializers.CharField(source="opinion.first_author")
    author = serializers.CharField(source="opinion.author")
    status = serializers.ChoiceField(LabelOpinion.Status.choices, source="opinion.status")
    decided_by = serializers.CharField(source="opinion.decided_by")
    differs_in = serializers.ListField(child=serializers.CharField(), source="fields", help_text="Fields.")


class AgreementSerializer(serializers.Serializer[Agreement]):
    items = serializers.IntegerField(source="tally.items", help_text="With two opinions.")
    same_items = serializers.IntegerField(source="tally.same_items")
    percent = serializers.FloatField(allow_null=True, help_text="Of the items; null before the first second opinion.")
    waiting = serializers.IntegerField(help_text="To be adjudicated.")
    by_field = FieldAgreementSerializer(many=True, source="tally.fields", help_text="The worst first.")
    by_pair = ExpertPairSerializer(many=True, source="tally.pairs")
    differing = DifferingSerializer(many=True, help_text="The latest 200.")


class AdjudicatedSerializer(serializers.ModelSerializer[CanonicalLabel]):
    """What became of the label."""

    class Meta:
        model = CanonicalLabel
        fields = ["id", "item_ref", "label_type", "label_data", "version", "decided_by", "opinions_by", "opinion_id"]

    opinions_by = serializers.ListField(child=serializers.CharField())
