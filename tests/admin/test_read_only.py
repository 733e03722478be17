"""What only verbs write is not written by hand, whatever is posted."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from training.models import QAPair, TrainingSheet

KEPT = (
    "training.trainingsheet", "training.qapair", "training.reviewevent", "training.jobrun", "training.export",
    "labels.canonicallabelversion", "governance.usageconstraintaudit",
)  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_nothing_is_added_by_hand(admin: Client, boards: TrainingSheet, name: str) -> None:
    count = apps.get_model(name)._default_manager.count()
    assert admin.post(reverse(f"admin:{name.replace('.', '_')}_add"), {"status": "labeled"}).status_code == 403
    assert apps.get_model(name)._default_manager.count() == count


def test_a_pair_is_not_changed_or_deleted(admin: Client, boards: TrainingSheet) -> None:
    pair = QAPair.objects.of(boards.pk).filter(status="unlabeled")[0]
    for page in ("change", "delete"):
        assert (
            admin.post(reverse(f"admin:training_qapair_{page}", args=[pair.pk]), {"status": "labeled"}).status_code
            == 403
        )
    assert QAPair.objects.get(pk=pair.pk).status == "unlabeled"


def test_many_are_not_deleted_at_once(admin: Client, boards: TrainingSheet) -> None:
    url = reverse("admin:sheets_sheet_changelist")
    admin.post(url, {"action": "delete_selected", "_selected_action": [boards.sheet_id], "post": "yes"})
    assert admin.get(url).context["cl"].result_count == 2


def test_looking_needs_the_right_to_look(client: Client, nils: User, boards: TrainingSheet) -> None:
    nils.is_staff = True
    nils.save()
    client.force_login(nils)
    assert client.get(reverse("admin:training_qapair_changelist")).status_code == 403
    nils.user_permissions.add(Permission.objects.get(codename="view_qapair"))
    assert client.get(reverse("admin:training_qapair_changelist")).status_code == 200
    assert client.get(reverse("admin:training_trainingsheet_generate")).status_code == 403
    assert client.get(reverse("admin:training_trainingsheet_export", args=[boards.pk])).status_code == 403
