from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from governance.uses import USES
from labels.exporting import FORMATS, export_to_file
from sheets.models import Sheet
from workbench.command import find, stated_plainly
from workbench.files import is_stdout


class Command(BaseCommand):
    help = (
        "Export canonical labels as JSONL, one label a line, or their boxes and polygons as COCO or YOLO. Example: "
        'manage.py export_labels --sheet "PCB Defect Detection - Sample" --label-type classification --out labels.jsonl'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sheet", required=True, metavar="NAME|ID")
        parser.add_argument("--label-type", default="", metavar="T", help="default: all types; coco and yolo need one")
        parser.add_argument("--format", default="jsonl", choices=list(FORMATS))
        parser.add_argument("--use", default="", help=f"only what may be used for it: {', '.join(USES)}; default: all")
        parser.add_argument("--out", required=True, type=Path, metavar="FILE")

    @stated_plainly
    def handle(self, *_: Any, **options: Any) -> None:
        sheet, label_type, use = find(Sheet, options["sheet"]), options["label_type"], options["use"]
        told, out = {"form": options["format"], "actor": getpass.getuser()}, options["out"]
        count, left_out = export_to_file(sheet, out, label_type, use, **told)
        stream = self.stderr if is_stdout(out) else self.stdout
        without = f"; {left_out} of type {label_type} have no boxes or polygons and are left out" if left_out else ""
        stream.write(f"{count} {'label' if count == 1 else 'labels'} exported to {out}{without}")
