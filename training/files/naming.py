"""The names of training files: told apart by the eye, and safe as names of files."""

from __future__ import annotations

import unicodedata

from workbench.problems import Invalid

NAME = 255
# Control characters, those of format such as a zero-width space, and the ends of lines and paragraphs.
UNSEEN = ("Cc", "Cf", "Zl", "Zp")
# Emoji and some scripts are written with them.
JOINERS = "\u200c\u200d"


def settled(name: str) -> str:
    """Return the name as it is kept, with its letters composed; Invalid where it is too long, or not all of it can be seen."""
    name = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(name) <= NAME:
        raise _refused(f"Found {len(name)} characters: use 1 to {NAME}.")
    unseen = [each for each in name if unicodedata.category(each) in UNSEEN]
    if wrong := sorted(set(unseen) - set(JOINERS)):
        raise _refused(f"Found the character U+{ord(wrong[0]):04X}, which cannot be seen: leave it out.")
    if len(unseen) == len(name):
        raise _refused("Found no character that can be seen: use at least one.")
    return name


def file_name(name: str, shape: str) -> str:
    """Return the name of one shape as a download; it leads into no other folder."""
    return f"{name.replace('/', '_').replace(chr(92), '_')}.{shape}"


def _refused(words: str) -> Invalid:
    return Invalid.of_fields("The training file was not created.", {"name": [words]})
