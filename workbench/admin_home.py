"""The home page: the loop with its counts, each a link to the rows it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Count, Model, Q, Sum
from django.http import HttpRequest
from django.urls import reverse

from workbench.sheet_rights import visible_to

LATEST = 6


@dataclass(frozen=True)
class Figure:
    """A count in words, linked to what it counts; `tone`, one of good, warn, bad and info, colours it where it asks for work."""

    count: int
    words: str
    url: str
    tone: str = ""


@dataclass(frozen=True)
class Stage:
    """One step of the loop: its main figure, the smaller ones, and what to do there."""

    name: str
    icon: str
    main: Figure
    more: list[Figure] = field(default_factory=list)
    action: tuple[str, str] | None = None


def with_counts(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the context with the stages that the user may see, the latest training sheets and exports."""
    context |= {"stages": stages(request), "title": "", "subtitle": None}
    if _may(request, "training.view_trainingsheet"):
        context["training_sheets"] = latest_training_sheets(request)
    if _may(request, "training.view_export"):
        context["exports"] = list(_rows(request, "training.Export").select_related("training_sheet")[:LATEST])
    context["first_step"] = _first_step(context)
    return context


def stages(request: HttpRequest) -> list[Stage]:
    """Return the stages of the loop in order, each for those who may view its rows; one query for each table."""
    makers = (
        ("sheets.view_sheet", _data),
        ("training.view_trainingsheet", _generate),
        ("training.view_qapair", _label),
        ("training.view_export", _train),
    )
    return [make(request) for permission, make in makers if _may(request, permission)]


def latest_training_sheets(request: HttpRequest) -> list[Any]:
    """Return the newest training sheets, counted, with the shares of their bar."""
    rows = list(_rows(request, "training.TrainingSheet").select_related("sheet", "template")[:LATEST])
    counted = {row["training_sheet_id"]: row for row in _counts_of(request, [row.pk for row in rows])}
    shifts = _rows(request, "training.ReviewPair").shifts([row.pk for row in rows])
    for row in rows:
        row.counts = counted.get(row.pk) or dict.fromkeys(("total", "labeled", "pre_approved", "unlabeled"), 0)
        _shift(row.counts, shifts.get(row.pk, {}))
        total = row.counts["total"] or 1
        row.reviewed = row.counts["labeled"] - row.counts["pre_approved"]
        row.shares = [
            (name, round(100 * count / total, 2), count)
            for name, count in (("pre-approved", row.counts["pre_approved"]), ("reviewed", row.reviewed))
        ]
    return rows


def _shift(counts: dict[str, int], shift: Mapping[str, int]) -> None:
    """Count what reviewers decided and is not in the lakehouse yet."""
    for name, by in shift.items():
        if (short := name.removesuffix("_pairs")) in counts:
            counts[short] += by


def _counts_of(request: HttpRequest, keys: list[str]) -> Any:
    pairs = _rows(request, "training.QAPair").filter(training_sheet_id__in=keys).order_by()
    return pairs.values("training_sheet_id").annotate(
        total=Count("pk"),
        labeled=Count("pk", filter=Q(status="labeled")),
        unlabeled=Count("pk", filter=Q(status="unlabeled")),
        pre_approved=Count("pk", filter=pairs.pre_approved),
    )


def _data(request: HttpRequest) -> Stage:
    count = _rows(request, "sheets.Sheet").aggregate(sheets=Count("pk"), items=Sum("row_count"))
    more = []
    if _may(request, "labels.view_canonicallabel"):
        labels = _rows(request, "labels.CanonicalLabel").count()
        more.append(Figure(labels, "canonical labels", _list("labels_canonicallabel")))
    sheets = _list("sheets_sheet")
    more.insert(0, Figure(count["items"] or 0, "items", sheets))
    browse = ("Browse the catalog", reverse("admin:sheets_sheet_catalog"))
    return Stage("Data", "table", Figure(count["sheets"], "sheets", sheets), more, browse)


def _generate(request: HttpRequest) -> Stage:
    more = []
    if _may(request, "templates_app.view_prompttemplate"):
        templates, url = _rows(request, "templates_app.PromptTemplate"), _list("templates_app_prompttemplate")
        by_status = templates.aggregate(
            published=Count("pk", filter=Q(status="published")), drafts=Count("pk", filter=Q(status="draft"))
        )
        more = [Figure(by_status["published"], "published templates", f"{url}?status__exact=published")]
        if by_status["drafts"]:
            more.append(Figure(by_status["drafts"], "draft templates", f"{url}?status__exact=draft"))
    url = _list("training_trainingsheet")
    count = _rows(request, "training.TrainingSheet").aggregate(
        all=Count("pk"), review=Count("pk", filter=Q(status="review")), failed=Count("pk", filter=Q(status="failed"))
    )
    more.append(Figure(count["review"], "in review", f"{url}?status__exact=review"))
    if count["failed"]:
        more.append(Figure(count["failed"], "failed", f"{url}?status__exact=failed", "bad"))
    action = None
    if _may(request, "training.add_trainingsheet"):
        action = ("Generate", reverse("admin:training_trainingsheet_generate"))
    return Stage("Generate", "auto_awesome", Figure(count["all"], "training sheets", url), more, action)


def _label(request: HttpRequest) -> Stage:
    url = _list("training_qapair")
    statuses = ("labeled", "unlabeled", "flagged", "rejected")
    pairs = _rows(request, "training.QAPair")
    count = pairs.aggregate(
        all=Count("pk"),
        pre_approved=Count("pk", filter=pairs.pre_approved),
        **{status: Count("pk", filter=Q(status=status)) for status in statuses},
    )
    for shift in _rows(request, "training.ReviewPair").shifts().values():
        _shift(count, shift)
    more = [
        Figure(count["pre_approved"], "pre-approved", f"{url}?review=pre_approved&status__exact=labeled", "good"),
        Figure(count["unlabeled"], "to review", f"{url}?status__exact=unlabeled", "warn" if count["unlabeled"] else ""),
        Figure(count["labeled"], "labeled", f"{url}?status__exact=labeled"),
        Figure(count["flagged"], "flagged", f"{url}?status__exact=flagged"),
        Figure(count["rejected"], "rejected", f"{url}?status__exact=rejected"),
    ]
    action = ("Label items", reverse("label-entry")) if _may(request, "labels.add_canonicallabel") else None
    return Stage("Label", "rate_review", Figure(count["all"], "pairs", url), more, action)


def _train(request: HttpRequest) -> Stage:
    count = _rows(request, "training.Export").aggregate(
        all=Count("pk"), exported=Sum("exported_pairs"), cut=Count("pk", filter=Q(is_complete=False))
    )
    url = _list("training_export")
    more = [Figure(count["exported"] or 0, "pairs left as JSONL", url)]
    if count["cut"]:
        more.append(Figure(count["cut"], "not read to the end", f"{url}?is_complete__exact=0", "warn"))
    return Stage("Train", "download", Figure(count["all"], "exports", url), more)


def _first_step(context: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return (words, button, address) of what to do first while a stage before the last is still empty."""
    by_name = {stage.name: stage for stage in context["stages"]}
    for name, words in (
        ("Data", "Start with a sheet: it points at a table of the lakehouse and says which column names an item."),
        (
            "Generate",
            "Apply a published template to a sheet: every item becomes a pair, its answer drafted or pre-approved.",
        ),
    ):
        stage = by_name.get(name)
        if stage and not stage.main.count and stage.action:
            return (words, *stage.action)
    return None


def _may(request: HttpRequest, permission: str) -> bool:
    return request.user.has_perm(permission)


def _model(name: str) -> type[Model]:
    return apps.get_model(name)


def _rows(request: HttpRequest, name: str) -> Any:
    return visible_to(request.user, _model(name)._default_manager.all())


def _list(name: str) -> str:
    return reverse(f"admin:{name}_changelist")
