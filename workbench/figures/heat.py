"""A map of values as a coloured layer to lie on a grey picture: the higher, the brighter and the denser."""

import base64
import functools
import io

import numpy as np
from PIL import Image

RAMP = ((0.0, "#3b2fb5"), (0.35, "#8f3fd1"), (0.65, "#e8599a"), (0.85, "#ffa04d"), (1.0, "#ffe96b"))
"""Dark violet to light yellow: its lightness rises all the way, so it can be read without telling colours,
and it has neither the red nor the green of the boxes."""

BELOW = 0.35
"""What lies below the threshold keeps that share of its density."""


def heat_uri(heat: np.ndarray, threshold: float) -> str:
    """Return a `data:` URI of a PNG whose transparent parts let the picture below through.

    Args:
        heat: 0..1, `[rows, columns]`; 1 is opaque, 0 is clear.
        threshold: values below it are fainter, so that what a box encloses stands out.
    """
    buffer = io.BytesIO()
    heat_picture(heat, threshold).save(buffer, format="PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def heat_picture(heat: np.ndarray, threshold: float) -> Image.Image:
    """Return the layer as a picture; arguments as in `heat_uri`."""
    # 256 levels and a table of colours: a third of the bytes and of the time of four channels.
    levels = np.round(255 * np.clip(heat, 0, 1)).astype(np.uint8)
    picture = Image.fromarray(levels)
    values = np.arange(256) / 255
    alpha = np.where(values >= threshold, values, BELOW * values)
    picture.putpalette(_colours().tobytes())
    picture.info["transparency"] = np.round(255 * alpha).astype(np.uint8).tobytes()
    return picture


@functools.cache
def _colours() -> np.ndarray:
    """Return the 256 colours of the ramp, uint8 `[256, 3]`."""
    places = [place for place, _ in RAMP]
    ends = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for _, colour in RAMP])
    values = np.arange(256) / 255
    return (
        np.stack([np.interp(values, places, channel) for channel in ends.T], axis=1).round().astype(np.uint8)
    )
