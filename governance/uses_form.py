"""Uses in a form: one box for each."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from governance.uses import USES


class UsesField(forms.MultipleChoiceField):
    """A list of uses, ticked."""

    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "choices": [(use, use) for use in USES], **kwargs})

    def has_changed(self, initial: Any, data: Any) -> bool:
        return set(initial or ()) != set(data or ())
