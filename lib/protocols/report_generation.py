"""Report generation: what a decoder writes about studies, beside what it costs nothing to write.

Two baselines stand beside the generated reports. `nearest` copies the report of the training image whose
feature, of the same image encoder, has the largest cosine with that of the study: of all images of the
training studies, whatever their position, and of the study the first view in the order of the store, which
is the first that the decoder sees too. Of equally similar images the first in the store is taken.
`constant` is the most frequent training report (letter case, punctuation and white space apart; of equally
frequent ones the first). Unlike the medoid by CIDEr it is chosen by none of the scores that judge it, and by
one pass over the reports instead of one over all pairs.

A true report counts as it was written, also what lies beyond the longest report that the objective can write.
How scores and intervals are computed: `lib.protocols.report_scores`.

Letters: N studies.
"""

import collections
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from torch import nn

from lib.data.loader import StudyLoader
from lib.data.store import Store
from lib.loops.written_reports import Decoder, check_can_write, write_reports
from lib.metrics.generation import document_frequencies, words
from lib.metrics.similarity import CosineSimilarity, row_blocks
from lib.protocols.features import Features
from lib.protocols.report_scores import (
    CONFIDENCE,
    PER_STUDY,
    REPLICATES,
    describe_labels,
    describe_scores,
    score_reports,
)

GENERATED, NEAREST, CONSTANT = "generated", "nearest", "constant"
SOURCES = (GENERATED, NEAREST, CONSTANT)


@dataclasses.dataclass(frozen=True)
class TrainingReports:
    """What an objective learnt from, to copy from.

    Attributes:
        features: of every image of the training studies, by the objective's own encoder.
        studies: study id of each row of the store.
        texts: report of each row of the store.
    """

    features: Features
    studies: Sequence[str]
    texts: Sequence[str]

    def with_words(self) -> "TrainingReports":
        """Leave out images of studies without a report."""
        rows = self.features.study_rows
        return dataclasses.replace(self, features=self.features.of(rows_with_reports(self.texts, rows)))


@dataclasses.dataclass(frozen=True)
class GeneratedReports:
    """What was written, and what it is worth.

    Attributes:
        table: one row per study: study_id, patient_id, reference, generated, nearest, nearest_study_id, and
            `<source>/<score>` of generated, nearest and constant.
        summary: "scores" (source -> score -> estimate, low, high), "difference" (the same of generated and of
            constant minus nearest, paired), "labels" (source -> label -> F1 by rules), "variety" (source ->
            see `_variety`), "constant" (its text and how many training studies have it), "beam_size",
            "num_studies", "num_patients", "num_corpus", "bootstrap".
    """

    table: pd.DataFrame
    summary: dict[str, Any]


def rows_with_reports(texts: Sequence[str], rows: np.ndarray) -> np.ndarray:
    """Return the different ones of some rows whose report has a word, ascending."""
    return np.array([row for row in np.unique(rows) if words(texts[row])], np.int64)


def generate_and_judge(
    objective: nn.Module,
    tokenizer: Decoder,
    loader: StudyLoader,
    images: Features,
    training: TrainingReports,
    *,
    beam_size: int = 4,
    corpus: np.ndarray | None = None,
    progress: bool = True,
) -> GeneratedReports:
    """Write the reports of studies with beam search, and judge them beside the baselines.

    Args:
        objective: has `generate`, in evaluation mode, on the loader's device.
        tokenizer: of its decoder.
        loader: of studies with reports that it was not trained on, not augmented.
        images: features of the images of these studies (others may be there too).
        training: what it learnt from.
        beam_size: hypotheses kept.
        corpus: study rows whose true reports CIDEr-D weighs words by; None: the studies of the loader, as in
            the published metric. Give the whole split where the loader has a part of it.
        progress: shows a bar.

    Raises:
        ValueError: the objective writes no reports, or a study has none to compare with; names it.
    """
    check_can_write(objective, type(objective).__name__)
    store, rows = loader.store, loader.items.study_rows
    _check_references(store, rows)
    training = training.with_words()
    closest = nearest_rows(images, rows, training.features)
    constant, count = most_frequent(training)
    written = write_reports(objective, loader, tokenizer, beam_size=beam_size, progress=progress)
    assert (written.study_rows == rows).all(), "a loader without shuffling keeps its order"

    reports = {
        GENERATED: written.texts,
        NEAREST: [training.texts[row] for row in closest],
        CONSTANT: [constant] * len(rows),
    }
    references = [store.texts[row] for row in rows]
    patients = store.studies["patient_id"].to_numpy()[rows]
    corpus = rows_with_reports(store.texts, rows if corpus is None else corpus)
    frequencies = document_frequencies([[store.texts[row]] for row in corpus])
    scores = {source: score_reports(texts, references, frequencies) for source, texts in reports.items()}
    known = {_plain(training.texts[row]) for row in np.unique(training.features.study_rows)}
    table = {
        "study_id": store.studies["study_id"].to_numpy()[rows],
        "patient_id": patients,
        "reference": references,
        GENERATED: reports[GENERATED],
        NEAREST: reports[NEAREST],
        "nearest_study_id": [training.studies[row] for row in closest],
    }
    for source in SOURCES:
        columns = scores[source].per_study.T
        table |= {f"{source}/{name}": column for name, column in zip(PER_STUDY, columns, strict=True)}
    summary = {
        "scores": {source: describe_scores(scores[source], patients) for source in SOURCES},
        "difference": {
            source: describe_scores(scores[source], patients, minus=scores[NEAREST])
            for source in (GENERATED, CONSTANT)
        },
        "labels": {source: describe_labels(scores[source]) for source in SOURCES},
        "variety": {
            source: _variety(texts, known) for source, texts in {"reference": references, **reports}.items()
        },
        "constant": {"text": constant, "num_training_studies": count},
        "beam_size": beam_size,
        "num_studies": len(rows),
        "num_patients": len(np.unique(patients)),
        "num_corpus": len(corpus),
        "bootstrap": {"replicates": REPLICATES, "confidence": CONFIDENCE, "unit": "patient"},
    }
    return GeneratedReports(pd.DataFrame(table), summary)


def nearest_rows(images: Features, rows: np.ndarray, training: Features) -> np.ndarray:
    """Return, for each of some studies, the study of the most similar training image, int64 `[N]`.

    Args:
        images: features of their images; the first of each study is compared.
        rows: the studies.
        training: features to look among, in the order of the store: of equal ones the first is taken.

    Raises:
        ValueError: a study has no image among the features, or there is nothing to look among.
    """
    first = images.of(rows).first_views()
    if absent := sorted(set(rows.tolist()) - set(first.study_rows.tolist())):
        raise ValueError(
            f"{len(absent)} of {len(rows)} studies have no features, for example study row {absent[0]}."
        )
    if not len(training.values):
        raise ValueError("No training study has a report: there is nothing to copy.")
    queries = first.values[np.searchsorted(first.study_rows, rows)]
    similarity = CosineSimilarity(queries, training.values)
    best = [similarity[block].argmax(axis=1) for block in row_blocks(similarity.shape)]
    return training.study_rows[np.concatenate(best)]


def most_frequent(training: TrainingReports) -> tuple[str, int]:
    """Return the report that most training studies have, as its first one writes it, and how many."""
    rows = np.unique(training.features.study_rows)
    counts = collections.Counter(_plain(training.texts[row]) for row in rows)
    report, count = counts.most_common(1)[0]  # of equal counts the first that was met
    return next(training.texts[row] for row in rows if _plain(training.texts[row]) == report), count


def _variety(texts: Sequence[str], known: set[str]) -> dict[str, float]:
    """Say how reports vary: different ones, mean words, and the share that stands so in the training."""
    plain = list(map(_plain, texts))
    return {
        "num_different": len(set(plain)),
        "mean_words": round(float(np.mean([len(words(text)) for text in texts])), 2),
        "share_in_training": round(float(np.mean([text in known for text in plain])), 6),
    }


def _plain(text: str) -> str:
    """Return the words of a report in one form, for reports that say the same."""
    return " ".join(words(text))


def _check_references(store: Store, rows: np.ndarray) -> None:
    absent = sorted(set(rows.tolist()) - set(rows_with_reports(store.texts, rows).tolist()))
    if absent:
        names = store.studies["study_id"].iloc[absent[:3]]
        raise ValueError(
            f"{len(absent)} of {len(rows)} studies have no report to compare with, for example "
            f"{', '.join(names)}. Leave them out (rows_with_reports)."
        )
