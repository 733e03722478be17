"""Paints a planned board: laminate, copper, pads, solder, silkscreen, components, light."""

# ruff: noqa: S311 (seeded chance makes the same data each time; nothing here is secret)
from __future__ import annotations

import random
from functools import lru_cache

from floorplan import HEIGHT, HOLES, TITLES, WIDTH, Pad, Part, Point, parts_of
from parts import SCALE, Colour, Draw, box, disc, picture, write
from PIL import Image, ImageChops, ImageDraw, ImageFilter
from plan import Board
from routing import route

GOLD, GOLD_LIGHT = (205, 168, 84), (232, 202, 128)
SOLDER, SOLDER_LIGHT, SOLDER_DARK = (176, 182, 188), (238, 242, 245), (112, 118, 125)
SILK = (226, 230, 222)


@lru_cache
def _copper(design: tuple[str, bool, bool]) -> tuple[list[list[Point]], list[Point]]:
    return route(parts_of(*design), random.Random(f"copper {design}"))


def _shade(colour: Colour, by: int) -> Colour:
    r, g, b = (max(0, min(255, value + by)) for value in colour)
    return (r, g, b)


def paint_bare_board(board: Board, rng: random.Random) -> Image.Image:
    """The board with copper, mask, pads and silkscreen, before any part is placed."""
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), _shade((58, 60, 64), rng.randrange(-10, 10)))
    draw = ImageDraw.Draw(image)
    box(draw, WIDTH / 2 + 4, HEIGHT / 2 + 5, WIDTH - 26, HEIGHT - 26, (28, 29, 31), 16)
    moat: Colour = (10 + rng.randrange(8), 70 + rng.randrange(18), 42 + rng.randrange(14))
    pour = (moat[0] + 10, moat[1] + 26, moat[2] + 12)
    box(draw, WIDTH / 2, HEIGHT / 2, WIDTH - 28, HEIGHT - 28, _shade(pour, 40), 16)
    box(draw, WIDTH / 2, HEIGHT / 2, WIDTH - 31, HEIGHT - 31, moat, 15)
    box(draw, WIDTH / 2, HEIGHT / 2, WIDTH - 44, HEIGHT - 44, pour, 12)
    _paint_copper(draw, board, moat, pour)
    for x, y in HOLES:
        disc(draw, x, y, 21, GOLD)
        disc(draw, x, y, 19, GOLD_LIGHT)
        disc(draw, x, y, 12, (46, 47, 50))
        disc(draw, x + 1.5, y + 1.5, 10.5, (70, 72, 76))
    _paint_silkscreen(draw, board)
    for part in board.parts:
        for pad in part.pads:
            paint_pad(draw, pad)
    return image


def _paint_copper(draw: Draw, board: Board, moat: Colour, pour: Colour) -> None:
    traces, vias = _copper(board.design)
    track = (pour[0] + 44, pour[1] + 44, pour[2] + 22)
    for part in board.parts:
        for pad in part.pads:
            (disc(draw, pad.x, pad.y, 22, moat) if pad.round else box(draw, pad.x, pad.y, pad.w + 8, pad.h + 8, moat))
    for width, colour in ((10, moat), (4.4, track)):
        for trace in traces:
            draw.line([(x * SCALE, y * SCALE) for x, y in trace], colour, round(width * SCALE), "curve")
    for x, y in vias:
        disc(draw, x, y, 8.5, moat)
        disc(draw, x, y, 6, GOLD)
        disc(draw, x - 0.5, y - 0.5, 5, GOLD_LIGHT)
        disc(draw, x, y, 2.6, (34, 36, 34))


def _paint_silkscreen(draw: Draw, board: Board) -> None:
    for part in board.parts:
        x0, y0, x1, y1 = part.box
        gap = 5
        draw.rounded_rectangle(
            [(x0 - gap) * SCALE, (y0 - gap) * SCALE, (x1 + gap) * SCALE, (y1 + gap) * SCALE],
            4 * SCALE,
            outline=SILK,
            width=3,
        )
        write(draw, part.x, y0 - 13, part.ref, 13, SILK)
    design, flip_x, flip_y = board.design
    x, y = TITLES[design]
    x, y = (WIDTH - x if flip_x else x), (HEIGHT - y if flip_y else y)
    write(draw, x, y - 16, "MIRION VITAL", 14, SILK)
    write(draw, x, y, "MVB-210 REV C" if design == "A" else "MVB-340 REV B", 12, SILK)
    write(draw, x, y + 15, board.serial, 12, SILK)


def paint_pad(draw: Draw, pad: Pad) -> None:
    """Bare gold copper, ready for solder."""
    if pad.round:
        disc(draw, pad.x, pad.y, 17, GOLD)
        disc(draw, pad.x - 0.6, pad.y - 0.6, 15.8, GOLD_LIGHT)
        return
    box(draw, pad.x, pad.y, pad.w, pad.h, GOLD, 2)
    box(draw, pad.x - 0.5, pad.y - 0.5, pad.w - 3, pad.h - 3, GOLD_LIGHT, 2)


def paint_solder(draw: Draw, pad: Pad) -> None:
    """A good joint: smooth, bright, wetted to the edge of the pad."""
    if not pad.round:
        box(draw, pad.x, pad.y, pad.w, pad.h, SOLDER_DARK, 3)
        box(draw, pad.x - 0.5, pad.y - 0.5, pad.w - 2, pad.h - 2, SOLDER, 3)
        box(draw, pad.x - pad.w * 0.12, pad.y - pad.h * 0.12, pad.w * 0.45, pad.h * 0.45, SOLDER_LIGHT, 2)
        return
    for step in range(12):
        part = step / 11
        disc(draw, pad.x - 2.5 * part, pad.y - 2.5 * part, 14.5 - 9 * part, _shade(SOLDER_DARK, round(95 * part)))
    disc(draw, pad.x - 5, pad.y - 5, 3.2, (252, 253, 254))
    disc(draw, pad.x + 1, pad.y + 1, 4.2, (128, 132, 138))
    disc(draw, pad.x + 0.4, pad.y + 0.4, 3.4, (206, 209, 212))


def place(image: Image.Image, part: Part, shift: tuple[float, float, float] = (0, 0, 0)) -> None:
    """Set one component down with its shadow; `shift` is right, down and degrees away from its place."""
    if part.kind == "header":
        return
    sprite = picture(part.kind, part.text, (-90 if part.upright else 0) + shift[2])
    left = round((part.x + shift[0]) * SCALE - sprite.width / 2)
    top = round((part.y + shift[1]) * SCALE - sprite.height / 2)
    alpha = sprite.getchannel("A")
    shadow = alpha.filter(ImageFilter.GaussianBlur(4)).point([round(v * 0.55) for v in range(256)])
    image.paste((4, 12, 8), (left + 7, top + 9), shadow)
    image.paste(sprite, (left, top), alpha)


def photograph(image: Image.Image, board: Board, rng: random.Random) -> Image.Image:
    """The finished picture: what the camera sees, with uneven light, a slight blur and the grain of a camera."""
    x, y, width = (value * SCALE for value in board.view)
    frame = (x, y, x + width, y + width * HEIGHT / WIDTH)
    small = image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS, box=frame)
    glow = Image.radial_gradient("L").resize((WIDTH * 2, HEIGHT * 2))
    left, top = rng.randrange(WIDTH // 4, WIDTH * 3 // 4), rng.randrange(HEIGHT // 4, HEIGHT * 3 // 4)
    glow = glow.crop((left, top, left + WIDTH, top + HEIGHT)).point([255 - round(v * 0.38) for v in range(256)])
    small = ImageChops.multiply(small, Image.merge("RGB", (glow, glow, glow)))
    grain = Image.frombytes("L", (WIDTH, HEIGHT), rng.randbytes(WIDTH * HEIGHT)).filter(ImageFilter.GaussianBlur(1))
    grain = grain.point([round(128 + (v - 128) * 0.05) for v in range(256)])
    return ImageChops.add(small, Image.merge("RGB", (grain, grain, grain)), 1, -128)
