"""What `pip install .` puts beside Django."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
APPS = ("workbench", "governance", "sheets", "templates_app", "labels", "training", "seed_data")


def test_the_package_holds_every_file_of_the_apps_and_nothing_else(tmp_path: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z", *APPS], cwd=ROOT, capture_output=True, text=True, check=True)
    files = {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}
    for name in [*files, "pyproject.toml", "README.md"]:
        target = tmp_path / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    # What a wheel holds is what is built before it is packed, and packing needs another package with an old setuptools.
    build = [sys.executable, "-c", "import setuptools; setuptools.setup()", "-q", "build", "--build-lib", "../built"]
    subprocess.run(build, cwd=tmp_path / "source", check=True, timeout=60)
    built = tmp_path / "built"
    assert {str(path.relative_to(built)) for path in built.rglob("*") if path.is_file()} == files
    assert {"labels/templates/labels/entry.html", "training/files/consultant_profile.json"} < files
