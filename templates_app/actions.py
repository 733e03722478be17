"""What can be done to a template; each verb checks everything first and changes nothing when it refuses."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from templates_app import versions
from templates_app.drafts import draft_faults, publishing_faults
from templates_app.models import PromptTemplate
from workbench.near import listed, listed_by, near_misses
from workbench.problems import Conflict, Invalid, NotFound

log = logging.getLogger(__name__)

FIELDS = (
    "name", "version", "description", "label_type", "system_prompt", "user_prompt_template", "input_schema",
    "output_schema", "base_model", "temperature", "max_tokens", "examples", "guidelines",
    "source_catalog", "source_schema", "source_table", "source_volume",
)  # fmt: skip
ATTEMPTS = 5
Status = PromptTemplate.Status


class ChangedMeanwhileError(Conflict):
    """Someone else wrote the draft since it was read; `present` is the draft as it is now."""

    def __init__(self, present: PromptTemplate) -> None:
        super().__init__(f"The template {present} was changed meanwhile: look at it again, then decide.")
        self.present = present


def create_template(data: Mapping[str, Any], *, actor: str) -> PromptTemplate:
    """Return the new draft; `data` has the names of `FIELDS`.

    Invalid names every field that is wrong in itself; Conflict for a name and version that are taken.
    """
    template = PromptTemplate(**_known(data), created_by=actor)
    _check(template)
    try:
        template.save(force_insert=True)
    except IntegrityError as error:
        raise _taken(template) from error
    return template


def update_template(
    template: PromptTemplate, data: Mapping[str, Any], *, actor: str, seen: datetime | None = None
) -> PromptTemplate:
    """Return the changed draft; Conflict where it is published or archived, else errors as for `create_template`.

    `seen` is the `updated_at` that the change was made on: ChangedMeanwhileError where the draft has another by now.
    """
    changed, values = _present(template), _known(data)
    if not changed.is_draft:
        raise _fixed(changed)
    for name, value in values.items():
        setattr(changed, name, value)
    _check(changed)
    try:
        kept = {name: getattr(changed, name) for name in values}
        return _write_draft(template, kept, actor=actor, **({"updated_at": seen} if seen else {}))
    except IntegrityError as error:
        raise _taken(changed) from error


def publish(template: PromptTemplate, *, actor: str) -> PromptTemplate:
    """Return the template, published and from now on unchangeable; Invalid with everything that stands against it."""
    present = _present(template)
    if not present.is_draft:
        raise _fixed(present)
    if faults := publishing_faults(present):
        raise Invalid.of_fields(f"The template {present} was not published.", faults)
    # Only what was checked is published: an edit in between has another time.
    return _write_draft(present, {"status": Status.PUBLISHED}, actor=actor, updated_at=present.updated_at)


def duplicate(template: PromptTemplate, *, actor: str) -> PromptTemplate:
    """Return a draft with the same content, its version the next minor one above the highest of that name."""
    content = {name: getattr(template, name) for name in FIELDS if name != "version"}
    for _ in range(ATTEMPTS):
        taken = PromptTemplate.objects.filter(name=template.name).values_list("version", flat=True)
        draft = PromptTemplate(**content, version=versions.following(taken), created_by=actor)
        try:
            draft.save(force_insert=True)
        except IntegrityError:  # someone else duplicated it meanwhile
            continue
        return draft
    raise Conflict(f"Others are duplicating {template.name!r} right now: try again.")


def archive(template: PromptTemplate, *, actor: str) -> PromptTemplate:
    """Return the template, archived: it stays readable and no training sheet can be generated with it any more."""
    rows = PromptTemplate.objects.filter(pk=template.pk).exclude(status=Status.ARCHIVED)
    if rows.update(status=Status.ARCHIVED, updated_at=timezone.now()):
        log.info("%s archived the template %s", actor, template.pk)
    return _present(template)


def delete_template(template: PromptTemplate, *, actor: str) -> None:
    """Delete a draft; Conflict for one that is published or archived, or that labels were made with."""
    for relation in template._meta.get_fields(include_hidden=True):
        if relation.one_to_many and relation.related_model:
            users = relation.related_model._default_manager.filter(**{relation.field.name: template.pk})  # type: ignore[union-attr]
            if count := users.count():
                kind = relation.related_model._meta.verbose_name_plural
                raise Conflict(f"{count:,} {kind} were made with the template {template}: archive it instead.")
    # Not delete(): that reads the keys first, and the draft might be published in between.
    drafts = PromptTemplate.objects.filter(pk=template.pk, status=Status.DRAFT)
    if not drafts._raw_delete(drafts.db):
        present = _present(template)
        raise Conflict(f"The template {present} is {present.status}: only drafts are deleted. Archive it instead.")
    log.info("%s deleted the template %s, %s", actor, template.pk, template)


def find_template(text: str) -> PromptTemplate:
    """Return the template of `NAME[@VERSION]` or an id; without a version the newest published one.

    Raises NotFound with near misses, and with the versions there are.
    """
    if template := PromptTemplate.objects.filter(pk=text).first():
        return template
    name, at, version = text.rpartition("@")
    if not at or versions.parsed(version) is None:
        name, version = text, ""
    found = {each.version: each for each in PromptTemplate.objects.filter(name=name)}
    if not found:
        names = set(PromptTemplate.objects.values_list("name", flat=True)[:1000])
        raise NotFound(
            f"There is no template {name!r}.{near_misses(name, names)}{listed_by(PromptTemplate, 'name', 'version')}"
        )
    if version:
        wanted = found.get(version)
    else:
        published = [each for each in found.values() if each.status == Status.PUBLISHED]
        wanted = max(published, key=lambda each: versions.order(each.version), default=None)
    if wanted is None:
        what = f"no version {version}" if version else "no published version"
        there = listed(f"{each.version} ({each.status})" for each in found.values())
        raise NotFound(f"The template {name!r} has {what}; there is {there}.")
    return wanted


def _known(data: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := sorted(set(data) - set(FIELDS)):
        near = near_misses(unknown[0], FIELDS)
        raise Invalid(f"A template has no field {unknown[0]!r} to write.{near} Fields: {listed(FIELDS)}.")
    # A form hands over None for an empty schema.
    blank = PromptTemplate()
    return {name: getattr(blank, name) if value is None else value for name, value in data.items()}


def _check(template: PromptTemplate) -> None:
    if fields := draft_faults(template):
        raise Invalid.of_fields(f"The template {template} was not saved.", fields)


def _present(template: PromptTemplate) -> PromptTemplate:
    """The row as it is now, which someone else may have changed since `template` was read."""
    present = PromptTemplate.objects.filter(pk=template.pk).first()
    if present is None:
        raise NotFound(f"The template {template} has been deleted.")
    return present


def _write_draft(template: PromptTemplate, values: Mapping[str, Any], *, actor: str, **seen: Any) -> PromptTemplate:
    """One conditional update, so that of two people one changes the draft and the other is told."""
    drafts = PromptTemplate.objects.filter(pk=template.pk, status=Status.DRAFT, **seen)
    if not drafts.update(**values, updated_at=timezone.now()):
        present = _present(template)
        if present.is_draft:
            raise ChangedMeanwhileError(present)
        raise _fixed(present)
    log.info("%s wrote %s of the template %s", actor, ", ".join(sorted(values)) or "nothing", template.pk)
    return _present(template)


def _fixed(template: PromptTemplate) -> Conflict:
    return Conflict(
        f"The template {template} is {template.status} and does not change: duplicate it, then edit the draft."
    )


def _taken(template: PromptTemplate) -> Conflict:
    words = (
        f"There is a template {template.name!r} of version {template.version} already: choose another version or name."
    )
    return Conflict(words, {"version": [words]})
