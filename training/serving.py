"""The models that a Databricks workspace serves: its OpenAI-compatible address, and a token of the SDK's sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from workbench import workspace
from workbench.problems import Unavailable

PATH = "/serving-endpoints"


@dataclass(frozen=True)
class SignIn:
    """Gives the headers of a call. The SDK renews a token beside the calls while the old one is still good."""

    address: str

    def __call__(self) -> Mapping[str, str]:
        """Return the Authorization header; Unavailable where no sign-in is configured, or it is refused."""
        try:
            return workspace.sign_in(self.address).authenticate()
        # OSError covers what the SDK raises for a workspace that does not answer or refuses.
        except (ValueError, OSError) as error:
            raise Unavailable(
                f"The sign-in to the models of {self.address} failed: {error}. Set DATABRICKS_TOKEN, or "
                "DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, of one who may query the serving endpoint."
            ) from error


def base_and_sign_in(url: str) -> tuple[str, SignIn]:
    """Return where the models of `databricks://HOST` answer, and its sign-in; a path in the URL is one of a gateway."""
    parts = urlsplit(url)
    address = workspace.address(str(parts.hostname), parts.port or "")
    return f"{address}{parts.path.rstrip('/') or PATH}", SignIn(address)
