"""The four roles, as groups of the admin: which permissions each is made with.

A site may change its groups afterwards, and nothing changes them back, see `workbench.granting`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

EXPERT, SCIENTIST, ENGINEER, LEAD = "domain expert", "data scientist", "ML engineer", "platform lead"

LOOKS_AT = (
    "sheets.view_sheet",
    "templates_app.view_prompttemplate",
    "labels.view_canonicallabel",
    "labels.view_canonicallabelversion",
    "labels.view_secondopinion",
    "labels.view_labelopinion",
    "training.view_trainingsheet",
    "training.view_qapair",
    "training.view_reviewevent",
    "training.view_export",
    "training.view_conversation",
    "training.view_trainingfile",
    "training.view_jobrun",
    "governance.view_usageconstraintaudit",
    "governance.view_tagpolicy",
    "governance.view_heldoutitem",
    "training.view_finding",
)
# Labels items, and reviews what was drafted.
LABELS = (
    "labels.add_canonicallabel", "labels.change_canonicallabel", "labels.add_labelopinion", "training.change_qapair",
)  # fmt: skip
# Asks for second opinions, and decides between two.
ADJUDICATES = ("labels.add_secondopinion", "labels.change_secondopinion", "labels.change_labelopinion")
# Defines sheets, writes templates, generates.
GENERATES = (
    "sheets.add_sheet", "sheets.change_sheet", "sheets.delete_sheet",
    "templates_app.add_prompttemplate", "templates_app.change_prompttemplate", "templates_app.delete_prompttemplate",
    "training.add_trainingsheet", "training.change_trainingsheet", "training.change_jobrun",
)  # fmt: skip
# Exports and trains.
TRAINS = (
    "training.add_export", "training.change_jobrun", "training.add_conversation",
    "training.add_trainingfile", "training.change_trainingfile", "training.delete_trainingfile",
)  # fmt: skip
# Says what may be used for what, and who sees what.
GOVERNS = (
    "governance.change_uses", "governance.loosen_tag_rule",
    "governance.add_tagpolicy", "governance.change_tagpolicy", "governance.delete_tagpolicy",
    "training.take_over_reviewpair",
    "workbench.see_every_sheet",
    "workbench.view_sheetgrant", "workbench.add_sheetgrant", "workbench.change_sheetgrant", "workbench.delete_sheetgrant",
    "workbench.view_accesstoken", "workbench.delete_accesstoken", "workbench.view_refusal",
    "axes.view_accessattempt", "axes.delete_accessattempt",
    "auth.view_user", "auth.view_group",
)  # fmt: skip

Rights = Mapping[str, Iterable[str]]
ROLES: Rights = {
    EXPERT: (*LOOKS_AT, *LABELS),
    SCIENTIST: (*LOOKS_AT, *LABELS, *ADJUDICATES, *GENERATES, "training.add_export", "governance.change_uses"),
    ENGINEER: (*LOOKS_AT, *TRAINS),
    LEAD: (*LOOKS_AT, *LABELS, *ADJUDICATES, *GENERATES, *TRAINS, *GOVERNS),
}
