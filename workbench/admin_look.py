"""How the admin looks: its name, colours, and the sidebar that follows the loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy

TITLE = "Training Dataset Workbench"
# Teal, one step darker than usual: white text on 600 has a contrast above 5:1.
PRIMARY = {
    "50": "oklch(98.4% .014 180.72)",
    "100": "oklch(95.3% .051 180.801)",
    "200": "oklch(91% .096 180.426)",
    "300": "oklch(85.5% .138 181.071)",
    "400": "oklch(70.4% .14 182.503)",
    "500": "oklch(60% .118 184.704)",
    "600": "oklch(51.1% .096 186.391)",
    "700": "oklch(43.7% .078 188.216)",
    "800": "oklch(38.6% .063 188.416)",
    "900": "oklch(32% .055 190)",
    "950": "oklch(27.7% .046 192.524)",
}


def may(*permissions: str) -> Callable[[HttpRequest], bool]:
    """Return whether the one who asks has all of these permissions."""

    def check(request: HttpRequest) -> bool:
        return request.user.has_perms(permissions)

    return check


def screen(title: str, icon: str, app: str, model: str) -> dict[str, Any]:
    """Return the sidebar's entry for a concept, shown to those who may view it."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": may(f"{app}.view_{model}"),
    }


def tracing(title: str, icon: str, name: str) -> dict[str, Any]:
    """Return the sidebar's entry for a page that the audit leads to."""
    link = reverse_lazy(f"admin:governance_usageconstraintaudit_{name}")
    return {"title": title, "icon": icon, "link": link, "permission": may("governance.view_usageconstraintaudit")}


def on(*pages: str, but: tuple[str, ...] = ()) -> Callable[[HttpRequest], bool]:
    """Return whether one of these pages, or one below, is open, but none of those below that have an entry of their own."""

    def check(request: HttpRequest) -> bool:
        def is_open(page: str) -> bool:
            return request.path.startswith(reverse(f"admin:{page}"))

        return any(map(is_open, pages)) and not any(map(is_open, but))

    return check


AUDIT = "governance_usageconstraintaudit"
ON_SHEETS = on("sheets_sheet_changelist", but=("sheets_sheet_catalog", "sheets_sheet_tag"))
ON_EVENTS = on("training_reviewevent_changelist", but=("training_reviewevent_ground_truth",))
ON_AUDIT = on(f"{AUDIT}_changelist", but=(f"{AUDIT}_recall", f"{AUDIT}_exclusions"))
# A place is tagged below the address of sheets, for the sake of these rules.
ON_RULES = on("governance_tagpolicy_changelist", "sheets_sheet_tag")


NAVIGATION = [
    {"items": [{"title": "Home", "icon": "home", "link": reverse_lazy("admin:index")}]},
    {
        "title": "1 · Data",
        "separator": True,
        "items": [
            {
                "title": "Catalog",
                "icon": "account_tree",
                "link": reverse_lazy("admin:sheets_sheet_catalog"),
                "permission": may("sheets.view_sheet"),
            },
            screen("Sheets", "table", "sheets", "sheet") | {"active": ON_SHEETS},
        ],
    },
    {
        "title": "2 · Generate",
        "items": [screen("Training sheets", "dataset", "training", "trainingsheet")],
    },
    {
        "title": "3 · Label",
        "items": [
            screen("Pairs", "forum", "training", "qapair"),
            {
                "title": "Labeling",
                "icon": "edit_note",
                "link": reverse_lazy("label-entry"),
                "permission": may("labels.add_canonicallabel"),
            },
            screen("Second opinions", "balance", "labels", "secondopinion"),
            screen("Opinions given", "compare", "labels", "labelopinion"),
            screen("Review events", "rate_review", "training", "reviewevent") | {"active": ON_EVENTS},
        ],
    },
    {
        "title": "4 · Train",
        "items": [
            screen("Exports", "download", "training", "export"),
            {
                "title": "Ground truth",
                "icon": "fact_check",
                "link": reverse_lazy("admin:training_reviewevent_ground_truth"),
                "permission": may("training.add_export"),
            },
            screen("Conversations", "chat", "training", "conversation"),
            screen("Training files", "folder_zip", "training", "trainingfile"),
            screen("Job runs", "play_circle", "training", "jobrun"),
        ],
    },
    {
        "title": "Tools",
        "separator": True,
        "items": [
            screen("Prompt templates", "description", "templates_app", "prompttemplate"),
            screen("Canonical labels", "verified", "labels", "canonicallabel"),
            {"title": "API", "icon": "api", "link": reverse_lazy("docs")},
        ],
    },
    {
        "title": "Governance",
        "items": [
            screen("Usage changes", "policy", "governance", "usageconstraintaudit") | {"active": ON_AUDIT},
            tracing("Recall", "undo", "recall"),
            tracing("Exclusions", "filter_alt_off", "exclusions"),
            screen("Tag rules", "sell", "governance", "tagpolicy") | {"active": ON_RULES},
            screen("Held-out items", "lock", "governance", "heldoutitem"),
            screen("Sensitive data", "visibility_off", "training", "finding"),
            screen("Label versions", "history", "labels", "canonicallabelversion"),
            screen("Refusals", "block", "workbench", "refusal"),
            screen("Failed sign-ins", "lock_clock", "axes", "accessattempt"),
            screen("Users", "person", "auth", "user"),
            screen("Groups and roles", "group", "auth", "group"),
            screen("Tokens", "key", "workbench", "accesstoken") | {"permission": lambda request: request.user.is_staff},
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": TITLE,
    "SITE_HEADER": "Training Dataset",
    "SITE_SUBHEADER": "Workbench",
    "SITE_SYMBOL": "model_training",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("workbench/favicon.svg")},
    ],
    "STYLES": [lambda _request: static("workbench/admin.css")],
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "COLORS": {"primary": PRIMARY},
    "DASHBOARD_CALLBACK": "workbench.admin_home.with_counts",
    "LOGIN": {"form": "workbench.login_form.LoginForm"},
    "COMMAND": {"search_models": False, "show_history": False},
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": NAVIGATION},
}
