"""A data set of a few drawn pictures, for the tests of the store and of what reads it.

Worker processes import this module, so it stays light.
"""

import dataclasses
import functools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from lib.data.study import Box, Study, View

LABELS = ("Edema", "Pneumothorax")


@dataclasses.dataclass
class TinyReader:
    """A reader over a list of studies."""

    studies: list[Study]
    name: str = "tiny"
    source: str = "Drawn for tests."
    licence: str = "CC0"
    label_names: tuple[str, ...] = LABELS
    has_reports: bool = True
    label_noise: str = "None: the labels are drawn."

    def __iter__(self) -> Iterator[Study]:
        return iter(self.studies)

    def __len__(self) -> int:
        return len(self.studies)


def draw(seed: int, height: int = 40, width: int = 32) -> np.ndarray:
    """Return smooth grey pixels, uint8 `[height, width]`, never black."""
    coarse = np.random.default_rng(seed).integers(40, 255, (5, 5), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR))


def draw_slowly(seed: int, seconds: float, log: str) -> np.ndarray:
    """Take a while, and note in a file that it happened."""
    with open(log, "a") as lines:
        lines.write(f"{seed}\n")
    time.sleep(seconds)
    return draw(seed)


def make_study(number: int, num_views: int = 2, **changes) -> Study:
    """Return a generated study: patients have two studies each, its report names a side."""
    side = ("left", "right")[number % 2]
    views = tuple(
        View(
            view_id=f"s{number}v{position}",
            position=("PA", "LATERAL", "AP", "UNKNOWN")[position % 4],
            render=functools.partial(draw, 100 * number + position),
        )
        for position in range(num_views)
    )
    values = {
        "study_id": f"s{number}",
        "patient_id": f"p{number // 2}",
        "views": views,
        "findings": f"There is a small {side} effusion number {number}.",
        "impression": f"Effusion on the {side}.",
        "labels": {"Edema": float(number % 3 == 0)} | ({"Pneumothorax": 1.0} if number % 4 == 0 else {}),
        "boxes": (Box(view_id=f"s{number}v0", finding="Edema", x0=8, y0=10, x1=16, y1=20),),
        "sex": ("M", "F", "")[number % 3],
        "age": float(20 + number) if number % 5 else float("nan"),
    }
    return Study(**(values | changes))


def slow_reader(log: Path, num_studies: int, seconds: float) -> TinyReader:
    """Return a reader whose pictures take `seconds` each and are noted in `log`."""
    studies = []
    for number in range(num_studies):
        render = functools.partial(draw_slowly, number, seconds, str(log))
        view = View(view_id=f"s{number}v0", position="PA", render=render)
        studies.append(make_study(number, views=(view,), boxes=()))
    return TinyReader(studies)


def save_pictures(folder: Path, num_studies: int) -> TinyReader:
    """Write the pictures of some studies as PNG files and return a reader over the files."""
    folder.mkdir(parents=True, exist_ok=True)
    studies = []
    for number in range(num_studies):
        study = make_study(number)
        views = []
        for view in study.views:
            path = folder / f"{view.view_id}.png"
            Image.fromarray(view.render()).save(path)
            views.append(View(view_id=view.view_id, position=view.position, path=path))
        studies.append(dataclasses.replace(study, views=tuple(views)))
    return TinyReader(studies)
