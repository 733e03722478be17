"""How the screen that adjudicates shows what differs between two answers, and what is typed there."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from labels.actions import record_label
from labels.models import CanonicalLabel
from labels.opinions.actions import ask_for_opinions, give_opinion
from labels.opinions.comparing import Rule
from labels.opinions.deciding import differences
from labels.opinions.sides import shown_differences
from sheets.models import Sheet
from templates_app.actions import create_template, publish
from templates_app.annotations import annotations_schema


def test_a_list_that_differs_is_read_as_words_and_typed_one_a_line(boards: Sheet, client: Client, rosa: User) -> None:
    fields = [{"name": "codes", "type": "array", "items": {"type": "string"}}, {"name": "line", "type": "string"}]
    given = {"name": "Codes", "label_type": "codes", "user_prompt_template": "{{ board_id }}?", "output_schema": fields}
    given |= {"input_schema": [{"name": "board_id", "type": "string"}]}
    template = publish(create_template(given, actor="omar"), actor="omar")
    ask_for_opinions(sheet=boards, label_type="codes", share=100, actor="omar")
    key = {"sheet": boards, "item_ref": "a1", "label_type": "codes", "template": template}
    record_label(**key, label_data={"codes": ["x", "y"], "line": "n"}, actor="ana")
    opinion = give_opinion(**key, label_data={"codes": ["x"], "line": "n"}, actor="ben")
    address = reverse("adjudicate", args=[boards.pk, "codes"])
    client.force_login(rosa)
    page = client.get(address).content.decode()
    assert ">x, y</span>" in page and "[&quot;x&quot;" not in page and 'placeholder="one a line"' in page
    posted = {"opinion": opinion.pk, "version": "1", "verb": "save", "choice.codes": "other"}
    assert client.post(address, posted | {"other.codes": "y\r\n z \r\n\r\n"}).status_code == 302
    assert CanonicalLabel.objects.get(label_type="codes").label_data == {"codes": ["y", "z"], "line": "n"}


def test_shapes_that_differ_are_drawn_in_the_colours_of_their_labels() -> None:
    labels = ["scratch", "bridge"]
    schema = {"type": "object", "properties": {"marks": annotations_schema(labels)}}
    box = {"x": 10, "y": 20, "width": 30, "height": 40}

    def marked(*shapes: dict[str, Any]) -> dict[str, Any]:
        return {"marks": {"image": "a.jpg", "width": 80, "height": 60, "shapes": list(shapes)}}

    first = marked({"label": "bridge", "box": box}, {"label": "scratch", "polygon": [[0, 0], [9, 0], [0, 9]]})
    (found,) = shown_differences(differences(schema, first, marked(), Rule()), {}, {}, {"a.jpg": "/a.jpg"})
    one, other = found.sides
    assert [(shape.words, shape.colour) for shape in one.shapes] == [
        ("bridge: box 30 × 40 at 10, 20", 2),
        ("scratch: polygon 9 × 9 at 0, 0", 1),
    ]
    assert (one.shapes[0].points, one.pieces) == ("10,20 40,20 40,60 10,60", [])
    assert (list(other.shapes), other.pieces) == ([], [("", "nothing marked")])


def test_options_are_written_as_in_the_form() -> None:
    schema = {"type": "object", "properties": {"place": {"type": "string", "enum": ["top_left", "top_right"]}}}
    found = differences(schema, {"place": "top_left"}, {"place": "top_right"}, Rule())
    (shown,) = shown_differences(found, {}, {}, {})
    assert [side.pieces for side in shown.sides] == [[("", "top left")], [("", "top right")]]
    assert shown.options == [('"top_left"', "top left"), ('"top_right"', "top right")]
