"""A batch of pairs before and after training: how well each text fits each picture.

Letters: `B` pairs of a batch, `K` labels.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from lib.data.store import Store
from workbench.embedded import INITIAL, TRAINED, Opened
from workbench.inputs import open_data, resolve_device
from workbench.pair_examples import PairLoader
from workbench.runs import Run
from workbench.view_choice import studies_seen


@dataclasses.dataclass(frozen=True)
class BatchSimilarity:
    """How well each text of a batch fits each picture of it, with some weights.

    Attributes:
        study_ids: of the pairs `[B]`, those with the same label side by side.
        labels: their positive labels, as text `[B]`.
        texts: `[B]`.
        by_weights: `INITIAL` and `TRAINED` -> similarities, texts in rows, pictures in columns `[B, B]`.
        ranks: weights -> at which rank of its batch a text has its own picture, mean over all batches; ties
            share their mean rank.
        num_texts: over which that is the mean.
    """

    study_ids: list[str]
    labels: list[str]
    texts: list[str]
    by_weights: Mapping[str, np.ndarray]
    ranks: Mapping[str, float]
    num_texts: int


def batch_similarity(run: Run) -> BatchSimilarity:
    """Compare the texts and pictures of one validation batch with the weights before and after training.

    Args:
        run: a finished pre-training whose objective embeds texts.

    Raises:
        ValueError: the objective embeds none.
    """
    device = resolve_device("auto")
    opened = {weights: Opened(run, weights=weights, device=device) for weights in (INITIAL, TRAINED)}
    if opened[TRAINED].pairs is None:
        raise ValueError(f"Run {run.id} of {run.config['objective']['name']} embeds no texts to compare.")
    store, manifest = open_data(run.config)
    rows = np.random.default_rng(run.config["seed"]).permutation(
        studies_seen(run.config, store, manifest.rows("validation"))
    )
    size = min(len(rows), run.config["loader"]["batch_size"])
    loader = PairLoader(
        run.config,
        store,
        rows,
        batch_size=size,
        drop_last=True,
        device=device,
    )
    studies, texts, by_weights, ranks = [], [], {}, {weights: [] for weights in opened}
    for batch, read, _ in loader.batches(0):
        for weights, one in opened.items():
            images = one.objective.embed_images(batch.images[:, 0]).detach().cpu().numpy()
            values = one.pairs.similarity(one.pairs.embed_texts(read), images)
            by_weights.setdefault(weights, values)  # of the first batch
            ranks[weights] += own_ranks(values).tolist()
        if not texts:
            studies, texts = batch.study_rows.cpu().numpy(), read
    order = by_label(store.labels[studies])
    return BatchSimilarity(
        study_ids=store.studies["study_id"].iloc[studies[order]].tolist(),
        labels=positive_labels(store, studies[order]),
        texts=[texts[place] for place in order],
        by_weights={weights: values[order][:, order] for weights, values in by_weights.items()},
        ranks={weights: float(np.mean(values)) for weights, values in ranks.items()},
        num_texts=len(ranks[TRAINED]),
    )


def own_ranks(similarity: np.ndarray) -> np.ndarray:
    """Return at which rank each text has its own picture, from 1."""
    own = similarity.diagonal()[:, None]
    return (similarity > own).sum(axis=1) + ((similarity == own).sum(axis=1) + 1) / 2


def by_label(labels: np.ndarray) -> np.ndarray:
    """Return the order in which rows `[B, K]` of one first positive label are neighbours; none comes last."""
    last = np.ones((len(labels), 1), bool)
    return np.argsort(np.concatenate([labels == 1, last], axis=1).argmax(axis=1), kind="stable")


def positive_labels(store: Store, rows: np.ndarray) -> list[str]:
    """Return the positive labels of some studies as text."""
    names = np.array(store.label_names)
    return [", ".join(names[labels == 1]) or "none positive" for labels in store.labels[rows]]
