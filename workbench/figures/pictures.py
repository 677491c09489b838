"""Grey pictures inside figures: small JPEG data URIs instead of arrays of numbers."""

import base64
import io

import numpy as np
from PIL import Image


def data_uri(image: np.ndarray, *, quality: int = 88) -> str:
    """Return a grey picture as a `data:` URI that a browser shows without any file.

    Args:
        image: uint8 `[height, width]`.
        quality: of the JPEG; 88 makes about 10 kB of a 256 px radiograph.

    Raises:
        ValueError: not a grey uint8 picture.
    """
    if image.dtype != np.uint8 or image.ndim != 2:
        raise ValueError(f"Expected a grey uint8 picture [height, width], got {image.dtype} {image.shape}.")
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, format="JPEG", quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def mosaic(images: np.ndarray, *, columns: int, tile: int, gap: int = 4, foot: int = 0) -> np.ndarray:
    """Lay pictures of one size side by side into one.

    Args:
        images: uint8 `[N, H, W]`, at least one.
        columns: pictures per row.
        tile: height of one picture in the mosaic, in pixels; its width follows.
        gap: white pixels between the pictures.
        foot: further white pixels below each picture.

    Returns:
        uint8 `[rows * (tile + gap + foot) - gap, columns * (width + gap) - gap]`.
    """
    rows = -(-len(images) // columns)
    width = round(tile * images.shape[2] / images.shape[1])
    down, across = tile + gap + foot, width + gap
    sheet = np.full((rows * down - gap, columns * across - gap), 255, np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * down, index % columns * across
        picture = Image.fromarray(np.ascontiguousarray(image))
        filter_ = Image.Resampling.BOX if tile < len(image) else Image.Resampling.BICUBIC
        sheet[top : top + tile, left : left + width] = picture.resize((width, tile), filter_)
    return sheet
