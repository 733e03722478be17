"""Draws the fifty sample boards into `images/`. Run: python seed_data/pcb_defects/draw_images.py

The same Pillow release gives the same bytes on every run.
"""

# ruff: noqa: S311 (seeded chance makes the same data each time; nothing here is secret)
from __future__ import annotations

import logging
import random
import sys
from pathlib import Path

from board import paint_bare_board, paint_solder, photograph, place
from defects import paint_bridge, paint_cold_joint, paint_scratch
from PIL import Image, ImageDraw
from plan import Board, boards

IMAGES = Path(__file__).parent / "images"
JPEG_QUALITY = 57


def draw_board(board: Board) -> Image.Image:
    """The finished 800 by 600 picture of one board."""
    rng = random.Random(f"paint {board.number}")
    image = paint_bare_board(board, rng)
    draw = ImageDraw.Draw(image)
    for part in board.parts:
        for pad in part.pads:
            if part.ref not in board.missing and pad not in board.cold:
                paint_solder(draw, pad)
    for part in board.parts:
        if part.ref not in board.missing:
            place(image, part, board.moved.get(part.ref, (0, 0, 0)))
    for pads in board.bridges:
        paint_bridge(draw, pads, rng)
    for pad in board.cold:
        paint_cold_joint(draw, pad, rng)
    if board.scratches:
        paint_scratch(draw, board.scratches, rng)
    return photograph(image, board, rng)


def main(folder: Path = IMAGES) -> None:
    """Write every picture into `folder`, replacing what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for board in boards():
        draw_board(board).save(folder / board.image_id, "JPEG", quality=JPEG_QUALITY, optimize=True)
        logging.info("%s %s %s %s", board.image_id, board.severity, board.location, board.seen)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    main()
