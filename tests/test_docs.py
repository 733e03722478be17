"""What the documents name exists: settings, commands, URLs, files and make targets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.urls import Resolver404, resolve

ROOT = Path(settings.BASE_DIR)
DOCS = sorted(
    [ROOT / "README.md", *ROOT.glob("docs/*.md"), ROOT / "seed_data/README.md", *ROOT.glob("benchmarks/*.md")]
)
TEXTS = {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in DOCS}
# Placeholders such as {id} stand for one part of a path.
URL = re.compile(r"`(?:GET |POST |PATCH |DELETE )?(/(?:api|admin)/[^`\s?]*)")


def found(pattern: str) -> list[tuple[str, str]]:
    return sorted({(name, match) for name, text in TEXTS.items() for match in re.findall(pattern, text)})


def test_the_settings_table_lists_what_is_read() -> None:
    source = (ROOT / "workbench/settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'env_\w+\(\s*"([A-Z_]+)"', source))
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", TEXTS["README.md"], re.MULTILINE)) == read


@pytest.mark.parametrize(("name", "variable"), found(r"\bWORKBENCH_[A-Z_]+\b"))
def test_a_variable_exists(name: str, variable: str) -> None:
    assert variable in (ROOT / "workbench/settings.py").read_text(encoding="utf-8"), name


@pytest.mark.parametrize(("name", "command"), found(r"manage\.py (\w+)"))
def test_a_command_exists(name: str, command: str) -> None:
    assert command in get_commands(), name


@pytest.mark.parametrize(("name", "target"), found(r"(?:^|[`(]|SERVE=0 )make ([a-z]+)(?=`|\s|\))"))
def test_a_make_target_exists(name: str, target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), name


@pytest.mark.parametrize(("name", "url"), found(URL.pattern))
def test_a_url_resolves(name: str, url: str) -> None:
    path = re.sub(r"\{[^}]*\}|<[^>]*>|…", "x", url).rstrip("/") + ("/" if url.startswith("/admin") else "")
    try:
        match = resolve(path)
    except Resolver404:
        pytest.fail(f"{name} names {url}, which does not exist")
    assert match.func.__name__ != "unknown_url" or path == "/api/v1", f"{name} names {url}, which does not exist"


@pytest.mark.parametrize(("name", "target"), found(r"\]\((?!https?:|#)([^)#\s]+)"))
def test_a_link_leads_somewhere(name: str, target: str) -> None:
    assert (ROOT / name).parent.joinpath(target).exists(), f"{name} links to {target}"


@pytest.mark.parametrize(
    ("name", "path"), found(r"`((?:workbench|sheets|templates_app|labels|training|governance|tests|docs)/[\w./]+)`")
)
def test_a_named_file_exists(name: str, path: str) -> None:
    assert (ROOT / path).exists(), f"{name} names {path}"
