"""What objectives that restore pictures do to them, and what they give back."""

import copy
import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from lib.data.augment import STD
from lib.objectives.model_genesis import ModelGenesis, ModelGenesisConfig
from lib.objectives.restoration import Restoration
from workbench.baselines.distortions import Met, met, seeded
from workbench.baselines.pictures import number_of, open_loader
from workbench.baselines.shown import PictureRows, Tile
from workbench.embedded import INITIAL, TRAINED, Opened
from workbench.inputs import resolve_device
from workbench.pair_examples import to_uint8
from workbench.runs import Run
from workbench.sections import make_objective

SEED = 0
"""Of the distortions that are shown."""
LIMIT = 256
"""Validation studies at most over which the error is the mean."""
BATCH = 64
COPIES = 16
"""Of one picture, among which one is that met a certain distortion."""

NONE = dict.fromkeys(
    ("flip_probability", "shuffle_probability", "curve_probability", "paint_probability"), 0.0
)
ALONE = {
    "shuffled": {"shuffle_probability": 1.0},
    "greys bent": {"curve_probability": 1.0},
    "greys reversed": {"curve_probability": 1.0},
    "noise in": {"paint_probability": 1.0, "in_paint_share": 1.0},
    "noise around": {"paint_probability": 1.0, "in_paint_share": 0.0},
}
"""First words of what a picture met -> settings of Model Genesis that make it the only distortion."""


@dataclasses.dataclass(frozen=True)
class Distorted:
    """A picture, uint8 `[S, S]`, as it is to be restored and as the encoder sees it, and what it met."""

    original: np.ndarray
    seen: np.ndarray
    met: Met


def swapped(run: Run, count: int) -> list[PictureRows]:
    """Show training pictures, which of their patches change places, and what the encoder sees.

    Args:
        run: of Context Restoration, finished or not.
        count: pictures.
    """
    pictures = _distort(_objective(run), run, _training_images(run, count))
    rows = [
        [Tile(one.original), Tile(one.original, boxes=one.met.boxes), Tile(one.seen, one.met.seen)]
        for one in pictures
    ]
    heads = ["to be restored", "what changes places", "what the encoder sees"]
    return [PictureRows("Patches that change places", rows, heads, training_note(run, len(rows)))]


def distorted(run: Run, count: int) -> list[PictureRows]:
    """Show each distortion by itself, and training pictures as they are distorted.

    Args:
        run: of Model Genesis, finished or not.
        count: pictures.
    """
    objective, images = _objective(run), _training_images(run, count)
    pictures = _distort(objective, run, images)
    tiles = [
        tile
        for one in pictures
        for tile in (Tile(one.original, one.met.target), Tile(one.seen, one.met.seen))
    ]
    rows = [tiles[place : place + 4] for place in range(0, len(tiles), 4)]  # two pictures a row
    heads = ["to be restored", "what the encoder sees"] * min(2, len(pictures))
    drawn = PictureRows("As the training draws them", rows, heads, training_note(run, len(pictures)))
    return [_each_alone(objective, run, images[:1]), drawn]


def restored(run: Run, count: int) -> list[PictureRows]:
    """Show validation pictures, distorted and restored, with the weights before and after the training.

    Args:
        run: a finished run of an objective that restores.
        count: pictures.
    """
    loader = open_loader(run.config, "validation", LIMIT, batch_size=BATCH, device=resolve_device("auto"))
    batches = (batch.images[:, 0] for batch in loader.epoch(0))
    of = f"of {number_of(run.config, 'validation'):,} validation studies"
    return [compare_restored(run, batches, count, of)]


def compare_restored(run: Run, batches: Iterable[Tensor], count: int, of: str) -> PictureRows:
    """Distort and restore pictures with the weights before and after the training.

    Args:
        run: a finished run of an objective that restores.
        batches: normalised pictures `[N, 1, H, W]` on the device.
        count: pictures of the first batch to show; the errors are means over all.
        of: what stands behind their number in the note.
    """
    device = resolve_device("auto")
    before, after = (Opened(run, weights=weights, device=device).objective for weights in (INITIAL, TRAINED))
    parts: list[Tensor] = []
    rows: list[list[Tile]] = []
    for images in batches:
        original, seen, result = after.show(images, SEED)
        results = [seen, before.show(images, SEED).restored, result]
        parts.append(torch.stack([_error(one, original) for one in results]).cpu())  # [3, N]
        if not rows:
            found = met(after, run.config["objective"]["name"], len(images), SEED)
            columns = [one[:count] for one in (original, *results)]
            rows = _restored_rows(columns, parts[0][:, :count], found[:count])
    errors = torch.cat(parts, dim=1)
    distorted, initial, trained = errors.square().mean(1).sqrt().tolist()
    note = (
        f"{len(rows)} {of}<br>root mean squared error of {errors.shape[1]} (black 0, white 1): as distorted "
        f"{distorted:.3f}, restored before training {initial:.3f}, after training {trained:.3f}"
    )
    heads = ["to be restored", "what the encoder sees", "restored before training", "restored after training"]
    return PictureRows("What is restored", rows, heads, note)


def training_note(run: Run, number: int) -> str:
    """Return which pictures are shown."""
    return f"{number} of {number_of(run.config, 'train'):,} training studies"


def _objective(run: Run) -> Restoration:
    return make_objective(run.config["objective"], {})


def _training_images(run: Run, count: int) -> Tensor:
    (batch,) = open_loader(run.config, "train", count).epoch(0)
    return batch.images[:, 0]  # [N, 1, H, W]


def _distort(objective: Restoration, run: Run, images: Tensor) -> list[Distorted]:
    original, seen = (to_uint8(pictures[:, 0]) for pictures in objective.distort(images, seeded(SEED)))
    found = met(objective, run.config["objective"]["name"], len(images), SEED)
    return [Distorted(*one) for one in zip(original, seen, found, strict=True)]


def _each_alone(objective: ModelGenesis, run: Run, image: Tensor) -> PictureRows:
    """Show what each distortion of Model Genesis does by itself to one picture, `[1, 1, H, W]`."""
    shares = _shares(objective.config)
    tiles = [Tile(to_uint8(image[:, 0])[0])]
    for words, changes in ALONE.items():
        alone = copy.copy(objective)
        alone.config = dataclasses.replace(objective.config, **{**NONE, **changes})
        copies = _distort(alone, run, image.expand(COPIES, -1, -1, -1))
        chosen = next(one for one in copies if one.met.seen.startswith(words))
        tiles.append(Tile(chosen.seen, f"{100 * shares[words]:.3g} % of the pictures"))
    heads = ["one picture", "pixels shuffled", *list(ALONE)[1:3], "noise in boxes", "noise around boxes"]
    return PictureRows("Each distortion by itself", [tiles], heads, training_note(run, 1))


def _shares(config: ModelGenesisConfig) -> dict[str, float]:
    """Return which share of the pictures meets each of `ALONE`."""
    bent, painted = config.curve_probability / 2, config.paint_probability
    filled = painted * config.in_paint_share * config.box_probability  # one can have no box
    around = painted * (1 - config.in_paint_share)
    return dict(zip(ALONE, (config.shuffle_probability, bent, bent, filled, around), strict=True))


def _error(pictures: Tensor, original: Tensor) -> Tensor:
    """Return the root mean squared error of each picture `[N]`, black being 0 and white 1."""
    return (STD * (pictures - original)).square().mean((1, 2, 3)).sqrt()


def _restored_rows(columns: Sequence[Tensor], errors: Tensor, found: Sequence[Met]) -> list[list[Tile]]:
    """Return a row of tiles for each picture.

    Args:
        columns: originals, what the encoder sees, and both restored, `[N, 1, H, W]`.
        errors: of all but the originals `[3, N]`.
        found: what each picture met.
    """
    pictures = [to_uint8(column[:, 0]) for column in columns]
    rows = []
    for place, (one, own) in enumerate(zip(found, errors.T.tolist(), strict=True)):
        below = [one.target, f"{one.seen}; error {own[0]:.3f}", *(f"error {error:.3f}" for error in own[1:])]
        rows.append([Tile(picture[place], words) for picture, words in zip(pictures, below, strict=True)])
    return rows
