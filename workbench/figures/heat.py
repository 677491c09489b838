"""A map of values as a coloured layer to lie on a grey picture: the higher, the brighter and the denser."""

import base64
import dataclasses
import functools
import io

import numpy as np
from PIL import Image

RAMP = ((0.0, "#3b2fb5"), (0.35, "#8f3fd1"), (0.65, "#e8599a"), (0.85, "#ffa04d"), (1.0, "#ffe96b"))
"""Dark violet to light yellow: its lightness rises all the way, so it can be read without telling colours,
and it has neither the red nor the green of the boxes."""

OPACITY = 0.6
"""Of a map where it is highest and nobody can change it: the picture below must still be read."""

BELOW = 0.35
"""What lies below the threshold keeps that share of its density."""


@dataclasses.dataclass(frozen=True, eq=False)
class Cover:
    """A map that lies on a picture.

    Attributes:
        heat: 0..1 over the whole picture, `[S, S]`.
        words: what it is, plain text.
    """

    heat: np.ndarray
    words: str


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


def lay_heat(picture: np.ndarray, heat: np.ndarray, opacity: float, *, threshold: float = 0.0) -> Image.Image:
    """Return a picture with its map on it.

    Args:
        picture: uint8 `[h, w]`.
        heat: 0..1, of another size too.
        opacity: of its highest value.
        threshold: values below it are fainter.
    """
    laid = Image.fromarray(np.ascontiguousarray(picture)).convert("RGB")
    # Values and not colours are resized, so that no colour arises that the ramp does not have.
    resized = Image.fromarray(np.asarray(heat, np.float32)).resize(laid.size, Image.Resampling.BILINEAR)
    layer = heat_picture(np.asarray(resized), threshold).convert("RGBA")
    layer.putalpha(layer.getchannel("A").point(lambda value: value * opacity))
    laid.paste(layer, mask=layer)
    return laid


def covered_uri(picture: np.ndarray, heat: np.ndarray, opacity: float) -> str:
    """Return a `data:` URI of a picture with its map on it; arguments as in `lay_heat`."""
    buffer = io.BytesIO()
    lay_heat(picture, heat, opacity).save(buffer, format="JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


@functools.cache
def _colours() -> np.ndarray:
    """Return the 256 colours of the ramp, uint8 `[256, 3]`."""
    places = [place for place, _ in RAMP]
    ends = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for _, colour in RAMP])
    values = np.arange(256) / 255
    return (
        np.stack([np.interp(values, places, channel) for channel in ends.T], axis=1).round().astype(np.uint8)
    )
