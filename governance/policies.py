"""The rules that say what tags mean: read by everything that asks the gate, changed with a reason, and audited."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from governance import audit
from governance.changing import in_order
from governance.models import TagPolicy
from governance.uses import CLASSIFICATIONS, USES, TagRule, validate_uses
from workbench.near import near_misses
from workbench.problems import Conflict, Forbidden, Invalid

Values = Mapping[str, Any]
FIELDS = ("tag", "prohibited_uses", "data_classification")
EMPTY = TagPolicy(tag="", prohibited_uses=[], data_classification="")


def current_policy() -> dict[str, TagRule]:
    """Return what each tag means now, in one query; read once for a request or a run."""
    rows = TagPolicy.objects.values_list("tag", "prohibited_uses", "data_classification")
    return {tag: TagRule(frozenset(prohibited), classification or None) for tag, prohibited, classification in rows}


def add_policy(values: Values, reason: str, *, actor: str) -> TagPolicy:
    """Return the new rule. Invalid naming each input at fault, Conflict where the tag has a rule."""
    policy = TagPolicy(**_clean(values), created_by=actor, updated_by=actor)
    _check(policy, reason)
    if TagPolicy.objects.filter(tag=policy.tag).exists():
        raise _taken(policy)
    _audit(EMPTY, policy, reason, actor)
    try:
        policy.save(force_insert=True)
    except IntegrityError as error:
        raise _taken(policy) from error
    return policy


def change_policy(policy: TagPolicy, values: Values, reason: str, *, actor: str, may_loosen: bool) -> TagPolicy:
    """Return the changed rule. Errors as for adding one; Forbidden for what loosens it, without the right to."""
    after = copy(policy)
    for name, value in _clean(values).items():
        setattr(after, name, value)
    _check(after, reason)
    if after.tag != policy.tag:
        raise Invalid.of_fields("The tag rule was not saved.", {"tag": ["A rule keeps its tag: make another one."]})
    if (_height(after), set(after.prohibited_uses)) == (_height(policy), set(policy.prohibited_uses)):
        raise Conflict(f"The rule of the tag {policy.tag} is so already: nothing changes.")
    _refuse_loosening(policy, after, actor=actor, may_loosen=may_loosen)
    after.updated_by, after.updated_at = actor, timezone.now()
    # The audit comes first: what it says and what then was not done is better than the reverse.
    _audit(policy, after, reason, actor)
    after.save(update_fields=["prohibited_uses", "data_classification", "updated_by", "updated_at"])
    return after


def remove_policy(policy: TagPolicy, reason: str, *, actor: str, may_loosen: bool) -> None:
    """Delete the rule: its tag means nothing from now on. Errors as for a change."""
    _check(policy, reason)
    _refuse_loosening(policy, EMPTY, actor=actor, may_loosen=may_loosen)
    _audit(policy, EMPTY, reason, actor)
    TagPolicy.objects.filter(pk=policy.pk).delete()


def _clean(values: Values) -> dict[str, Any]:
    known = {name: values[name] for name in FIELDS if name in values}
    if "tag" in known:
        known["tag"] = str(known["tag"]).strip().upper()
    return known


def _check(policy: TagPolicy, reason: str) -> None:
    faults = {
        "tag": [] if policy.tag else ["Name the tag, such as PHI."],
        "prohibited_uses": _use_faults(policy.prohibited_uses),
        "data_classification": _classification_faults(policy.data_classification),
        "reason": [] if reason.strip() else ["Say why; it is kept in the audit."],
    }
    if not (policy.prohibited_uses or policy.data_classification or any(faults.values())):
        faults["prohibited_uses"] = [
            "The rule says nothing: prohibit a use or name a classification, or delete the rule."
        ]
    if found := {name: messages for name, messages in faults.items() if messages}:
        raise Invalid.of_fields("The tag rule was not saved.", found)


def _use_faults(uses: Collection[str]) -> list[str]:
    try:
        validate_uses((), uses)
    except (TypeError, ValueError) as error:
        return [str(error)]
    return []


def _classification_faults(name: str) -> list[str]:
    if not name or name in CLASSIFICATIONS:
        return []
    return [f"Found {name!r}: use {', '.join(CLASSIFICATIONS)}.{near_misses(name, CLASSIFICATIONS)}"]


def _refuse_loosening(before: TagPolicy, after: TagPolicy, *, actor: str, may_loosen: bool) -> None:
    freed = set(before.prohibited_uses) - set(after.prohibited_uses)
    lower = _height(after) < _height(before)
    if (freed or lower) and not may_loosen:
        what = f"allows {', '.join(in_order(freed))}" if freed else "lowers the classification"
        problem = Forbidden(f"This loosens the rule of the tag {before.tag} ({what}): ask a platform lead.")
        audit.refused(problem, actor=actor, subject=f"tag rule {before.tag}")
        raise problem


def _height(policy: TagPolicy) -> int:
    return CLASSIFICATIONS.index(policy.data_classification) if policy.data_classification else -1


def _audit(before: TagPolicy, after: TagPolicy, reason: str, actor: str) -> None:
    row = audit.entry(
        "tag_rule",
        f"tag rule {before.tag or after.tag}",
        reason=reason.strip(),
        actor=actor,
        old_allowed_uses=[use for use in USES if use not in before.prohibited_uses],
        new_allowed_uses=[use for use in USES if use not in after.prohibited_uses],
        old_prohibited_uses=in_order(before.prohibited_uses),
        new_prohibited_uses=in_order(after.prohibited_uses),
        old_data_classification=before.data_classification,
        new_data_classification=after.data_classification,
    )
    audit.append([row])


def _taken(policy: TagPolicy) -> Conflict:
    words = f"There is a rule for the tag {policy.tag} already: change that one."
    return Conflict(words, {"tag": [words]})
