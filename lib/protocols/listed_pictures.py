"""Features of pictures that lie in files, such as those of the published retrieval lists, without a store."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lib.data.augment import evaluation_view, normalize
from lib.data.decode import read_picture


@torch.no_grad()
def listed_features(
    compute: Callable[[Tensor], Tensor],
    files: Sequence[Path],
    *,
    canvas_size: int,
    image_size: int,
    evaluation: str = "crop",
    device: torch.device | str = "cpu",
    batch_size: int = 64,
) -> np.ndarray:
    """Compute one vector for every picture, seen as a store and a loader would show it.

    Args:
        compute: images `[N, C, H, W]` to vectors `[N, D]`.
        files: pictures.
        canvas_size: side of the square that a picture is laid on, pixels, as that of a store.
        image_size: side of what is seen of it, pixels.
        evaluation: "crop" for the middle, "whole" for all of it; see `lib.data.augment.AugmentConfig`.
        device: where to compute.
        batch_size: pictures at a time.

    Returns:
        float32 `[len(files), D]`.

    Raises:
        ValueError: a file is no readable picture; names it.
    """
    parts = []
    for start in range(0, len(files), batch_size):
        pixels = np.stack([_read(file, canvas_size) for file in files[start : start + batch_size]])
        shown = evaluation_view(torch.from_numpy(pixels)[:, None].to(device), image_size, evaluation)
        parts.append(compute(normalize(shown)).float().cpu())
    return torch.cat(parts).numpy()


def _read(file: Path, canvas_size: int) -> np.ndarray:
    try:
        return read_picture(file, canvas_size)[0]
    except (OSError, ValueError, SyntaxError) as error:
        raise ValueError(f"{file} cannot be read as a picture ({error}). Download it again.") from error
