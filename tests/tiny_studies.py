"""A data set of a second: pictures, labels and reports that say the same in a few pixels and words."""

import dataclasses

import numpy as np

from lib.data.study import Study, View

LABELS = ("opacity", "device", "rare", "unknown")
SIZE = 40


@dataclasses.dataclass(frozen=True)
class Picture:
    """A grey square of noise with a bright patch for each label; renders itself, so it can be pickled."""

    seed: int
    labels: tuple[float, ...]

    def __call__(self) -> np.ndarray:
        picture = np.random.default_rng(self.seed).integers(0, 60, (SIZE, SIZE), dtype=np.uint8)
        for place, label in enumerate(self.labels):
            if label == 1:
                row, column = divmod(place, 2)
                picture[row * 20 + 4 : row * 20 + 16, column * 20 + 4 : column * 20 + 16] += 160
        return picture


class TinyStudies:
    """A reader: 1-2 studies a patient, 1-2 views a study; two labels can be learned, one is rare."""

    source = "Made by tests."
    licence = "none"
    label_names = LABELS
    label_noise = "None."

    def __init__(self, num_studies: int = 120, has_reports: bool = True, seed: int = 0):
        self.num_studies, self.has_reports, self.seed = num_studies, has_reports, seed
        self.name = "tiny" if has_reports else "tiny_target"  # ids of two data sets say nothing of each other

    def __len__(self) -> int:
        return self.num_studies

    def __iter__(self):
        random = np.random.default_rng(self.seed)
        for number in range(self.num_studies):
            chances = random.random(3)
            labels = (float(chances[0] < 0.5), float(chances[1] < 0.4), float(chances[2] < 0.05))
            views = tuple(
                View(
                    view_id=f"s{number}v{view}",
                    position=("PA", "LATERAL")[view],
                    render=Picture(1000 * self.seed + 2 * number + view, labels),
                )
                for view in range(1 + number % 2)
            )
            words = ["There is an opacity on the left." if labels[0] else "The lungs are clear."]
            words += ["A device is in place." if labels[1] else "No device is seen."]
            yield Study(
                study_id=f"s{number}",
                patient_id=f"p{number // 2 if number % 4 == 0 else number}",
                views=views,
                findings=" ".join(words) if self.has_reports else "",
                impression="Rare finding." if labels[2] and self.has_reports else "",
                labels=dict(zip(LABELS, (*labels, float("nan")), strict=True)),
            )
