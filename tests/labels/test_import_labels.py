"""Labels from JSONL: previewed, imported, refused line by line; killed half way, the same again ends in the same."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from rest_framework.test import APIClient

from governance.models import UsageConstraintAudit
from labels import importing
from labels.exporting import label_blocks
from labels.import_plans import Terms
from labels.importing import Imported, import_labels, preview_import
from labels.models import CanonicalLabel, CanonicalLabelVersion
from labels.recording import record_labels
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from tests.labels.conftest import Record

URL = "/api/v1/canonical-labels/import"


def line(item_ref: str = "a1", **more: Any) -> bytes:
    return json.dumps({"item_ref": item_ref, "label_type": "defect", "label_data": {"defect": "none"}, **more}).encode()


def counts(done: Imported) -> tuple[int, ...]:
    return tuple(done.counts[outcome] for outcome in importing.OUTCOMES)


def test_lines_are_new_changed_unchanged_or_refused(boards: Sheet, record: Record) -> None:
    record(item_ref="a1", label_data={"defect": "none"})
    record(item_ref="b2", label_data={"defect": "scratch"})
    lines = [line("a1"), line("b2"), b"", line("c3"), line("c33"), b"{", line("c3"), line("a1", confidance="high")]
    found = preview_import(boards, lines)
    assert counts(found) == (1, 1, 1, 4)
    assert CanonicalLabel.objects.count() == 2
    why = dict(found.refused)
    assert "Did you mean 'c3'" in why[5] and "No JSON" in why[6] and "line 4" in why[7] and "'confidence'" in why[8]
    done = import_labels(boards, lines, actor="omar", note="Imported from x")
    assert (counts(done), done.digest) == (counts(found), found.digest)
    label = CanonicalLabel.objects.get(item_ref="b2")
    assert (label.version, label.last_modified_by, label.labeled_by) == (2, "omar", "rosa")
    assert list(label.versions.order_by("version").values_list("version", "change_note")) == [
        (1, ""), (2, "Imported from x"),
    ]  # fmt: skip
    assert counts(import_labels(boards, lines, actor="omar")) == (0, 0, 3, 4)


def test_a_line_without_a_template_has_the_shape_of_a_published_one(
    boards: Sheet, record: Record, template: PromptTemplate
) -> None:
    old = record(item_ref="b2", label_data={"defect": "as before"})
    lines = [line("a1", label_data={"defekt": "none"}), line("b2", label_data=old.label_data), line("c3")]
    found = preview_import(boards, lines)
    assert counts(found) == (1, 0, 1, 1)
    assert found.refused[0][1].startswith("label_data: does not fit Board defects 1.0.0: ")
    assert counts(preview_import(boards, [line("b2", label_data={"defect": "x"})])) == (0, 0, 0, 1)
    free = line("a1", label_type="other", label_data="whatever")
    assert counts(preview_import(boards, [free])) == (1, 0, 0, 0)


def test_a_number_that_would_be_another_one_is_refused(boards: Sheet) -> None:
    lines = [b'{"item_ref":"a1","label_type":"free","label_data":{"x":18446744073709551616}}']
    assert "found the whole number 18446744073709551616" in import_labels(boards, lines, actor="omar").refused[0][1]


@pytest.mark.parametrize("name", ["notes", "usage_reason", "item_ref"])
def test_text_that_no_label_may_have_is_refused(boards: Sheet, name: str) -> None:
    done = import_labels(boards, [line(**{name: "a\0b"})], actor="omar")
    assert done.refused[0][1].startswith(f"{name}: Found the character U+0000")


def test_uses_change_with_a_reason_and_an_audit_row(boards: Sheet, record: Record) -> None:
    record()
    lines = [line(prohibited_uses=["training"], allowed_uses=["testing"], usage_reason="PHI")]
    assert "reason: Say why" in preview_import(boards, lines).refused[0][1]
    assert counts(import_labels(boards, lines, Terms(reason="Found a name"), actor="omar")) == (0, 1, 0, 0)
    assert UsageConstraintAudit.objects.get().reason == "Found a name"
    assert CanonicalLabel.objects.get().prohibited_uses == ["training"]


def test_killed_between_labels_and_versions(boards: Sheet, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line(ref) for ref in ("a1", "b2", "c3")]
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("labels.import_plans.CHUNK", 2)
        patched.setattr("labels.recording.keep_all", killed)
        import_labels(boards, lines, actor="omar")
    assert (CanonicalLabel.objects.count(), CanonicalLabelVersion.objects.count()) == (2, 0)
    assert counts(import_labels(boards, lines, actor="omar")) == (1, 0, 2, 0)
    assert sorted(CanonicalLabelVersion.objects.values_list("canonical_label__item_ref", "version")) == [
        ("a1", 1), ("b2", 1), ("c3", 1),
    ]  # fmt: skip


def killed(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_the_longest_answer_goes_out_and_in_again(api: APIClient, boards: Sheet, settings: Any) -> None:
    longest = "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE - 1_000)
    posted = {"sheet_id": boards.pk, "item_ref": "a1", "label_type": "defect", "label_data": longest}
    assert api.post("/api/v1/canonical-labels", posted, format="json").status_code == 201
    lines = b"".join(label_blocks(boards)).splitlines(keepends=True)
    assert counts(preview_import(boards, lines)) == (0, 0, 1, 0)


# U+0000 is refused.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
).filter(lambda answer: answer is not None and not (isinstance(answer, str) and not answer.strip()))


@examples(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=ANSWERS, notes=TEXT, confidence=st.sampled_from(["high", "medium", "low"]))
def test_what_is_exported_is_imported_unchanged(
    boards: Sheet, record: Record, answer: Any, notes: str, confidence: str
) -> None:
    record(label_data=answer, notes=notes, confidence=confidence)
    lines = b"".join(label_blocks(boards)).splitlines(keepends=True)
    assert counts(preview_import(boards, lines)) == (0, 0, len(lines), 0)


def test_api_previews_then_imports_exactly_that(api: APIClient, boards: Sheet, record: Record) -> None:
    query, body = f"{URL}?sheet={boards.pk}", line("a1") + b"\n" + line("b2") + b"\n" + line("x9")
    kind = {"content_type": "application/jsonl"}
    seen = api.post(f"{query}&preview=true", body, **kind).json()
    assert (seen["new"], seen["refused_lines"][0]["line"]) == (2, 3)
    record(item_ref="b2", label_data={"defect": "scratch"})
    assert api.post(f"{query}&plan={seen['plan']}", body, **kind).status_code == 409
    changed = body.replace(b"none", b"scratch", 1)
    again = api.post(f"{query}&preview=true", body, **kind).json()["plan"]
    assert api.post(f"{query}&plan={again}", changed, **kind).status_code == 409
    assert CanonicalLabel.objects.count() == 1
    done = api.post(f"{query}&plan={again}", body, **kind).json()
    assert (done["new"], done["changed"], done["refused"]) == (1, 1, 1)


def test_what_an_expert_saves_while_it_runs_is_not_overwritten(
    api: APIClient, boards: Sheet, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ref in ("a1", "b2"):
        record(item_ref=ref)
    body = b"\n".join(line(ref, label_data={"defect": "scratch"}) for ref in ("a1", "b2"))
    kind = {"content_type": "application/jsonl"}
    plan = api.post(f"{URL}?sheet={boards.pk}&preview=true", body, **kind).json()["plan"]

    def write_and_be_overtaken(*labels: Any, **more: Any) -> set[str]:
        written = record_labels(*labels, **more)
        record(item_ref="b2", label_data={"defect": "dent"}, actor="ana")
        return written

    monkeypatch.setattr("labels.import_plans.CHUNK", 1)
    monkeypatch.setattr(importing, "record_labels", write_and_be_overtaken)
    done = api.post(f"{URL}?sheet={boards.pk}&plan={plan}", body, **kind).json()
    assert (done["changed"], done["refused_lines"][0]["line"]) == (1, 2)
    assert "changed while this was imported" in done["refused_lines"][0]["reason"]
    assert CanonicalLabel.objects.get(item_ref="b2").label_data == {"defect": "dent"}


def test_an_item_that_changed_since_the_preview_is_no_longer_what_was_previewed(
    api: APIClient, boards: Sheet, lakehouse: Path
) -> None:
    kind = {"content_type": "application/jsonl"}
    plan = api.post(f"{URL}?sheet={boards.pk}&preview=true", line("a1"), **kind).json()["plan"]
    DeltaTable(lakehouse / "shop/raw/boards").update(updates={"line": "'west'"}, predicate="board_id = 'a1'")
    assert api.post(f"{URL}?sheet={boards.pk}&plan={plan}", line("a1"), **kind).status_code == 409
    assert not CanonicalLabel.objects.exists()


def test_a_preview_knows_who_may_not_change_uses(boards: Sheet, record: Record, nils: User) -> None:
    record()
    nils.user_permissions.set(Permission.objects.filter(codename="add_canonicallabel"))
    (client := APIClient()).force_authenticate(nils)
    query, body = f"{URL}?sheet={boards.pk}&reason=why", line(prohibited_uses=["training"], usage_reason="PHI")
    seen = client.post(f"{query}&preview=true", body, content_type="application/jsonl").json()
    assert (seen["changed"], seen["refused"]) == (0, 1)
    assert "not change what they may be used for" in seen["refused_lines"][0]["reason"]
    done = client.post(f"{query}&plan={seen['plan']}", body, content_type="application/jsonl").json()
    assert done == seen


def test_a_preview_knows_what_only_a_lead_may_loosen(api: APIClient, boards: Sheet, record: Record) -> None:
    limits = {"prohibited_uses": ["training"], "usage_reason": "PHI"}
    label = record(**limits)
    CanonicalLabel.objects.update(tag_prohibited_uses=["training"])
    body = line(prohibited_uses=[], allowed_uses=["training"])
    loosened = preview_import(boards, [body], Terms(reason="why"))
    assert "ask a platform lead" in loosened.refused[0][1]
    done = import_labels(boards, [body], Terms(reason="why", may_loosen=True), actor="omar")
    label.refresh_from_db()
    assert (counts(done), label.tag_prohibited_uses) == ((0, 1, 0, 0), [])


def test_uses_of_many_labels_change_in_one_commit(boards: Sheet, record: Record, lakehouse: Path) -> None:
    refs = ("a1", "b2", "c3")
    for ref in refs:
        record(item_ref=ref)
    table = DeltaTable(next(lakehouse.rglob("canonical_labels")))
    lines = [line(ref, prohibited_uses=["training"], usage_reason="PHI") for ref in refs]
    done = import_labels(boards, lines, Terms(reason="Found a name"), actor="omar")
    before, _ = table.version(), table.update_incremental()
    assert (counts(done), table.version() - before) == ((0, 3, 0, 0), 1)
    assert list(UsageConstraintAudit.objects.values_list("reason", flat=True)) == ["Found a name"] * 3
    assert set(CanonicalLabelVersion.objects.filter(version=2).values_list("usage_reason", flat=True)) == {"PHI"}


def test_an_empty_body_has_no_lines(api: APIClient, boards: Sheet) -> None:
    answer = api.post(f"{URL}?sheet={boards.pk}", b"", content_type="application/jsonl")
    assert (answer.status_code, answer.json()["new"], answer.json()["refused"]) == (200, 0, 0)


def test_a_file_of_windows_keeps_its_first_line(boards: Sheet) -> None:
    lines = [b"\xef\xbb\xbf" + line("a1") + b"\r\n", line("b2") + b"\r\n"]
    assert counts(import_labels(boards, lines, actor="omar")) == (2, 0, 0, 0)


def test_a_misspelled_option_is_refused(api: APIClient, boards: Sheet) -> None:
    answer = api.post(f"{URL}?sheet={boards.pk}&dry_run=true", line(), content_type="application/jsonl")
    assert "There is no option 'dry_run'" in answer.json()["error"]["fields"]["dry_run"][0]
    assert not CanonicalLabel.objects.exists()


def test_api_takes_no_more_than_it_says(api: APIClient, boards: Sheet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labels.views.MOST_BYTES", 10)
    answer = api.post(f"{URL}?sheet={boards.pk}", line(), content_type="application/jsonl")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert api.post(f"{URL}?sheet={boards.pk}", {}, format="json").status_code == 415


def test_command(boards: Sheet, tmp_path: Path) -> None:
    file, out = tmp_path / "labels.jsonl", StringIO()
    file.write_bytes(line("a1") + b"\n" + line("b2"))
    call_command("import_labels", sheet="Boards", source=file, dry_run=True, stdout=out)
    assert not CanonicalLabel.objects.exists()
    call_command("import_labels", sheet="Boards", source=file, stdout=out)
    assert out.getvalue() == "2 new, 0 changed, 0 unchanged, 0 refused\n" * 2
    file.write_bytes(line("a1") + b"\n" + line("zz"))
    with pytest.raises(CommandError, match="1 line is refused"):
        call_command("import_labels", sheet="Boards", source=file, stdout=out, stderr=StringIO())
