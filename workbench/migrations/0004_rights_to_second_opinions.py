"""What second opinions add to the roles."""

from django.db import migrations

from workbench.granting import giving
from workbench.roles import ADJUDICATES, EXPERT, LEAD, ROLES, SCIENTIST

LOOK = ("labels.view_secondopinion", "labels.view_labelopinion")
GIVE = "labels.add_labelopinion"


class Migration(migrations.Migration):
    dependencies = [("workbench", "0003_tokens_are_hashed")]

    operations = [
        giving(
            {
                **dict.fromkeys(ROLES, LOOK),
                EXPERT: (*LOOK, GIVE),
                SCIENTIST: (*LOOK, GIVE, *ADJUDICATES),
                LEAD: (*LOOK, GIVE, *ADJUDICATES),
            }
        )
    ]
