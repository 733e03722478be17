"""Pictures of single components, seen from above with the light from the top left."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from floorplan import FOOTPRINTS
from PIL import Image, ImageDraw, ImageFont

SCALE = 2  # drawn at twice the size and reduced at the end, which smooths every edge
Colour = tuple[int, int, int]
Draw = ImageDraw.ImageDraw

LEAD, LEAD_DARK = (206, 210, 214), (120, 124, 130)
EPOXY, EPOXY_EDGE = (38, 39, 43), (66, 68, 74)
INK = (196, 198, 200)


@lru_cache
def font(size: float) -> ImageFont.FreeTypeFont:
    face = ImageFont.load_default(size * SCALE)
    if not isinstance(face, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType; install a Pillow wheel that has it.")
    return face


def box(draw: Draw, x: float, y: float, w: float, h: float, fill: Colour, radius: float = 0) -> None:
    """A filled rectangle around its centre, in finished pixels."""
    corners = [(x - w / 2) * SCALE, (y - h / 2) * SCALE, (x + w / 2) * SCALE, (y + h / 2) * SCALE]
    draw.rounded_rectangle(corners, radius * SCALE, fill)


def disc(draw: Draw, x: float, y: float, r: float, fill: Colour) -> None:
    draw.ellipse([(x - r) * SCALE, (y - r) * SCALE, (x + r) * SCALE, (y + r) * SCALE], fill)


def write(draw: Draw, x: float, y: float, text: str, size: float, fill: Colour) -> None:
    draw.text((x * SCALE, y * SCALE), text, fill, font(size), anchor="mm")


def _chip(draw: Draw, c: float, text: str, body: Colour, edge: Colour, ends: Colour) -> None:
    box(draw, c, c, 46, 22, ends, 2)
    box(draw, c, c - 9, 46, 2, (232, 234, 236))
    box(draw, c, c, 29, 22, edge)
    box(draw, c, c + 1, 29, 19, body)
    if text:
        write(draw, c, c + 1, text, 10, (228, 228, 226))


def _resistor(draw: Draw, c: float, text: str) -> None:
    _chip(draw, c, text, (30, 30, 34), (70, 72, 78), (198, 200, 204))


def _capacitor(draw: Draw, c: float, _text: str) -> None:
    _chip(draw, c, "", (176, 134, 92), (206, 168, 124), (204, 206, 208))


def _led(draw: Draw, c: float, _text: str) -> None:
    _chip(draw, c, "", (236, 234, 224), (250, 250, 246), (204, 206, 208))
    disc(draw, c, c + 1, 7, (244, 206, 92))
    disc(draw, c - 1, c, 4, (252, 232, 160))
    box(draw, c - 12, c + 1, 3, 19, (70, 150, 80))


def _inductor(draw: Draw, c: float, text: str) -> None:
    box(draw, c, c, 76, 68, (84, 86, 92), 8)
    box(draw, c, c + 1, 72, 64, (52, 54, 60), 8)
    disc(draw, c, c, 26, (66, 68, 74))
    write(draw, c, c, text, 17, INK)


def _crystal(draw: Draw, c: float, text: str) -> None:
    box(draw, c, c, 112, 40, (138, 142, 148), 20)
    box(draw, c, c - 1, 106, 34, (200, 204, 209), 17)
    box(draw, c, c - 2, 94, 24, (218, 221, 225), 12)
    write(draw, c, c - 1, text, 14, (92, 96, 102))


def _electrolytic(draw: Draw, c: float, text: str) -> None:
    box(draw, c, c, 70, 70, (44, 45, 50), 7)
    disc(draw, c, c, 33, (150, 153, 158))
    disc(draw, c - 1, c - 1, 31, (206, 209, 213))
    r = 30 * SCALE
    draw.chord([c * SCALE - r, c * SCALE - r, c * SCALE + r, c * SCALE + r], 125, 235, (40, 41, 46))
    write(draw, c + 8, c - 6, text, 15, (60, 62, 68))
    write(draw, c + 8, c + 10, "16V", 11, (60, 62, 68))


def _legs(draw: Draw, c: float, kind: str, body: float) -> None:
    """Gull-wing leads from the body to the middle of each pad."""
    for dx, dy, w, h in FOOTPRINTS[kind]:
        across, reach = (h > w), body / 2
        if across:
            foot, near = c + dy, c + (reach if dy > 0 else -reach)
            box(draw, c + dx, (foot + near) / 2, 7, abs(foot - near) + 8, LEAD_DARK)
            box(draw, c + dx - 1, (foot + near) / 2, 4.5, abs(foot - near) + 8, LEAD)
        else:
            foot, near = c + dx, c + (reach if dx > 0 else -reach)
            box(draw, (foot + near) / 2, c + dy, abs(foot - near) + 8, 7, LEAD_DARK)
            box(draw, (foot + near) / 2, c + dy - 1, abs(foot - near) + 8, 4.5, LEAD)


def _soic(draw: Draw, c: float, text: str) -> None:
    _legs(draw, c, "soic", 56)
    box(draw, c, c, 92, 62, EPOXY_EDGE, 3)
    box(draw, c, c + 1, 88, 58, EPOXY, 3)
    disc(draw, c - 34, c + 19, 4.5, (76, 78, 84))
    write(draw, c, c - 6, text, 16, INK)
    write(draw, c, c + 12, "2541", 11, (150, 152, 156))


def _qfp(draw: Draw, c: float, text: str) -> None:
    _legs(draw, c, "qfp", 122)
    box(draw, c, c, 134, 134, EPOXY_EDGE, 4)
    box(draw, c, c + 1, 129, 129, EPOXY, 4)
    disc(draw, c - 50, c - 50, 6, (80, 82, 88))
    write(draw, c, c - 14, "MIRION", 19, INK)
    write(draw, c, c + 10, text, 19, INK)
    write(draw, c, c + 34, "2541 TW", 13, (150, 152, 156))


_DRAWN: dict[str, tuple[int, Callable[[Draw, float, str], None]]] = {
    "resistor": (60, _resistor),
    "capacitor": (60, _capacitor),
    "led": (60, _led),
    "inductor": (90, _inductor),
    "crystal": (126, _crystal),
    "electrolytic": (90, _electrolytic),
    "soic": (124, _soic),
    "qfp": (196, _qfp),
}


def picture(kind: str, text: str, angle: float) -> Image.Image:
    """One component on a transparent ground, turned by `angle` degrees counter-clockwise."""
    size, paint = _DRAWN[kind]
    image = Image.new("RGBA", (size * SCALE, size * SCALE), (0, 0, 0, 0))
    paint(ImageDraw.Draw(image), size / 2, text)
    return image.rotate(angle, Image.Resampling.BICUBIC, expand=True)
