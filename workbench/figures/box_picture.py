"""A figure of panels as a picture file, for slides and papers; drawn without any browser."""

import html
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from workbench import theme
from workbench.figures.box_panels import Panel, box_names, clicked_box
from workbench.figures.heat import lay_heat

SIDE, GAP, HEAD, FOOT = 720, 24, 112, 34
"""Pixels: of a panel, between two, above them for words, below them."""


def box_picture(
    panels: Sequence[Panel],
    images: Sequence[np.ndarray],
    *,
    threshold: float,
    opacity: float,
    title: str,
    note: str = "",
) -> Image.Image:
    """Draw panels side by side, with what `workbench.figures.box_panels` shows but the pointer.

    Args:
        panels: at least one.
        images: the pictures themselves, uint8 `[S, S]` each.
        threshold: of the maps.
        opacity: of the maps.
        title: plain text.
        note: plain text.
    """
    width = len(panels) * (SIDE + GAP) + GAP
    sheet = Image.new("RGB", (width, HEAD + 62 + SIDE + FOOT), theme.PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((GAP, 20), title, theme.INK, _font(26))
    draw.multiline_text((GAP, 56), note, theme.QUIET, _font(16))
    for index, (panel, image) in enumerate(zip(panels, images, strict=True)):
        left, top = GAP + index * (SIDE + GAP), HEAD + 56
        first, _, rest = panel.caption.partition("\n")
        draw.text((left, HEAD), first, theme.INK, _font(19))
        draw.text((left, HEAD + 25), rest, theme.QUIET, _font(17))
        sheet.paste(_drawn(panel, image, threshold, opacity), (left, top))
    words = "solid red: box of a reader   dashed green: box of the model"
    draw.text((GAP, HEAD + 62 + SIDE), words, theme.QUIET, _font(16))
    return sheet


def _drawn(panel: Panel, image: np.ndarray, threshold: float, opacity: float) -> Image.Image:
    large = Image.fromarray(np.ascontiguousarray(image)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    heat = np.zeros((1, 1)) if panel.heat is None else panel.heat
    drawn = lay_heat(np.asarray(large), heat, opacity, threshold=threshold)
    draw, scale = ImageDraw.Draw(drawn), SIDE / panel.size
    for box in (box for boxes in panel.marked.values() for box in boxes):
        draw.rectangle(tuple(scale * box), outline=theme.READER_BOX, width=3)
    for box in clicked_box(panel):
        draw.rectangle(tuple(scale * np.array(box)), outline="white", width=3)
    for box in panel.found:
        _dashed(draw, (scale * box).tolist())
    for x, y, text in zip(*box_names(panel).values(), strict=True):
        _label(draw, (scale * x + 4, scale * y - 22), html.unescape(text))
    if panel.warning:
        _label(draw, (16, SIDE // 2), panel.warning)
    return drawn


def _dashed(draw: ImageDraw.ImageDraw, corners: Sequence[float], dash: int = 12, gap: int = 7) -> None:
    """Draw a rectangle of dashes."""
    x0, y0, x1, y1 = corners
    colour = ImageColor.getrgb(theme.MODEL_BOX)
    for low, high, line in (
        (x0, x1, lambda a, b: [(a, y0), (b, y0)]),
        (x0, x1, lambda a, b: [(a, y1), (b, y1)]),
        (y0, y1, lambda a, b: [(x0, a), (x0, b)]),
        (y0, y1, lambda a, b: [(x1, a), (x1, b)]),
    ):
        for start in np.arange(low, high, dash + gap):
            draw.line(line(start, min(start + dash, high)), fill=colour, width=3)


def _label(draw: ImageDraw.ImageDraw, corner: tuple[float, float], text: str) -> None:
    draw.text(corner, text, "white", _font(16), stroke_width=2, stroke_fill="black")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that Pillow ships: the same on every machine."""
    return ImageFont.load_default(size)
