"""A look at a run of stored pictures, in a worker process: what is kept of them to compare them later."""

import dataclasses
from pathlib import Path

import numpy as np

from lib.data.curation.fingerprint import fingerprints, sketches
from lib.data.curation.slices import oval_in_air
from lib.data.curation.thumbnail import SIDE, content, shrink


@dataclasses.dataclass(frozen=True)
class LookJob:
    """What a worker needs to know.

    Attributes:
        start: row of the first picture.
        images: the array on disk, uint8 `[N, S, S]`.
        frames: pad_x, pad_y, content_width and content_height of each, int32 `[n, 4]`.
    """

    start: int
    images: Path
    frames: np.ndarray


@dataclasses.dataclass(frozen=True)
class Look:
    """What is kept of n pictures.

    Attributes:
        start: row of the first picture.
        sketches: float16 `[n, D]`.
        thumbnails: uint8 `[n, T, T]`.
        ovals: how well each fits a slice of a CT, float32 `[n]`.
    """

    start: int
    sketches: np.ndarray
    thumbnails: np.ndarray
    ovals: np.ndarray


def look(job: LookJob) -> Look:
    """Read the pictures of a job once."""
    stop = job.start + len(job.frames)
    pictures = np.load(job.images, mmap_mode="r")[job.start : stop]
    thumbnails = np.empty((len(pictures), SIDE, SIDE), np.uint8)
    ovals = np.empty(len(pictures), np.float32)
    for place, (picture, frame) in enumerate(zip(pictures, job.frames, strict=True)):
        inside = content(picture, *frame)
        thumbnails[place] = shrink(inside, SIDE)
        ovals[place] = oval_in_air(inside)
    return Look(job.start, sketches(fingerprints(pictures)), thumbnails, ovals)
