"""What TransVW sees: visual words, each a row of crops; and whether it restores and names them."""

import time

import numpy as np
import torch
from torch import Tensor

from lib.data.augment import normalize
from workbench.baselines.distortions import seeded
from workbench.baselines.restoring import BATCH, SEED, compare_restored
from workbench.baselines.shown import Box, PictureRows, Tile
from workbench.embedded import INITIAL, TRAINED, Opened
from workbench.inputs import resolve_device
from workbench.reopen import open_data
from workbench.runs import Run
from workbench.words import WORDS, read_words, word_crops

MEMBERS = 6
"""Crops of a word that are shown."""
VALIDATION_MEMBERS = 4
"""Crops of each word that are restored and named."""
POLL_SECONDS = 0.2
PATIENCE = 600.0
"""Seconds that the words may take; a training that never began would be waited for in vain."""


def visual_words(run: Run, count: int) -> list[PictureRows]:
    """Show some visual words: where they lie in one patient, and the crops of others; waits for them.

    Args:
        run: of TransVW. It looks for the words when it starts.
        count: words.
    """
    _wait_for_words(run)
    store, _ = open_data(run)
    words = read_words(run)["train"]
    crops = word_crops(run, num_words=count, num_members=MEMBERS)
    rows = []
    for word, members in enumerate(crops):
        top, left, side = words.boxes[word, 0, 0].tolist()
        whole = np.asarray(store.images[words.view_rows[word, 0]])
        place = Tile(whole, f"word {word + 1}", [Box(top, left, side, side, word)])
        rows.append([place, *(Tile(crop) for crop in members)])
    heads = ["where it lies", "that patient", *["a similar one"] * (crops.shape[1] - 1)]
    num_words, num_patients = words.view_rows.shape
    note = f"{len(rows)} of {num_words} words, {crops.shape[1]} of {num_patients} training patients of each"
    return [PictureRows("Visual words: one place in patients who look alike", rows, heads, note)]


def restored_words(run: Run, count: int) -> list[PictureRows]:
    """Show crops of validation patients, distorted and restored, and how many are named rightly.

    Args:
        run: a finished run of TransVW.
        count: crops.
    """
    images, truth = _validation_crops(run)
    right = {weights: _share_named(run, weights, images, truth) for weights in (INITIAL, TRAINED)}
    num_words = run.config["objective"]["words"]["num_words"]
    of = (
        f"of {len(images)} crops of validation patients<br>word told rightly from the distorted crop: "
        f"{right[INITIAL]:.1%} before training, {right[TRAINED]:.1%} after, {1 / num_words:.1%} by chance"
    )
    return [compare_restored(run, images.split(BATCH), count, of)]


def _wait_for_words(run: Run) -> None:
    """Wait as long as a training may still write its words."""
    deadline = time.monotonic() + PATIENCE
    while not (run.folder / WORDS).is_file() and run.state in ("created", "running"):
        if time.monotonic() > deadline:
            return
        time.sleep(POLL_SECONDS)


def _validation_crops(run: Run) -> tuple[Tensor, Tensor]:
    """Return crops `[N, 1, H, W]` of all words, one member of each after the other, and their words `[N]`."""
    num_words = run.config["objective"]["words"]["num_words"]
    crops = word_crops(run, num_words=num_words, num_members=VALIDATION_MEMBERS, part="validation")
    images = torch.from_numpy(crops.swapaxes(0, 1).reshape(-1, 1, *crops.shape[2:])) / 255
    truth = torch.arange(num_words).repeat(crops.shape[1])
    device = resolve_device("auto")
    return normalize(images).to(device), truth.to(device)


@torch.no_grad()
def _share_named(run: Run, weights: str, images: Tensor, truth: Tensor) -> float:
    """Return the share of crops whose word is told rightly."""
    model = Opened(run, weights=weights, device=images.device).objective
    right = [
        (model.classifier(model.encoder(model.distort(part, seeded(SEED)).distorted).pooled).argmax(1) == own)
        for part, own in zip(images.split(BATCH), truth.split(BATCH), strict=True)
    ]
    return torch.cat(right).float().mean().item()
