"""Retrieval without training (ConVIRT, 3.2): images by image, images by sentence, reports by study and back.

Image-image retrieval ranks by the cosine of the image encoder's own features, before any projection, as the
paper does ("given to a pretrained CNN encoder"): so encoders without texts can be compared. Text-image
retrieval ranks by the objective's similarity. An image of a store is the first frontal view of a study.

Intervals resample queries, those of one patient together; the candidates stay as they are.
Letters: `Q` queries, `N` candidates, `D` width of a feature.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from lib.data.retrieval_lists import Pictures, RetrievalLists, make_retrieval_lists
from lib.data.store import Store
from lib.metrics.paired_retrieval import PairedRetrieval, paired_retrieval
from lib.metrics.retrieval import CategoryRetrieval, precision_at
from lib.metrics.similarity import CosineSimilarity
from lib.protocols.features import Features

REPLICATES, CONFIDENCE = 2000, 0.95


@dataclasses.dataclass(kw_only=True)
class RetrievalConfig:
    """What is looked for among what; the defaults are those of ConVIRT (3.2; appendices C and D).

    Attributes:
        num_queries: pictures of each class.
        num_candidates: pictures of each class.
        classes: labels; empty: all that have enough studies which are positive for nothing else.
        ks: of precision@k; one that no ranking could fill with relevant pictures is left out.
        recall_ks: of R@k for pairs of study and report; one above the number of pairs is left out.
        share_patients: whether a patient may have pictures among the queries and among the candidates.
        exclude_same_patient: leave the query's own patient out of its ranking. The published lists hold seven
            queries with such a candidate, which the paper does not speak of.
        seed: of the draw.
    """

    num_queries: int = 10
    num_candidates: int = 200
    classes: list[str] = dataclasses.field(default_factory=list)
    ks: list[int] = dataclasses.field(default_factory=lambda: [5, 10, 50, 100])
    recall_ks: list[int] = dataclasses.field(default_factory=lambda: [1, 5, 10])
    share_patients: bool = False
    exclude_same_patient: bool = True
    seed: int = 0

    def __post_init__(self):
        if min(self.num_queries, self.num_candidates) < 1:
            raise ValueError(
                f"{self.num_queries} queries and {self.num_candidates} candidates of each class: at least 1."
            )


def choose_lists(store: Store, rows: np.ndarray, config: RetrievalConfig) -> RetrievalLists:
    """Draw queries and candidates from studies that are positive for one label of the store and no other.

    Unless patients may be shared, each has one such study in the draw, the first.

    Args:
        store: with labels.
        rows: study rows to draw from.
        config: how many, of which classes.

    Raises:
        ValueError: an unknown class, or too few such studies; says how many there are.
    """
    rows = np.unique(np.asarray(rows, np.int64))
    exclusive = rows[(store.labels[rows] == 1).sum(axis=1) == 1]
    if not config.share_patients:
        patients = store.studies["patient_id"].to_numpy(str)[exclusive]
        exclusive = exclusive[np.unique(patients, return_index=True)[1]]
    wanted = config.num_queries + config.num_candidates
    numbers = (store.labels[exclusive] == 1).sum(axis=0).tolist()
    counts = dict(zip(store.label_names, numbers, strict=True))
    classes = config.classes or [name for name, count in counts.items() if count >= wanted]
    if len(classes) < 2:
        found = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise ValueError(
            f"Retrieval needs two classes with {wanted} studies that are positive for nothing else "
            f"({config.num_queries} queries and {config.num_candidates} candidates); of {len(rows)} studies "
            f"of {store.path} there are: {found}. Ask for fewer."
        )
    return make_retrieval_lists(
        store,
        config.num_queries,
        config.num_candidates,
        config.seed,
        classes,
        rows=exclusive,
        share_patients=config.share_patients,
    )


def values_of(pictures: Pictures, features: Features) -> np.ndarray:
    """Return the vectors of listed studies, each that of the first image of the study, `[len(pictures), D]`.

    Raises:
        ValueError: a listed study has no image among the features; names some.
    """
    first = features.first_views()
    if absent := sorted(set(pictures.items.tolist()) - set(first.study_rows.tolist())):
        raise ValueError(
            f"{len(absent)} of {len(pictures)} pictures of the retrieval list have no features, for example "
            f"study rows {', '.join(map(str, absent[:3]))}. Make the list from the studies whose images were "
            "embedded, or embed those too."
        )
    return first.values[np.searchsorted(first.study_rows, pictures.items)]


def image_image(
    lists: RetrievalLists, queries: np.ndarray, candidates: np.ndarray, config: RetrievalConfig
) -> dict[str, Any]:
    """Judge the retrieval of images by images of the same category.

    Args:
        lists: what is looked for among what.
        queries: features of the query pictures `[Q, D]`.
        candidates: features of the candidate pictures `[N, D]`.
        config: values of k, and whether the query's patient is left out.

    Returns:
        As `_describe`, with num_same_patient_pairs (query and candidate of one patient) and
        same_patient_excluded.
    """
    same_patient = lists.same_patient
    excluded = same_patient & config.exclude_same_patient
    report = _describe(
        CosineSimilarity(queries, candidates),
        lists.relevance,
        excluded,
        [lists.classes[code] for code in lists.queries.category],
        lists.queries.patients,
        config,
    )
    return {
        **report,
        "num_same_patient_pairs": int(same_patient.sum()),
        "same_patient_excluded": config.exclude_same_patient,
        "interval": _interval("patient of the query"),
    }


def text_image(
    lists: RetrievalLists, category: np.ndarray, similarity: np.ndarray, config: RetrievalConfig
) -> dict[str, Any]:
    """Judge the retrieval of images by sentences on their category.

    Args:
        lists: its candidates are looked through.
        category: class of each sentence, index into the classes of the lists `[Q]`.
        similarity: of every sentence with every candidate `[Q, N]`.
        config: values of k.

    Returns:
        As `_describe`. Sentences have no patient, so nothing is excluded and each is a cluster by itself.
    """
    category = np.asarray(category)
    relevance = category[:, None] == lists.candidates.category
    classes = [lists.classes[code] for code in category]
    report = _describe(similarity, relevance, None, classes, None, config)
    return {**report, "same_patient_excluded": False, "interval": _interval("sentence")}


def study_report(
    similarity: np.ndarray, reports: Sequence[str], patients: Sequence[str], config: RetrievalConfig
) -> dict[str, Any]:
    """Judge how well studies find their own reports, and reports their own studies.

    Reports that differ in nothing but letter case and white space are one: each of them is a hit for each
    of their studies. Other studies of the same patient stay among the candidates.

    Args:
        similarity: of every report (row) with the image of every study (column) `[N, N]`.
        reports: their texts `[N]`.
        patients: of the studies `[N]`.
        config: values of k.

    Returns:
        study_to_report and report_to_study, each with recall (k -> estimate, low, high), chance (k -> R@k of
        a random ranking) and median_rank; num_pairs, num_different_reports, ks_left_out,
        same_patient_excluded, interval.
    """
    texts = [" ".join(report.lower().split()) for report in reports]
    ks = [k for k in config.recall_ks if k <= len(texts)]
    if not ks:
        raise ValueError(
            f"R@k of {len(texts)} pairs: none of k = {config.recall_ks} fits. Take more studies."
        )
    to_report, to_study = paired_retrieval(np.asarray(similarity).T, duplicates=texts, ks=ks)
    return {
        "study_to_report": _describe_pairs(to_report, patients),
        "report_to_study": _describe_pairs(to_study, patients),
        "num_pairs": len(texts),
        "num_different_reports": len(set(texts)),
        "ks_left_out": [k for k in config.recall_ks if k not in ks],
        "same_patient_excluded": False,
        "interval": _interval("patient of the query"),
    }


def _describe(
    similarity: np.ndarray | CosineSimilarity,
    relevance: np.ndarray,
    excluded: np.ndarray | None,
    classes: Sequence[str],
    clusters: np.ndarray | None,
    config: RetrievalConfig,
) -> dict[str, Any]:
    """Rank, and say what came of it.

    Returns:
        precision (k -> estimate, low, high), chance (of a random ranking, at every k), by_class (class -> k
        -> precision), num_queries, num_candidates, ks_left_out.
    """
    relevant = relevance if excluded is None else relevance & ~excluded
    most = int(relevant.sum(axis=1).min()) if len(relevant) else 0
    ks = [k for k in config.ks if k <= most]
    if not ks:
        raise ValueError(
            f"A query has {most} relevant candidates, fewer than every k of {list(config.ks)}: even a "
            "perfect ranking could not reach a precision of 1. Take more candidates or a smaller k."
        )
    result = precision_at(similarity, relevance, excluded=excluded, ks=ks)
    by_class = {name: _by_k(ks, values) for name, values in result.by_class(classes).items()}
    return {
        "precision": _with_interval(result, result.mean, clusters),
        "chance": round(result.mean_chance, 6),
        "by_class": by_class,
        "num_queries": len(relevance),
        "num_candidates": relevance.shape[1],
        "ks_left_out": [k for k in config.ks if k not in ks],
    }


def _describe_pairs(result: PairedRetrieval, patients: Sequence[str]) -> dict[str, Any]:
    return {
        "recall": _with_interval(result, result.recall, patients),
        "chance": _by_k(result.ks, result.chance),
        "median_rank": result.median_rank,
    }


def _with_interval(
    result: CategoryRetrieval | PairedRetrieval, means: np.ndarray, clusters: Sequence[str] | None
) -> dict[str, dict[str, float]]:
    ends = result.interval(clusters, replicates=REPLICATES, confidence=CONFIDENCE)
    parts = (_by_k(result.ks, values) for values in (means, *ends))
    estimate, low, high = parts
    return {k: {"estimate": estimate[k], "low": low[k], "high": high[k]} for k in estimate}


def _by_k(ks: Sequence[int], values: np.ndarray) -> dict[str, float]:
    """Return values under their k as JSON has it, a text."""
    return {str(k): round(float(value), 6) for k, value in zip(ks, values, strict=True)}


def _interval(unit: str) -> dict[str, Any]:
    return {"unit": unit, "replicates": REPLICATES, "confidence": CONFIDENCE, "candidates": "fixed"}
