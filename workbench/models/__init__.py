"""What the workbench keeps about who may do what: tokens, rights on sheets, refusals. All in the default database."""

from workbench.models.grants import SheetGrant as SheetGrant
from workbench.models.refusals import Refusal as Refusal
from workbench.models.tokens import AccessToken as AccessToken
from workbench.models.tokens import TokenOwner as TokenOwner
