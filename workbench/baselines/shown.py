"""What the page on baselines shows, as plain values: pictures in rows, similarities, labels, reports.

Letters: `B` pictures of a batch, `N` pictures, `K` keys of a queue, `A` ages.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.pair_examples import Example


@dataclasses.dataclass(frozen=True)
class Box:
    """A part of a picture, in its pixels; two boxes of one `pair` belong together."""

    top: int
    left: int
    height: int
    width: int
    pair: int


@dataclasses.dataclass(frozen=True)
class Tile:
    """A picture with what stands under it.

    Attributes:
        picture: uint8 `[S, S]`.
        caption: plain text, may be empty.
        boxes: drawn on it.
    """

    picture: np.ndarray
    caption: str = ""
    boxes: Sequence[Box] = ()


@dataclasses.dataclass(frozen=True)
class PictureRows:
    """Pictures in rows and columns.

    Attributes:
        title: one line.
        rows: tiles; rows may end early.
        heads: one above each column, or none.
        note: which pictures, how many.
    """

    title: str
    rows: Sequence[Sequence[Tile]]
    heads: Sequence[str] = ()
    note: str = ""


@dataclasses.dataclass(frozen=True)
class QueueSimilarity:
    """How well queries fit the keys in the queue, which are of other pictures and of an older teacher.

    Attributes:
        size: keys that the queue holds, K.
        ages: of the keys, in steps, ascending `[A]`; those that no step has put there are left out.
        means: similarity of all queries and the keys of that age, mean `[A]`.
        low: tenth part of these similarities `[A]`.
        high: nine tenths `[A]`.
        values: similarities of queries and keys, a random choice where there are many.
        num_queries: over which these are.
    """

    size: int
    ages: np.ndarray
    means: np.ndarray
    low: np.ndarray
    high: np.ndarray
    values: np.ndarray
    num_queries: int


@dataclasses.dataclass(frozen=True)
class CropSimilarity:
    """How well one crop of each picture fits the key of every other crop, with some weights.

    Attributes:
        study_ids: of the batch that is shown, those with the same label side by side `[B]`.
        labels: their positive labels, as text `[B]`.
        by_weights: weights -> cosine similarities, queries in rows, keys in columns `[B, B]`.
        ranks: weights -> at which rank of its batch a query has its own key, mean over all batches.
        own: weights -> similarity of each query and its own key `[N]`.
        others: weights -> those with the keys of other pictures of the same batch `[N * (B - 1)]`.
        queue: the trained queries and the queue, where the objective has one.
    """

    study_ids: list[str]
    labels: list[str]
    by_weights: Mapping[str, np.ndarray]
    ranks: Mapping[str, float]
    own: Mapping[str, np.ndarray]
    others: Mapping[str, np.ndarray]
    queue: QueueSimilarity | None


@dataclasses.dataclass(frozen=True)
class LabelUse:
    """Which labels a training learns from.

    Attributes:
        table: a row for each label of the store: label; positive, negative, unknown (training studies);
            reason why it is left out, "" where it is learnt.
    """

    table: pd.DataFrame


@dataclasses.dataclass(frozen=True)
class LabelScores:
    """What is told of each label from pictures that were not trained on.

    Attributes:
        findings: columns method, finding, auroc, low, high; empty where there are too few pictures.
        note: of which pictures, and what is not judged.
    """

    findings: pd.DataFrame
    note: str


@dataclasses.dataclass(frozen=True)
class PairExamples:
    """Pictures with the texts that they are trained with."""

    title: str
    examples: Sequence[Example]


@dataclasses.dataclass(frozen=True)
class WrittenReports:
    """Generated reports: columns study_id, true, generated."""

    reports: pd.DataFrame
