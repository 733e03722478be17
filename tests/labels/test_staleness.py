"""A label is stale once its item is not what was labeled."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.models import User
from django.test import Client

from labels.models import CanonicalLabel
from labels.staleness import stale_labels
from sheets.models import Sheet
from training.seeds import load


def test_a_label_of_changed_content_is_stale(lakehouse: Path, rosa: User, client: Client) -> None:
    load("pcb_defects")
    sheet = Sheet.objects.get()
    assert list(stale_labels(sheet)) == []
    label = CanonicalLabel.objects.all()[0]
    CanonicalLabel.objects.filter(pk=label.pk).update(item_hash="of another content")
    assert [found.pk for found in stale_labels(sheet)] == [label.pk]
    client.force_login(rosa)
    listed = client.get("/admin/labels/canonicallabel/", {"sheet__id__exact": sheet.pk, "item": "changed"})
    assert [found.pk for found in listed.context["cl"].result_list] == [label.pk]
    assert "changed since" in client.get(f"/admin/labels/canonicallabel/{label.pk}/change/").content.decode()
