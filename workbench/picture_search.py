"""Look through the pictures of a split by a sentence or by one of them; they are embedded once.

Letters: `N` studies, each with its first frontal picture.
"""

import functools
from pathlib import Path

import numpy as np

from lib.metrics.similarity import CosineSimilarity
from workbench.embedded import TRAINED, embed
from workbench.runs import Run
from workbench.study_reading.looking import open_looking
from workbench.typed_text import refusal, remark


class PictureSearch:
    """The pictures of a split as a finished pre-training sees them.

    Attributes:
        run: the pre-training.
        store: of the pictures.
        split: whose they are.
        study_rows: their studies, rows of the store, int64 `[N]`.
        view_rows: their places in `store.images`, int64 `[N]`.
        patients: of the studies `[N]`.
    """

    def __init__(
        self,
        run: Run,
        *,
        store: Path | str = "",
        split: str = "test",
        weights: str = TRAINED,
        device: str = "auto",
        allow_leak: str = "",
    ):
        """Embed the pictures, or read the embeddings where the run folder has them.

        Args:
            run: a finished pre-training.
            store: a folder; "" for the run's own store.
            split: which pictures.
            weights: as in `workbench.embedded.Opened`.
            device: where to embed.
            allow_leak: reason to look among pictures that the run has learnt from.

        Raises:
            ValueError: the run is no finished pre-training, or has seen these pictures.
        """
        options = {"store": store, "weights": weights, "device": device, "allow_leak": allow_leak}
        opened, data = open_looking(run, **options)
        embedded = embed(opened, data.store, data.manifest, split)
        features = embedded.features.of(data.manifest.rows(split)).first_views()
        self.run, self.store, self.split = run, data.store, split
        self.study_rows, self.view_rows = features.study_rows, features.view_rows
        self.patients = data.store.studies["patient_id"].to_numpy(str)[self.study_rows]
        self._cosine = CosineSimilarity(features.values, features.values)
        self._pairs = opened.pairs
        self._embeddings = None if opened.pairs is None else embedded.embeddings.first_views().values

    def __len__(self) -> int:
        """Return the number of studies."""
        return len(self.study_rows)

    @property
    def reads(self) -> bool:
        """Whether sentences can be looked with."""
        return self._pairs is not None

    @functools.cached_property
    def labels(self) -> np.ndarray:
        """Labels of the studies, 1, 0 or NaN `[N, K]`."""
        return self.store.labels[self.study_rows]

    def by_picture(self, place: int) -> np.ndarray:
        """Return the cosine of each picture's feature with that of one of them, float64 `[N]`."""
        return self._cosine[place : place + 1][0]

    def by_sentence(self, sentence: str) -> np.ndarray:
        """Return how well each picture fits a sentence, float64 `[N]`.

        Raises:
            ValueError: `refusal` says why not.
        """
        if reason := self.refusal(sentence):
            raise ValueError(reason)
        return self._pairs.similarity(self._pairs.embed_texts([sentence]), self._embeddings)[0]

    def refusal(self, sentence: str) -> str:
        """Say why pictures cannot be looked for with this sentence; "" where they can."""
        if not self.reads:
            method = self.run.config["objective"]["name"]
            return f"A run of {method} embeds no texts: look with a picture instead."
        return refusal(self._pairs, sentence)

    def remark(self, sentence: str) -> str:
        """Say what of a sentence the model reads only in part; "" where it reads every word."""
        return remark(self._pairs, sentence)
