"""Pictures as files hold them -> grey uint8 on the square canvas of a store."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from lib.data.dicom import DICOM_SUFFIXES, read_dicom

DRAFT_MARGIN = 2.0
"""A JPEG is decoded at the smallest of its built-in scales that is still this many times the wanted size."""


FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000", "PPM")
"""What may be in a file, whatever its ending. Pillow knows more, and starts other programs for some."""


class Placement(NamedTuple):
    """Where a picture lies on its square canvas; all lengths in pixels.

    A point (x, y) of the file is (pad_x + x * content_width / width, pad_y + y * content_height / height)
    on the canvas, exactly.

    Attributes:
        width: of the picture in its file.
        height: of the picture in its file.
        scale: canvas pixels per pixel of the picture, after its aspect was restored.
        pad_x: zero columns left of the picture.
        pad_y: zero rows above the picture.
        content_width: columns that the picture takes.
        content_height: rows that the picture takes.
    """

    width: int
    height: int
    scale: float
    pad_x: int
    pad_y: int
    content_width: int
    content_height: int

    def to_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Map a point of the file onto the canvas."""
        return (
            self.pad_x + x * self.content_width / self.width,
            self.pad_y + y * self.content_height / self.height,
        )


def place(width: int, height: int, canvas_size: int, aspect: float | None = None) -> Placement:
    """Fit a picture into a square canvas: longer side full, centred, aspect kept.

    Args:
        width: of the picture, pixels.
        height: of the picture, pixels.
        canvas_size: side of the square, pixels.
        aspect: width / height to restore first where the file was squeezed.
    """
    restored = height * aspect if aspect else width
    scale = canvas_size / max(restored, height)
    content_width = min(canvas_size, max(1, round(restored * scale)))
    content_height = min(canvas_size, max(1, round(height * scale)))
    return Placement(
        width=width,
        height=height,
        scale=scale,
        pad_x=(canvas_size - content_width) // 2,
        pad_y=(canvas_size - content_height) // 2,
        content_width=content_width,
        content_height=content_height,
    )


def read_picture(path: Path, canvas_size: int, aspect: float | None = None) -> tuple[np.ndarray, Placement]:
    """Decode a file onto the canvas.

    The pixels are taken as the file stores them: an EXIF orientation is not applied, because boxes and
    published sizes refer to the stored pixels. 16-bit greys are divided by the bit depth in use (8 to 16)
    so that 10-, 12- and 14-bit data in a 16-bit file come out right. Colour becomes luminance; transparent
    pixels are laid over black.
    DICOM files (by their ending) are shown as `lib.data.dicom` says.

    Returns:
        Pixels, uint8 `[canvas_size, canvas_size]`, and where the picture lies on them.

    Raises:
        OSError: unreadable or truncated (`errno` is None), or the file cannot be opened.
        ValueError, SyntaxError: a format or mode that is no radiograph.
        ImportError: a DICOM file without the extra `dicom`.
    """
    if path.suffix.lower() in DICOM_SUFFIXES:
        grey = Image.fromarray(read_dicom(path))
        placement = place(*grey.size, canvas_size, aspect)
        return _lay_on_canvas(grey, placement, canvas_size), placement
    with Image.open(path, formats=FORMATS) as picture:
        placement = place(*picture.size, canvas_size, aspect)
        wanted = (placement.content_width, placement.content_height)
        picture.draft("L", tuple(round(DRAFT_MARGIN * side) for side in wanted))  # acts on JPEG only
        return _lay_on_canvas(_to_grey(picture), placement, canvas_size), placement


def draw_picture(
    pixels: np.ndarray, canvas_size: int, aspect: float | None = None
) -> tuple[np.ndarray, Placement]:
    """Lay generated pixels, uint8 `[height, width]`, on the canvas; otherwise as `read_picture`."""
    assert pixels.dtype == np.uint8 and pixels.ndim == 2, f"not a grey uint8 picture: {pixels.dtype}"
    placement = place(pixels.shape[1], pixels.shape[0], canvas_size, aspect)
    return _lay_on_canvas(Image.fromarray(pixels), placement, canvas_size), placement


def _to_grey(picture: Image.Image) -> Image.Image:
    """Turn any usual mode into "L", or into "F" with values 0..255 for deep greys."""
    if picture.mode == "L":
        return picture
    if picture.mode.startswith("I"):
        deep = np.asarray(picture).astype(np.float32)
        if deep.min() < 0:
            raise ValueError("greys below 0 have no stated black; convert to 8 or 16 bit first")
        bits = max(8, int(deep.max()).bit_length())
        return Image.fromarray(deep * (255.0 / (2**bits - 1)))
    if picture.mode == "F":
        raise ValueError("float pictures have no stated white; convert to 8 or 16 bit first")
    if picture.mode in ("P", "PA", "LA", "La", "RGBA", "RGBa") or "transparency" in picture.info:
        transparent = picture.convert("RGBA")
        black = Image.new("RGBA", transparent.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, transparent).convert("L")
    return picture.convert("L")


def _lay_on_canvas(grey: Image.Image, placement: Placement, canvas_size: int) -> np.ndarray:
    """Scale to the content size and pad with zeros to the square."""
    grey = _scale(grey, (placement.content_width, placement.content_height))
    grey.load()
    content = np.asarray(grey)
    if content.dtype != np.uint8:
        content = np.rint(content.clip(0, 255)).astype(np.uint8)
    if content.shape == (canvas_size, canvas_size):
        return content
    canvas = np.zeros((canvas_size, canvas_size), np.uint8)
    rows = slice(placement.pad_y, placement.pad_y + placement.content_height)
    canvas[rows, placement.pad_x : placement.pad_x + placement.content_width] = content
    return canvas


def _scale(grey: Image.Image, wanted: tuple[int, int]) -> Image.Image:
    """Change the size, filtered against aliasing."""
    if grey.size == wanted:
        return grey
    factors, rests = zip(*map(divmod, grey.size, wanted), strict=True)
    if not any(rests):
        return grey.reduce(factors)  # the mean of whole pixels: exact, and several times as fast
    return grey.resize(wanted, Image.Resampling.BILINEAR)
