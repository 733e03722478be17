"""The canonical labels of the API for who may yet give a second opinion: listed, with nothing of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labels.opinions.due import blind_labels, expect_open

# What a label shows instead, which is the same for all of them.
HIDDEN: Mapping[str, Any] = {
    "label_data": None, "notes": "", "confidence": "high", "labeled_by": "", "last_modified_by": "", "decided_by": "",
}  # fmt: skip
# Ways to a label that show its past, or bring it back.
SHUT = ("versions", "restore")
# Ways that answer with the label; whoever changes its uses stays blind.
SHOWN = ("retrieve", "uses")


class HidesBlindLabels:
    """A mixin of the labels' view set; its serializer reads `blind` from the context."""

    blind: frozenset[str] = frozenset()

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)  # type: ignore[misc]
        if page and self.action == "list":  # type: ignore[attr-defined]
            self.blind = frozenset(blind_labels(page, self.request.user))  # type: ignore[attr-defined]
        return page

    def get_object(self) -> Any:
        label = super().get_object()  # type: ignore[misc]
        user = self.request.user  # type: ignore[attr-defined]
        if self.action in SHUT:  # type: ignore[attr-defined]
            expect_open(label.sheet, label.label_type, label.item_ref, user)
        elif self.action in SHOWN:  # type: ignore[attr-defined]
            self.blind = frozenset(blind_labels([label], user))
        return label

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "blind": self.blind}  # type: ignore[misc]
