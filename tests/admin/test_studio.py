"""The studio writes drafts, shows them as they are typed, and loses nothing that was typed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sheets.withdrawing import withdraw_item
from templates_app.actions import duplicate, publish, update_template
from templates_app.models import PromptTemplate
from training.models import TrainingSheet
from workbench.router import LAKEHOUSE

LIST = "/admin/templates_app/prompttemplate/"


@pytest.fixture
def draft(boards: TrainingSheet) -> PromptTemplate:
    """A draft of the boards' template."""
    return duplicate(boards.template, actor="omar")


def page(template: PromptTemplate) -> str:
    return f"{LIST}{template.pk}/studio/"


def given(template: PromptTemplate, **fields: Any) -> dict[str, Any]:
    names = ("name", "version", "label_type", "system_prompt", "user_prompt_template", "temperature", "max_tokens")
    form = {name: getattr(template, name) for name in (*names, "base_model", "guidelines", "description")}
    form |= {
        name: getattr(template, name) for name in ("source_catalog", "source_schema", "source_table", "source_volume")
    }
    form |= {name: json.dumps(getattr(template, name)) for name in ("input_schema", "output_schema", "examples")}
    return form | {"seen": template.updated_at.isoformat(), "sheet": "", "row": ""} | fields


def test_saving_changes_what_was_changed(admin: Client, draft: PromptTemplate) -> None:
    response: Any = admin.post(page(draft), given(draft, user_prompt_template="Board {{ line }}\r\nGood?", save=""))
    draft.refresh_from_db()
    assert (response.url, draft.user_prompt_template) == (page(draft), "Board {{ line }}\nGood?")


def test_the_preview_fills_rows_and_saves_nothing(admin: Client, boards: TrainingSheet, draft: PromptTemplate) -> None:
    form = given(
        draft, sheet=boards.sheet_id, user_prompt_template="Board {{ board_serial }}!", row="pcb_002_solder_bridge.jpg"
    )
    answer = admin.post(f"{page(draft)}preview/", form).json()
    assert "Board 7334-002!" in answer["html"]
    assert answer["marks"] == {}
    assert "Board 7334-002!" in admin.post(page(draft), form | {"preview": ""}).content.decode()
    draft.refresh_from_db()
    assert "!" not in draft.user_prompt_template


def test_a_missing_variable_is_marked_at_its_line(admin: Client, boards: TrainingSheet, draft: PromptTemplate) -> None:
    form = given(draft, sheet=boards.sheet_id, user_prompt_template="Board\n{{ bord_serial }}")
    (mark,) = admin.post(f"{page(draft)}preview/", form).json()["marks"]["user_prompt_template"]
    assert (mark["line"], mark["variable"]) == (2, "bord_serial")
    assert "Did you mean 'board_serial'" in mark["words"]


def test_publishing_saves_first_and_freezes(admin: Client, draft: PromptTemplate) -> None:
    admin.post(page(draft), given(draft, system_prompt="Be brief.", publish=""))
    draft.refresh_from_db()
    assert (draft.status, draft.system_prompt) == ("published", "Be brief.")
    shown = admin.get(page(draft)).content.decode()
    assert 'name="save"' not in shown
    assert 'name="duplicate"' in shown


def test_what_cannot_be_published_is_saved_and_listed(admin: Client, draft: PromptTemplate) -> None:
    response = admin.post(page(draft), given(draft, system_prompt="{{ nothing }}", publish=""), follow=True)
    draft.refresh_from_db()
    assert (draft.status, draft.system_prompt) == ("draft", "{{ nothing }}")
    assert response.context["study"].checks[0].state == "bad"


def test_the_second_to_save_is_told_and_keeps_what_was_typed(admin: Client, draft: PromptTemplate) -> None:
    mine = given(draft, user_prompt_template="Mine {{ line }}", save="")
    update_template(draft, {"user_prompt_template": "Theirs {{ line }}"}, actor="omar")
    response = admin.post(page(draft), mine)
    shown = response.content.decode()
    assert "was changed meanwhile" in shown
    assert "Theirs {{ line }}" in shown
    assert response.context["form"]["user_prompt_template"].value() == "Mine {{ line }}"
    assert PromptTemplate.objects.get(pk=draft.pk).user_prompt_template == "Theirs {{ line }}"
    admin.post(page(draft), mine | {"seen": response.context["seen"]})
    assert PromptTemplate.objects.get(pk=draft.pk).user_prompt_template == "Mine {{ line }}"


@pytest.mark.parametrize("fate", ["published", "deleted"])
def test_what_was_typed_for_a_draft_that_is_none_any_more_becomes_a_new_one(
    admin: Client, draft: PromptTemplate, fate: str
) -> None:
    mine = given(draft, user_prompt_template="Mine {{ line }}")
    publish(draft, actor="omar") if fate == "published" else draft.delete()
    refused = admin.post(page(draft), mine | {"save": ""})
    assert "Save as a new draft" in refused.content.decode()
    assert "Mine {{ line }}" in refused.content.decode()
    admin.post(page(draft), mine | {"save_copy": ""})
    kept = PromptTemplate.objects.get(user_prompt_template="Mine {{ line }}")
    assert (kept.name, kept.status, kept.created_by) == (draft.name, "draft", "rosa")


def test_duplicating_takes_what_was_typed_along(admin: Client, draft: PromptTemplate) -> None:
    admin.post(page(draft), given(draft, system_prompt="Typed.", duplicate=""))
    copies = PromptTemplate.objects.filter(name=draft.name, system_prompt="Typed.")
    assert sorted(copies.values_list("version", flat=True)) == ["1.1.0", "1.2.0"]
    admin.post(page(draft), given(copies.get(version="1.1.0"), archive=""))
    assert PromptTemplate.objects.get(pk=draft.pk).status == "archived"


def test_json_that_does_not_read_is_marked_and_kept(admin: Client, draft: PromptTemplate) -> None:
    form = given(draft, output_schema='{\n"type": }')
    assert admin.post(f"{page(draft)}preview/", form).json()["marks"]["output_schema"][0]["line"] == 2
    response = admin.post(page(draft), form | {"save": ""})
    assert response.context["form"]["output_schema"].value() == '{\n"type": }'


def test_a_new_template_begins_in_the_studio(admin: Client, boards: TrainingSheet) -> None:
    new = given(PromptTemplate(name="Fresh", label_type="classification"), seen="")
    assert admin.get(f"{LIST}studio/").status_code == 200
    response: Any = admin.post(f"{LIST}studio/", new | {"save": ""})
    made = PromptTemplate.objects.get(name="Fresh")
    assert (response.url, made.status, made.created_by) == (page(made), "draft", "rosa")


def test_versions_stand_side_by_side(admin: Client, boards: TrainingSheet, draft: PromptTemplate) -> None:
    update_template(draft, {"system_prompt": "Other words."}, actor="omar")
    response = admin.get(f"{LIST}compare/", {"new": draft.pk})
    assert response.context["old"] == boards.template
    assert [part.part for part in response.context["parts"] if not part.is_same] == ["system_prompt"]
    assert "<ins>Other words.</ins>" in response.content.decode()


def test_the_model_answers_one_row(admin: Client, boards: TrainingSheet, draft: PromptTemplate) -> None:
    form = given(draft, sheet=boards.sheet_id, row="pcb_001_scratch.jpg")
    answer = admin.post("/admin/training/trainingsheet/try/", form).json()["html"]
    assert "offline-nearest" in answer
    assert "defect_type" in answer
    assert "Fits the output schema." in answer
    assert "Choose a sheet" in admin.post("/admin/training/trainingsheet/try/", form | {"row": ""}).json()["html"]


def test_no_model_is_asked_about_a_withdrawn_row(admin: Client, boards: TrainingSheet, draft: PromptTemplate) -> None:
    withdraw_item(boards.sheet, "pcb_001_scratch.jpg", "The customer asked", actor="omar")
    form = given(draft, sheet=boards.sheet_id, row="pcb_001_scratch.jpg")
    answer = admin.post("/admin/training/trainingsheet/try/", form).json()["html"]
    assert "item withdrawn: The customer asked" in answer and "offline-nearest" not in answer


def test_the_studio_takes_few_queries(admin: Client, draft: PromptTemplate) -> None:
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        admin.get(page(draft))
    assert len(queries) <= 9, [query["sql"][:200] for query in queries]


def test_who_may_only_look_sees_and_changes_nothing(client: Client, nils: User, draft: PromptTemplate) -> None:
    nils.is_staff = True
    nils.save()
    client.force_login(nils)
    assert client.get(page(draft)).status_code == 403
    nils.user_permissions.add(Permission.objects.get(codename="view_prompttemplate"))
    shown = client.get(page(draft)).content.decode()
    assert "Sensor readings" in shown
    assert 'name="save"' not in shown
    assert "7617-001" not in shown  # rows of a sheet are for those who may see the sheet
    nils.user_permissions.add(Permission.objects.get(codename="view_sheet"))
    assert "7617-001" in client.get(page(draft)).content.decode()
    for verb in ("save", "publish", "duplicate", "archive", "save_copy"):
        assert client.post(page(draft), given(draft, system_prompt="Mine", **{verb: ""})).status_code == 403
    assert client.get(f"{LIST}studio/").status_code == 403
    assert client.post("/admin/training/trainingsheet/try/", given(draft)).status_code == 403
    assert PromptTemplate.objects.get(pk=draft.pk).system_prompt == draft.system_prompt
