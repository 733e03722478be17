"""How uses look on a screen: what is forbidden, by which rule, in a badge."""

from __future__ import annotations

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from governance.uses import USES, Decision


def badge(text: str, tone: str = "plain", title: str = "") -> SafeString:
    """Return a small label; tones: plain, good, warn, bad, info."""
    return format_html('<span class="wb-badge wb-tone-{}" title="{}">{}</span>', tone, title, text)


def short_badge(decision: Decision) -> SafeString:
    """Return one badge for a list: what may not be done, or that everything may."""
    forbidden = [use for use in USES if not decision.permits(use)]
    if not forbidden:
        return badge("all uses", "good")
    if len(forbidden) == len(USES):
        return badge("no use", "bad", decision.why_not(USES[0]))
    first = "training" if "training" in forbidden else forbidden[0]
    more = f" +{len(forbidden) - 1}" if len(forbidden) > 1 else ""
    tone = "bad" if first == "training" else "warn"
    return badge(f"no {first}{more}", tone, "; ".join(decision.why_not(use) for use in forbidden))


def full_badges(decision: Decision) -> SafeString:
    """Return a line for each use: permitted, or which rule from where forbids it."""
    return format_html_join(
        "",
        '<div class="wb-use">{} <span>{}</span></div>',
        ((badge(use, "good"), "permitted") if decision.permits(use) else _forbidden(use, decision) for use in USES),
    )


def _forbidden(use: str, decision: Decision) -> tuple[SafeString, str]:
    limit = decision.provenance[use][0]
    verb = "prohibited" if use in limit.prohibited else "not allowed"
    said = f"{use.capitalize().replace('_', '-')} {verb}" + (f" — {limit.reason}" if limit.reason else "")
    return badge(use, "bad"), f"{said} (rule of the {limit.source})"
