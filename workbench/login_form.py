"""The admin's form to sign in, which keeps a failure among the refusals."""

from __future__ import annotations

from math import ceil
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from workbench.api.rates import SignInRate
from workbench.refusals import because, refused


class LoginForm(AuthenticationForm):  # type: ignore[misc]  # unfold has no types
    """User name and password; `single_sign_on` names the provider that signs in as well, if there is one."""

    single_sign_on: str = settings.OIDC.get("name", "")

    def clean(self) -> dict[str, Any]:
        """Return what was typed, once a password may be tried: from one address so often only, whatever the names."""
        rate = SignInRate()
        if not rate.allow_request(self.request, None):
            words = f"Too many passwords were tried from here. Wait {ceil(rate.wait())} seconds."
            because(self.request, words, str(self.cleaned_data.get("username", "")))
            refused(self.request, 429, words)
            raise ValidationError(words)
        cleaned: dict[str, Any] = super().clean()
        return cleaned

    def get_invalid_login_error(self) -> ValidationError:
        """Return what the form says, once it is kept that somebody was refused."""
        because(self.request, "Wrong user name or password.", str(self.cleaned_data.get("username", "")))
        if not getattr(self.request, "axes_locked_out", False):
            refused(self.request, 401, self.request.refused_because)
        error: ValidationError = super().get_invalid_login_error()
        return error
