"""A report beside the views it was read off, as one piece of HTML: maps on pictures, coloured words."""

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from workbench import theme
from workbench.figures.heat import RAMP, lay_heat
from workbench.figures.report_text import highlight_sides
from workbench.study_reading.drawn import Layer, Picture, Word

LARGE, SMALL = 300, 104
"""Pixels of a side of a view, and of one beside many others."""
OPACITY = 0.75
SHARPER = 2
"""Pixels of a picture for each of the page: screens have more than CSS counts."""
TINT = "255,160,77"
"""Of words, the upper part of the maps' colours."""
STRONGEST = 0.85
"""Density of the strongest tint: dark letters stay readable on it."""


def attended_page(
    pictures: Sequence[Picture],
    layers: Sequence[Layer],
    *,
    words: Sequence[Word],
    chosen: int,
    others: Sequence[tuple[str, Sequence[Layer]]],
    title: str,
    note: str,
    caption: str,
    scale: tuple[str, str],
    warning: str,
    below: tuple[str, str],
) -> str:
    """Return a report with the maps of one word, and those of others in small.

    Args:
        pictures: the views.
        layers: of the word, one a view.
        words: of the report.
        chosen: the word that the layers are of.
        others: further words and their layers.
        title: plain text, as all that follows.
        note: quiet line under the title.
        caption: about the word.
        scale: what the lowest and the highest colour of the maps mean.
        warning: what to beware of, "" mostly.
        below: heading and text of another report.
    """
    heading, text = below
    alert = f'<div style="color:{theme.WARNING};margin:8px 0">{html.escape(warning)}</div>' if warning else ""
    report = (
        f'<div style="line-height:2;font-size:14px">{words_html(words, chosen)}</div>{alert}'
        f'<div style="{_QUIET};margin-top:10px">{html.escape(caption)}<br>{scale_html(*scale)}</div>'
        f'<div style="{_QUIET};margin-top:14px;font-weight:600">{html.escape(heading)}</div>'
        f"<div>{highlight_sides(text) or '<i>no report</i>'}</div>"
    )
    small = "".join(_small(word, pictures, each) for word, each in others)
    rest = (
        f'<div style="margin-top:16px">The words with the sharpest maps, in the order of the report</div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:14px;margin-top:6px">{small}</div>'
    )
    return page(
        f'<div style="display:flex;flex-wrap:wrap;gap:20px;margin-top:10px">{views_html(pictures, layers)}'
        f'<div style="flex:1 1 300px;min-width:260px">{report}</div></div>{rest if others else ""}',
        title=title,
        note=note,
    )


def phrase_page(
    pictures: Sequence[Picture],
    layers: Sequence[Layer],
    *,
    others: Sequence[tuple[str, Sequence[Layer]]],
    title: str,
    note: str,
    scale: tuple[str, str],
    warning: str,
) -> str:
    """Return a study with the maps of a phrase, and those of other phrases in small; see `attended_page`."""
    small = "".join(_small(phrase, pictures, each) for phrase, each in others)
    rest = (
        f'<div style="margin-top:16px">The sentences of its report, each with its own scale</div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:14px;margin-top:6px">{small}</div>'
    )
    alert = f'<div style="color:{theme.WARNING};margin:8px 0">{html.escape(warning)}</div>' if warning else ""
    return page(
        f'{alert}<div style="margin-top:10px">{views_html(pictures, layers)}</div>'
        f'<div style="margin-top:8px">{scale_html(*scale)}</div>{rest if others else ""}',
        title=title,
        note=note,
    )


def page(content: str, *, title: str, note: str) -> str:
    """Return HTML under a title in the common look; title and note are plain text."""
    look = html.escape(
        f"font-family:{theme.FONT};font-size:13px;line-height:1.45;color:{theme.INK};"
        f"background:{theme.PAPER};max-width:{theme.WIDTH}px;padding:4px"
    )
    return (
        f'<div class="wb-attended" style="{look}"><div style="font-size:16px;margin:6px 0 2px">'
        f'{html.escape(title)}</div><div style="{_QUIET}">{html.escape(note)}</div>{content}</div>'
    )


def views_html(pictures: Sequence[Picture], layers: Sequence[Layer], *, side: int = LARGE) -> str:
    """Return the views side by side, each with its map, its bars and its line of text."""
    parts = []
    for picture, layer in zip(pictures, layers, strict=True):
        bars = "".join(_bar(name, share) for name, share in layer.bars.items())
        line = f'<div style="{_QUIET};margin-top:4px">{html.escape(layer.text)}</div>' if layer.text else ""
        parts.append(
            f'<div style="width:{side}px"><div style="{_QUIET}">{html.escape(picture.title)}</div>'
            f'<img src="{blended_uri(picture, layer, side)}" width="{side}" height="{side}" '
            f'style="display:block;margin:2px 0 6px" alt="{html.escape(picture.title)}">{bars}{line}</div>'
        )
    return f'<div style="display:flex;flex-wrap:wrap;gap:12px">{"".join(parts)}</div>'


def words_html(words: Sequence[Word], chosen: int) -> str:
    """Return the words with their colours; the one that is looked at has a frame."""
    parts = []
    for place, word in enumerate(words):
        frame = f"outline:2px solid {theme.INK};" if place == chosen else ""
        colour = f"color:{theme.QUIET};" if word.quiet else ""
        parts.append(
            f'{"" if word.glued else " "}<span title="{html.escape(word.hint)}" style="{colour}{frame}'
            f'background:rgba({TINT},{STRONGEST * word.tint:.2f});border-radius:3px;padding:1px 0">'
            f"{html.escape(word.text)}</span>"
        )
    return "".join(parts)


def scale_html(least: str, most: str) -> str:
    """Return the colours of a map from the lowest to the highest value, with plain text at both ends."""
    ramp = ",".join(f"{colour} {place:.0%}" for place, colour in RAMP)
    bar = f"display:inline-block;width:120px;height:9px;background:linear-gradient(90deg,{ramp})"
    return (
        f'<span style="{_QUIET}">{html.escape(least)} <span style="{bar}"></span> {html.escape(most)}</span>'
    )


def blended_uri(picture: Picture, layer: Layer, side: int) -> str:
    """Return a `data:` URI of a picture with its map, boxes and chosen place, for a square of the page."""
    pixels = SHARPER * side
    size, scale = (pixels, pixels), pixels / len(picture.pixels)
    large = Image.fromarray(np.ascontiguousarray(picture.pixels)).resize(size)
    blended = lay_heat(np.asarray(large), layer.heat, OPACITY)
    draw = ImageDraw.Draw(blended)
    outlines = [(box, theme.READER_BOX) for box in picture.boxes]
    for box, colour in outlines + ([(layer.spot, "#ffffff")] if layer.spot else []):
        left, top, right, bottom = (float(scale * edge) for edge in box)
        line = 3 if side == LARGE else 1
        draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline="#000000", width=line + 2)
        draw.rectangle((left, top, right, bottom), outline=colour, width=line)
    buffer = io.BytesIO()
    blended.save(buffer, format="JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _small(word: str, pictures: Sequence[Picture], layers: Sequence[Layer]) -> str:
    images = "".join(
        f'<img src="{blended_uri(picture, layer, SMALL)}" width="{SMALL}" height="{SMALL}" alt="">'
        for picture, layer in zip(pictures, layers, strict=True)
    )
    width = len(pictures) * (SMALL + 3) - 3
    name = f'<div style="font-weight:600;max-width:{width}px">{html.escape(word)}</div>'
    column = "display:flex;flex-direction:column;justify-content:flex-end"  # pictures of a row on one line
    return f'<div style="{column}">{name}<div style="display:flex;gap:3px">{images}</div></div>'


def _bar(name: str, share: float) -> str:
    long = f"display:block;width:{share:.0%};height:7px;background:{theme.COLOURS[0]};border-radius:2px"
    return (
        f'<div style="{_QUIET};display:flex;align-items:center;gap:6px">'
        f'<span style="flex:1">{html.escape(name)}</span>'
        f'<span style="width:90px;height:7px;background:{theme.GRID};border-radius:2px">'
        f'<span style="{long}"></span></span>'
        f'<span style="width:34px;text-align:right">{share:.0%}</span></div>'
    )


_QUIET = f"font-size:12px;color:{theme.QUIET}"
