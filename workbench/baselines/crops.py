"""What objectives that compare crops see: two crops of each picture, mixtures, a queue of earlier keys.

Letters: `N` pictures, `B` of a batch, `E` width of the space of comparison, `K` keys of the queue.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.data.store import Store
from lib.objectives.mixing import draw_mixing
from lib.objectives.queue_contrast import QueueContrast
from lib.objectives.two_crops import two_crops
from workbench.baselines.pictures import number_of, open_loader
from workbench.baselines.shown import CropSimilarity, PictureRows, QueueSimilarity, Tile
from workbench.batch_similarity import by_label, own_ranks, positive_labels
from workbench.embedded import INITIAL, TRAINED, Opened
from workbench.inputs import resolve_device
from workbench.pair_examples import to_uint8
from workbench.runs import Run

LIMIT = 256
"""Validation studies at most that are compared."""
MOST_VALUES = 50_000
"""Similarities with the queue that a histogram gets at most."""
KINDS_OF_KEYS = {"moco_v2": 1, "c2l": 3}
"""Objective -> how many keys of each picture a step puts into the queue."""


def crop_pairs(run: Run, count: int) -> list[PictureRows]:
    """Show training pictures, and the two crops of each that must recognise each other.

    Args:
        run: finished or not.
        count: pictures.
    """
    loader = open_loader(run.config, "train", count)
    (batch,) = loader.epoch(0)
    stored = np.asarray(loader.store.images[batch.view_rows[:, 0].numpy()])
    columns = [stored, *map(_pictures, two_crops(batch))]
    tiles = [Tile(picture) for pictures in zip(*columns, strict=True) for picture in pictures]
    rows = [tiles[place : place + 6] for place in range(0, len(tiles), 6)]  # two pictures a row
    heads = ["as stored", "one crop", "the other"] * min(2, len(stored))
    note = f"{len(stored)} of {number_of(run.config, 'train'):,} training studies"
    return [PictureRows("Crops that belong together", rows, heads, note)]


def mixed_crops(run: Run, count: int) -> list[PictureRows]:
    """Show pairs of crops as `crop_pairs` does, and mixtures of training pictures.

    Args:
        run: of C2L, finished or not.
        count: pictures.
    """
    (batch,) = open_loader(run.config, "train", max(count, 2)).epoch(0)
    generator, rows = torch.Generator().manual_seed(run.config["seed"]), []
    first, second = two_crops(batch)
    while len(rows) < count:
        mixing = draw_mixing(len(first), generator)
        place = len(rows) % len(first)
        partner = int(mixing.partners[place])
        if partner == place:  # chance mixes a picture with itself, which shows nothing
            continue
        share = f"{100 * mixing.weight:.0f} %", f"{100 * (1 - mixing.weight):.0f} %"
        pictures = [first[place], first[partner], mixing.of(first)[place], mixing.of(second)[place]]
        captions = [share[0], share[1], f"{share[0]} + {share[1]}", f"{share[0]} + {share[1]}"]
        rows.append([Tile(_pictures(one), words) for one, words in zip(pictures, captions, strict=True)])
    heads = ["a crop", "its partner", "mixed: the query", "the other crops mixed: its key"]
    note = (
        f"{count} of {number_of(run.config, 'train'):,} training studies, each with a weight of its own "
        "here; in training a batch has one"
    )
    return [*crop_pairs(run, count), PictureRows("Mixed pairs", rows, heads, note)]


def compared(run: Run, count: int) -> list[CropSimilarity]:
    """Compare crops of validation pictures before and after the training, and with the queue, if any.

    Args:
        run: a finished run.
        count: of no use here: whole batches are compared.
    """
    device = resolve_device("auto")
    models = {
        weights: Opened(run, weights=weights, device=device).objective for weights in (INITIAL, TRAINED)
    }
    batch_size = run.config["loader"]["batch_size"]
    loader = open_loader(run.config, "validation", LIMIT, batch_size=batch_size, device=device)
    rows: list[np.ndarray] = []
    queries: list[Tensor] = []  # with the trained weights
    matrices: dict[str, list[np.ndarray]] = {weights: [] for weights in models}
    for batch in loader.epoch(0):
        rows.append(batch.study_rows.cpu().numpy())
        for weights, model in models.items():
            query, key = embed_crops(model, *two_crops(batch))
            matrices[weights].append((query @ key.T).cpu().numpy())  # [B, B]
            if weights == TRAINED:
                queries.append(query)
    has_queue = isinstance(models[TRAINED], QueueContrast)
    queue = compare_queue(run, models[TRAINED], torch.cat(queries)) if has_queue else None
    return [crop_similarity(loader.store, rows[0], matrices, queue)]


def crop_similarity(
    store: Store,
    rows: np.ndarray,
    matrices: Mapping[str, Sequence[np.ndarray]],
    queue: QueueSimilarity | None,
) -> CropSimilarity:
    """Put together what batches tell.

    Args:
        store: of the pictures.
        rows: studies of the first batch `[B]`.
        matrices: weights -> similarities of each batch, queries in rows `[B, B]`.
        queue: of the trained weights.
    """
    order = by_label(store.labels[rows])
    return CropSimilarity(
        study_ids=store.studies["study_id"].iloc[rows[order]].tolist(),
        labels=positive_labels(store, rows[order]),
        by_weights={weights: parts[0][order][:, order] for weights, parts in matrices.items()},
        ranks={
            weights: float(np.concatenate([own_ranks(part) for part in parts]).mean())
            for weights, parts in matrices.items()
        },
        own={
            weights: np.concatenate([part.diagonal() for part in parts])
            for weights, parts in matrices.items()
        },
        others={
            weights: np.concatenate([part[~np.eye(len(part), dtype=bool)] for part in parts])
            for weights, parts in matrices.items()
        },
        queue=queue,
    )


@torch.no_grad()
def embed_crops(objective: nn.Module, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return queries and keys of length 1, float32 `[B, E]`, of the two crops `[B, C, H, W]` of pictures."""
    if isinstance(objective, QueueContrast):
        query, key = objective.queries(first), objective.keys(second)
    else:
        query, key = (objective.projection(objective.encoder(crops).pooled) for crops in (first, second))
    return F.normalize(query.float(), dim=1), F.normalize(key.float(), dim=1)


def ages_of(size: int, position: int, keys_per_step: int, steps: int) -> np.ndarray:
    """Return how many steps ago each row of the queue was put there, from 1, int64 `[K]`; 0: never.

    Args:
        size: of the queue, K.
        position: of the oldest row, which the next key replaces.
        keys_per_step: that a step puts into the queue.
        steps: that were made.
    """
    keys_since = (position - 1 - np.arange(size)) % size
    return np.where(keys_since < steps * keys_per_step, keys_since // keys_per_step + 1, 0)


def compare_queue(run: Run, objective: QueueContrast, queries: Tensor) -> QueueSimilarity:
    """Compare queries `[N, E]` of length 1 with the queue as the best checkpoint of a run has it."""
    queue = objective.queue
    similarity = (queries @ queue.rows.float().T).cpu().numpy()  # [N, K]
    keys_per_step = KINDS_OF_KEYS[run.config["objective"]["name"]] * run.config["loader"]["batch_size"]
    ages = ages_of(queue.size, int(queue.position), keys_per_step, run.result()["best_step"])
    by_age = {age: similarity[:, ages == age] for age in np.unique(ages[ages > 0])}
    values = similarity[:, ages > 0].ravel()
    if len(values) > MOST_VALUES:
        values = np.random.default_rng(0).choice(values, MOST_VALUES, replace=False)
    return QueueSimilarity(
        size=queue.size,
        ages=np.array(list(by_age)),
        means=np.array([part.mean() for part in by_age.values()]),
        low=np.array([np.quantile(part, 0.1) for part in by_age.values()]),
        high=np.array([np.quantile(part, 0.9) for part in by_age.values()]),
        values=values,
        num_queries=len(queries),
    )


def _pictures(crops: Tensor) -> np.ndarray:
    """Return crops `[..., 1, H, W]` as uint8 `[..., H, W]`."""
    return to_uint8(crops.squeeze(-3))
