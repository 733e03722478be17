"""Who may do what: every endpoint, screen, admin page, admin action and command, with the permission that it asks for.

Tests walk what there is, fail for what is not listed here, and try each row as a user of each role and of none.
`docs/roles.md` shows it. Whoever passes sees only the sheets that they see, see `workbench.sheet_rights`.
"""

from __future__ import annotations

# What stands in the place of a permission.
OPEN = "nobody in particular"
SIGNED_IN = "anybody signed in"
STAFF = "anybody with access to the admin"
SIGNED_LINK = "whoever has a signed link"
OPERATOR = "anybody with a shell on the server"

Table = dict[str, str]

REVIEW = "training.change_qapair"
STEER = "training.change_jobrun"
CHANGE_USES = "governance.change_uses"
LOOSEN = "governance.loosen_tag_rule"
READ_AUDIT = "governance.view_usageconstraintaudit"
LABEL = "labels.add_canonicallabel"
EXPORT = "training.add_export"
FILL_FILE = "training.change_trainingfile"
WRITE_TEMPLATE = "templates_app.add_prompttemplate"

# Parts in braces stand for what an address has there.
ENDPOINTS: Table = {
    "GET /api/schema": SIGNED_IN,
    "GET /api/docs": SIGNED_IN,
    "POST /api/v1/auth/token": OPEN,
    "DELETE /api/v1/auth/token": SIGNED_IN,
    "GET /api/v1/catalog": SIGNED_IN,
    "GET /api/v1/catalog/{}": SIGNED_IN,
    "GET /api/v1/catalog/{}/{}": SIGNED_IN,
    "GET /api/v1/catalog/{}/{}/volumes/{}": SIGNED_IN,
    "GET /api/v1/catalog/{}/{}/{}": SIGNED_IN,
    "GET /api/v1/files/{}": SIGNED_IN,
    "GET /api/v1/sheets": SIGNED_IN,
    "POST /api/v1/sheets": "sheets.add_sheet",
    "GET /api/v1/sheets/{}": SIGNED_IN,
    "PATCH /api/v1/sheets/{}": "sheets.change_sheet",
    "DELETE /api/v1/sheets/{}": "sheets.delete_sheet",
    "GET /api/v1/sheets/{}/items": SIGNED_IN,
    "GET /api/v1/sheets/{}/items/{}": SIGNED_IN,
    "GET /api/v1/sheets/{}/progress": SIGNED_IN,
    "GET /api/v1/sheets/{}/uses": SIGNED_IN,
    "GET /api/v1/sheets/{}/grants": "workbench.view_sheetgrant",
    "POST /api/v1/sheets/{}/grants": "workbench.change_sheetgrant",
    "POST /api/v1/sheets/{}/validate": "sheets.add_sheet",
    "GET /api/v1/templates": SIGNED_IN,
    "POST /api/v1/templates": WRITE_TEMPLATE,
    "GET /api/v1/templates/{}": SIGNED_IN,
    "PATCH /api/v1/templates/{}": "templates_app.change_prompttemplate",
    "DELETE /api/v1/templates/{}": "templates_app.delete_prompttemplate",
    "POST /api/v1/templates/{}/publish": WRITE_TEMPLATE,
    "POST /api/v1/templates/{}/duplicate": WRITE_TEMPLATE,
    "POST /api/v1/templates/{}/archive": WRITE_TEMPLATE,
    "POST /api/v1/templates/{}/test": SIGNED_IN,
    "GET /api/v1/templates/{}/preflight": SIGNED_IN,
    "GET /api/v1/canonical-labels": SIGNED_IN,
    "POST /api/v1/canonical-labels": LABEL,
    "GET /api/v1/canonical-labels/{}": SIGNED_IN,
    "GET /api/v1/canonical-labels/{}/versions": SIGNED_IN,
    "GET /api/v1/canonical-labels/export": SIGNED_IN,
    "GET /api/v1/second-opinions": SIGNED_IN,
    "GET /api/v1/second-opinions/{}": SIGNED_IN,
    "POST /api/v1/second-opinions": "labels.add_secondopinion",
    "GET /api/v1/label-opinions": SIGNED_IN,
    "GET /api/v1/label-opinions/{}": SIGNED_IN,
    "POST /api/v1/label-opinions": "labels.add_labelopinion",
    "POST /api/v1/label-opinions/{}/adjudicate": "labels.change_labelopinion",
    "GET /api/v1/agreement": SIGNED_IN,
    "GET /api/v1/canonical-labels/ahead": SIGNED_IN,
    "POST /api/v1/canonical-labels/hold": LABEL,
    "POST /api/v1/canonical-labels/let-go": LABEL,
    "POST /api/v1/canonical-labels/import": LABEL,
    "POST /api/v1/canonical-labels/{}/restore": LABEL,
    "GET /api/v1/training-sheets": SIGNED_IN,
    "GET /api/v1/training-sheets/{}": SIGNED_IN,
    "POST /api/v1/training-sheets/generate": "training.add_trainingsheet",
    "GET /api/v1/training-sheets/{}/progress": SIGNED_IN,
    "GET /api/v1/training-sheets/{}/queue": SIGNED_IN,
    "POST /api/v1/training-sheets/{}/queue/claim": REVIEW,
    "GET /api/v1/training-sheets/{}/export/jsonl": EXPORT,
    "GET /api/v1/training-sheets/{}/export/summary": SIGNED_IN,
    "GET /api/v1/training-sheets/{}/export/checks": SIGNED_IN,
    "POST /api/v1/training-sheets/{}/exports": EXPORT,
    "POST /api/v1/training-sheets/{}/findings": REVIEW,
    "GET /api/v1/training-sheets/{}/near-held-out": SIGNED_IN,
    "GET /api/v1/findings": SIGNED_IN,
    "GET /api/v1/findings/{}": SIGNED_IN,
    "POST /api/v1/findings/{}/dismiss": REVIEW,
    "GET /api/v1/held-out": SIGNED_IN,
    "GET /api/v1/held-out/{}": SIGNED_IN,
    "POST /api/v1/held-out/reserve": CHANGE_USES,
    "POST /api/v1/held-out/release": LOOSEN,
    "GET /api/v1/qa-pairs": SIGNED_IN,
    "GET /api/v1/qa-pairs/{}": SIGNED_IN,
    **{
        f"POST /api/v1/qa-pairs/{{}}/{verb}": REVIEW
        for verb in ("approve", "edit", "reject", "flag", "reopen", "undo", "hold", "let-go")
    },
    "POST /api/v1/qa-pairs/review": REVIEW,
    "POST /api/v1/qa-pairs/undo-batch": REVIEW,
    "GET /api/v1/review-views": SIGNED_IN,
    "POST /api/v1/review-views": REVIEW,
    "GET /api/v1/review-views/{}": SIGNED_IN,
    "DELETE /api/v1/review-views/{}": REVIEW,
    "GET /api/v1/review-events": SIGNED_IN,
    "GET /api/v1/review-events/{}": SIGNED_IN,
    "GET /api/v1/exports": SIGNED_IN,
    "GET /api/v1/exports/{}": SIGNED_IN,
    "GET /api/v1/exports/{}/manifest": EXPORT,
    "POST /api/v1/exports/{}/link": EXPORT,
    "GET /api/v1/exports/{}/download": SIGNED_LINK,
    "GET /api/v1/ground-truth/export": EXPORT,
    "GET /api/v1/ground-truth/stats": SIGNED_IN,
    "GET /api/v1/conversations": SIGNED_IN,
    "GET /api/v1/conversations/{}": SIGNED_IN,
    "DELETE /api/v1/conversations/{}": "training.add_conversation",
    "POST /api/v1/conversations/{}/uses": CHANGE_USES,
    "POST /api/v1/conversations/import": "training.add_conversation",
    "POST /api/v1/conversations/from-training-sheet": "training.add_conversation",
    "GET /api/v1/training-files": SIGNED_IN,
    "POST /api/v1/training-files": "training.add_trainingfile",
    "GET /api/v1/training-files/{}": SIGNED_IN,
    "DELETE /api/v1/training-files/{}": "training.delete_trainingfile",
    "GET /api/v1/training-files/{}/suggestions": SIGNED_IN,
    "GET /api/v1/training-files/{}/download": EXPORT,
    "GET /api/v1/training-files/{}/content": SIGNED_LINK,
    **{
        f"POST /api/v1/training-files/{{}}/{verb}": FILL_FILE
        for verb in ("add-conversations", "add-matching", "remove-conversations", "rebuild", "archive", "restore")
    },
    "GET /api/v1/jobs": SIGNED_IN,
    "GET /api/v1/jobs/{}": SIGNED_IN,
    **{f"POST /api/v1/jobs/{{}}/{verb}": STEER for verb in ("pause", "resume", "retry", "cancel")},
    "POST /api/v1/sheets/{}/uses": CHANGE_USES,
    "POST /api/v1/canonical-labels/{}/uses": CHANGE_USES,
    "POST /api/v1/canonical-labels/uses": CHANGE_USES,
    "POST /api/v1/qa-pairs/{}/uses": CHANGE_USES,
    "POST /api/v1/qa-pairs/uses": CHANGE_USES,
    "GET /api/v1/tag-policies": SIGNED_IN,
    "GET /api/v1/tag-policies/{}": SIGNED_IN,
    "POST /api/v1/tag-policies": "governance.add_tagpolicy",
    "PATCH /api/v1/tag-policies/{}": "governance.change_tagpolicy",
    "DELETE /api/v1/tag-policies/{}": "governance.delete_tagpolicy",
    "GET /api/v1/usage-constraint-audit": SIGNED_IN,
    "GET /api/v1/usage-constraint-audit/{}": SIGNED_IN,
    "GET /api/v1/usage-constraint-audit/export": READ_AUDIT,
    "GET /api/v1/usage-constraint-audit/verification": READ_AUDIT,
    "GET /api/v1/withdrawals": SIGNED_IN,
    "GET /api/v1/withdrawals/{}": SIGNED_IN,
    "GET /api/v1/governance/recall": SIGNED_IN,
    "GET /api/v1/governance/recall/report": READ_AUDIT,
    "GET /api/v1/governance/timeline": SIGNED_IN,
    "GET /api/v1/governance/exclusions": SIGNED_IN,
    "POST /api/v1/governance/what-if": CHANGE_USES,
    # Taking a tag away, or loosening with one, asks for `governance.loosen_tag_rule` too.
    "POST /api/v1/governance/tags": CHANGE_USES,
    "POST /api/v1/governance/withdraw": CHANGE_USES,
    # Releasing asks for `governance.loosen_tag_rule` too; a refusal of that is a row of the audit.
    "POST /api/v1/governance/release": CHANGE_USES,
}

# Screens outside the admin. Deciding on them asks for what the API asks for.
SCREENS: Table = {
    "/": OPEN,
    "/signed-in/": SIGNED_IN,
    "/label/{}/{}/agreement": SIGNED_IN,
    "/label/{}/{}/adjudicate": SIGNED_IN,
    "/review/{}/": SIGNED_IN,
    "/review/{}/progress": SIGNED_IN,
    "/review/{}/pairs/{}": SIGNED_IN,
    "/review/{}/list": SIGNED_IN,
    "/review/{}/views": REVIEW,
    "/label/": SIGNED_IN,
    "/label/{}/{}/": SIGNED_IN,
    "/label/{}/{}/item": SIGNED_IN,
    "/label/{}/{}/progress": SIGNED_IN,
    "/label/import/{}/": LABEL,
    "/label/versions/{}/": SIGNED_IN,
}

# What can be done with the rows of each model in the admin: list and page, adding, changing, deleting.
ADMIN_MODELS: Table = {
    "sheets.sheet": "view add change delete",
    "templates_app.prompttemplate": "view add change delete",
    "labels.canonicallabel": "view add change",
    "labels.canonicallabelversion": "view",
    "labels.secondopinion": "view add change",
    "labels.labelopinion": "view",
    "training.trainingsheet": "view",
    "training.qapair": "view",
    "training.reviewevent": "view",
    "training.jobrun": "view",
    "training.export": "view",
    "training.conversation": "view",
    "training.trainingfile": "view",
    "governance.usageconstraintaudit": "view",
    "governance.heldoutitem": "view",
    "training.finding": "view",
    "governance.tagpolicy": "view add change",
    "workbench.refusal": "view",
    "axes.accessattempt": "view delete",
    "auth.user": "view add change delete",
    "auth.group": "view add change delete",
}

# Pages of the admin beyond those of a model, by the name of their address.
ADMIN_PAGES: Table = {
    "sheets_sheet_catalog": "sheets.view_sheet",
    "sheets_sheet_volume": "sheets.view_sheet",
    "sheets_sheet_tag": CHANGE_USES,
    "sheets_sheet_define": "sheets.add_sheet",
    "sheets_sheet_define_preview": "sheets.add_sheet",
    "sheets_sheet_items": "sheets.view_sheet",
    "sheets_sheet_item": "sheets.view_sheet",
    "sheets_sheet_rights": "workbench.change_sheetgrant",
    "sheets_sheet_browse": STAFF,
    "sheets_sheet_generate": "training.add_trainingsheet",
    "sheets_sheet_all_items": "sheets.view_sheet",
    "sheets_sheet_check_items": "sheets.view_sheet",
    "sheets_sheet_sensitive": "sheets.view_sheet",
    "sheets_sheet_find_sensitive": "sheets.view_sheet",
    "sheets_sheet_change_uses": CHANGE_USES,
    "sheets_sheet_who_sees": "workbench.change_sheetgrant",
    "sheets_sheet_label": "sheets.view_sheet",
    "labels_canonicallabel_label_items": STAFF,
    "labels_canonicallabel_open_item": "labels.view_canonicallabel",
    "labels_canonicallabel_versions": "labels.view_canonicallabel",
    **dict.fromkeys(
        (f"labels_canonicallabel_as_{form}" for form in ("jsonl", "coco", "yolo")), "labels.view_canonicallabel"
    ),
    "labels_secondopinion_agreement": "labels.view_secondopinion",
    # As it opens without a template: to begin one. One that is there opens for who may view it.
    "templates_app_prompttemplate_studio": WRITE_TEMPLATE,
    "templates_app_prompttemplate_studio_preview": "templates_app.view_prompttemplate",
    "templates_app_prompttemplate_compare": "templates_app.view_prompttemplate",
    "templates_app_prompttemplate_write": WRITE_TEMPLATE,
    "templates_app_prompttemplate_open_studio": "templates_app.view_prompttemplate",
    "templates_app_prompttemplate_publish": "templates_app.change_prompttemplate",
    "templates_app_prompttemplate_duplicate": WRITE_TEMPLATE,
    "templates_app_prompttemplate_archive": "templates_app.change_prompttemplate",
    "training_trainingsheet_generate": "training.add_trainingsheet",
    "training_trainingsheet_counts": "training.add_trainingsheet",
    "training_trainingsheet_try": WRITE_TEMPLATE,
    "training_trainingsheet_open_review": "training.view_trainingsheet",
    "training_trainingsheet_export": EXPORT,
    "training_trainingsheet_pairs": "training.view_trainingsheet",
    "training_trainingsheet_guard": "training.view_trainingsheet",
    "training_trainingsheet_guarded": "training.view_trainingsheet",
    "training_qapair_review": REVIEW,
    "training_qapair_open_review": "training.view_qapair",
    "training_qapair_timeline": "training.view_qapair",
    **dict.fromkeys(
        (
            f"governance_usageconstraintaudit_{page}"
            for page in ("timeline", "recall", "exclusions", "verify_now", "as_csv", "as_jsonl")
        ),
        READ_AUDIT,
    ),
    "training_export_download": EXPORT,
    "training_export_manifest": EXPORT,
    "training_reviewevent_ground_truth": EXPORT,
    "training_conversation_bring_in": "training.add_conversation",
    "training_trainingfile_new": "training.add_trainingfile",
    "training_trainingfile_fill": FILL_FILE,
    "training_trainingfile_act": FILL_FILE,
    "training_trainingfile_download": EXPORT,
    "training_jobrun_now": "training.view_jobrun",
    "training_jobrun_ask": STEER,
    "auth_user_password_change": "auth.change_user",
    # Tokens: one's own are everybody's, those of others are for who may view or delete them.
    "workbench_accesstoken_changelist": STAFF,
    "workbench_accesstoken_add": STAFF,
    "workbench_accesstoken_change": STAFF,
    "workbench_accesstoken_revoke": STAFF,
}

# Actions on chosen rows of a list.
ADMIN_ACTIONS: Table = {
    "sheets.sheet generate_selected": "training.add_trainingsheet",
    "training.trainingsheet export_selected": EXPORT,
    "training.qapair approve_selected": REVIEW,
    "training.qapair reject_selected": REVIEW,
    "training.qapair change_uses_selected": CHANGE_USES,
    "training.qapair reserve_selected": CHANGE_USES,
    "training.finding dismiss_selected": REVIEW,
    "labels.canonicallabel change_uses_selected": CHANGE_USES,
    "labels.canonicallabel reserve_selected": CHANGE_USES,
    "governance.heldoutitem release_selected": LOOSEN,
}

# Commands work on all sheets, with the rights of the process that runs them.
COMMANDS: Table = dict.fromkeys(
    (
        "apply_reviews", "demo", "doctor", "export_audit", "export_ground_truth", "export_jsonl", "export_labels", "generate",
        "import_labels", "loadseed", "migrate", "optimize_tables", "run_job", "serve", "serve_app", "sql", "verify_audit",
        "verify_export", "verify_report", "worker",
    ),
    OPERATOR,
)  # fmt: skip
