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


def mosaic(images: np.ndarray, *, columns: int, tile: int, gap: int = 4) -> np.ndarray:
    """Lay square pictures side by side into one.

    Args:
        images: uint8 `[N, S, S]`.
        columns: pictures per row.
        tile: side of one picture in the mosaic, in pixels.
        gap: white pixels between the pictures.

    Returns:
        uint8 `[rows * (tile + gap) - gap, columns * (tile + gap) - gap]`.
    """
    rows = -(-len(images) // columns)
    step = tile + gap
    sheet = np.full((rows * step - gap, columns * step - gap), 255, np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * step, index % columns * step
        small = Image.fromarray(np.ascontiguousarray(image)).resize((tile, tile), Image.Resampling.BOX)
        sheet[top : top + tile, left : left + tile] = small
    return sheet
