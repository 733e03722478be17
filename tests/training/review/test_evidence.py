"""What was found of sensitive data, where a reviewer reads it: in the source, beside the answer, and as a number in the list."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.utils.html import escape

from sheets.item_page import Cell, MarkedCell, Source
from tests.seeded import invoices, seeded
from training.actions.findings import dismiss, find
from training.findings.marking import in_words, marked_source, pieces
from training.models import Finding, QAPair, TrainingSheet
from training.review.chosen import Choice
from training.review.listing import page_of
from workbench.router import LAKEHOUSE

__all__ = ["invoices", "seeded"]


@pytest.fixture
def screen(invoices: TrainingSheet, rosa: User) -> Client:
    find(invoices, actor="omar")
    client = Client()
    client.force_login(rosa)
    return client


def shown(screen: Client, pair_id: str) -> str:
    pair = QAPair.objects.get(pk=pair_id)
    return screen.get(f"/review/{pair.training_sheet_id}/?pair={pair_id}").content.decode()


def found_at(place: str) -> Finding:
    return Finding.objects.filter(place=place).order_by("qa_pair_id")[0]


def test_a_value_is_marked_in_its_cell_with_why(screen: Client) -> None:
    finding = found_at("item.uploaded_by")
    page = shown(screen, finding.qa_pair_id)
    source = re.sub(r"<mark\s+", "<mark ", page[page.index('data-slot="source"') : page.index('id="review-form"')])
    marked = dict(re.findall(r'<mark title="([^"]+)">([^<]+)</mark>', source))
    (value,) = (text for title, text in marked.items() if title.startswith("e-mail address ") and "@" in text)
    assert value.endswith(finding.excerpt[-2:]) and len(value) == finding.end - finding.start
    for each in Finding.objects.filter(qa_pair_id=finding.qa_pair_id, place="item.extracted_text"):
        assert f'<mark title="{escape(in_words(each))}">' in source


def test_a_field_of_the_answer_says_what_its_value_is(screen: Client) -> None:
    finding = Finding.objects.filter(place__startswith="answer.").order_by("qa_pair_id")[0]
    page = shown(screen, finding.qa_pair_id)
    (field,) = re.findall(
        rf'name="{re.escape(finding.place)}".*?<p class="af-note" title="[^"]*">(.*?)</p>', page, re.DOTALL
    )
    assert field.startswith(f"{finding.get_kind_display()} {finding.excerpt}: ")


def test_what_was_dismissed_is_marked_no_more(screen: Client) -> None:
    finding = found_at("item.uploaded_by")
    assert "e-mail address" in shown(screen, finding.qa_pair_id)
    for each in Finding.objects.filter(qa_pair_id=finding.qa_pair_id, kind="email"):
        dismiss(each, "An address of ours", actor="omar")
    assert 'title="e-mail address' not in shown(screen, finding.qa_pair_id)


def test_the_list_tells_how_many_by_one_statement(
    screen: Client, invoices: TrainingSheet, django_assert_num_queries: Any
) -> None:
    page = screen.get(f"/review/{invoices.pk}/list").content.decode()
    first = QAPair.objects.of(invoices.pk)[0]
    count = Finding.objects.standing().filter(qa_pair_id=first.pk).count()
    row = page[page.index(f'value="{first.pk}"') :].split("</tr>")[0]
    assert count and f'<span class="badge badge-warn">sensitive: {count}</span>' in row
    with django_assert_num_queries(3, connection=connections[LAKEHOUSE]):
        assert all(row.findings for row in page_of(invoices.pk, Choice(order="sequence"), reader="rosa").rows)


def a_finding(place: str, start: int, end: int, excerpt: str) -> Finding:
    return Finding(place=place, kind="phone", start=start, end=end, excerpt=excerpt, why="by its form")


def test_a_cell_that_shows_its_text_otherwise_has_a_note() -> None:
    source = Source([Cell("contact", "STRING", "", '{\n  "phone": "555-0142"\n}', True)], [])
    raw, inner = a_finding("item.contact", 10, 18, "•••-••42"), a_finding("item.contact.phone", 0, 8, "•••-••42")
    (cell,) = marked_source(source, [raw, inner]).cells
    assert isinstance(cell, MarkedCell)
    assert list(cell.pieces) == [(cell.text, "")]
    assert list(cell.notes) == [f"{at}phone number •••-••42: by its form" for at in ("", "phone ")]


def test_a_text_that_changed_since_marks_nothing() -> None:
    finding = a_finding("messages[0]", 5, 13, "•••-••42")
    assert pieces("Call 555-0142 now", [finding])[1] == ("555-0142", finding)
    assert pieces("Call 555-0199 now", [finding]) == [("Call 555-0199 now", None)]
