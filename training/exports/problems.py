"""What stands out in a report on an export: errors, which a trainer refuses or which leave nothing, and warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from training.exports.profiles import PROFILES, Profile
from workbench.problems import Conflict

# A value that stands in this many of ten answers teaches little else; of a few answers it says nothing.
LOPSIDED, FEWEST = 9, 10
NOTHING = "nothing"
# What is said of pairs of one kind, of one and of many.
KINDS: Mapping[str, tuple[str, str]] = {
    "empty": ("answer has nothing in it.", "answers have nothing in them."),
    "clipped": ("answer looks as if it broke off.", "answers look as if they broke off."),
    "other_form": (
        "answer is no JSON object, as the template's output schema asks.",
        "answers are no JSON objects, as the template's output schema asks.",
    ),
    "older_labels": (
        "answer was made from a label that was changed since: edit the pair, or approve it as it is.",
        "answers were made from labels that were changed since: edit the pairs, or approve them as they are.",
    ),
    "unread": (
        "line has earlier turns in `history`, which {trainer} does not read: use chat.",
        "lines have earlier turns in `history`, which {trainer} does not read: use chat.",
    ),
}
Problem = dict[str, Any]


class Long(Protocol):
    """Lines with more tokens than a limit."""

    limit: int | None
    count: int
    pair_ids: list[str]


def problems_of(found: Mapping[str, Any], profile: Profile | None, over_profile: Long) -> list[Problem]:
    """Return the errors of a report, then its warnings, worst first."""
    return [*_errors(found, profile, over_profile), *_warnings(found, profile, over_profile)]


def refuse_broken(report: Mapping[str, Any]) -> None:
    """Raise Conflict with every error that is the trainer's."""
    errors = [each["message"] for each in report["problems"] if each["level"] == "error" and each["code"] != NOTHING]
    if errors:
        raise Conflict(f"{PROFILES[report['profile']].name} would refuse the file: {' '.join(errors)}")


def _errors(found: Mapping[str, Any], profile: Profile | None, over_profile: Long) -> Iterator[Problem]:
    lines, size = found["lines"], found["size_bytes"]
    if not lines:
        yield _error(NOTHING, "Nothing would leave: approve pairs, or look at what limits their use.")
    elif profile and lines < profile.min_lines:
        few = f"{counted(lines, 'line')}; it takes {profile.min_lines} at least: approve more pairs."
        yield _error("too_few", few)
    if profile and profile.max_bytes and size > profile.max_bytes:
        yield _error("too_large", f"{size:,} bytes; it takes {profile.max_bytes:,} at most: split the export.")
    if over_profile.count:
        yield _error("too_long", _too_long(over_profile.count, over_profile.limit), over_profile.pair_ids)


def _warnings(found: Mapping[str, Any], profile: Profile | None, over_profile: Long) -> Iterator[Problem]:
    lines, tokens, twins = found["lines"], found["tokens"], found["duplicates"]
    if profile and profile.min_lines <= lines < profile.advised_lines:
        few = f"{counted(lines, 'line')}; {profile.name} advises {profile.advised_lines} at least."
        yield _warning("few", few)
    if tokens["over_limit"] and tokens["limit"] != over_profile.limit:
        yield _warning("too_long", _too_long(tokens["over_limit"], tokens["limit"]), tokens["pair_ids"])
    if count := twins["prompts_with_different_answers"]:
        words = f"{counted(count, 'prompt has', 'prompts have')} different answers: a model cannot learn both."
        yield _warning("contradictions", words, twins["pair_ids"]["different_answers"])
    if count := twins["repeated_lines"]:
        words = f"{counted(count, 'line repeats', 'lines repeat')} another one, question and answer."
        yield _warning("repeated", words, twins["pair_ids"]["repeated"])
    for kind, (one, many) in KINDS.items():
        if count := found[kind]["count"]:
            words = counted(count, one, many).format(trainer=profile.name if profile else "")
            yield _warning(kind, words, found[kind]["pair_ids"])
    for each in found["balance"]:
        most = each["values"][0]
        if lines >= FEWEST and most["count"] * 10 >= LOPSIDED * lines:
            share = f"{most['count'] / lines:.0%}"
            yield _warning("lopsided", f"{each['field']} is {most['value']!r} in {share} of the answers.")


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its words: "1 line", "2 lines"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _too_long(count: int, limit: int | None) -> str:
    return f"{counted(count, 'line has', 'lines have')} more than {limit:,} tokens, as estimated."


def _error(code: str, message: str, pairs: Sequence[str] = ()) -> Problem:
    return {"level": "error", "code": code, "message": message, "pair_ids": list(pairs)}


def _warning(code: str, message: str, pairs: Sequence[str] = ()) -> Problem:
    return {"level": "warning", "code": code, "message": message, "pair_ids": list(pairs)}
