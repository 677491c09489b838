"""A finished pre-training on pairs of image and text, and where on the views of a study a phrase fits."""

import dataclasses
from pathlib import Path

import numpy as np
import torch

from lib.data.reports import report_sentences
from lib.explain.phrase import phrase_similarity
from workbench.embedded import TRAINED
from workbench.runs import Run
from workbench.study_reading.looking import open_looking
from workbench.study_reading.seen_study import SeenStudy, frame_of, see_study
from workbench.study_reading.study_list import StudyList
from workbench.typed_text import refusal, remark


@dataclasses.dataclass(frozen=True, eq=False)
class PhraseReading:
    """How well a phrase fits the places of a study.

    Attributes:
        phrase: as typed.
        places: of each view, with its sign, float32 `[V, rows, columns]`.
        whole: of each view as the model was trained to compare it, float32 `[V]`.
    """

    phrase: str
    places: np.ndarray
    whole: np.ndarray


class PhraseReader:
    """A model with the studies of a split.

    Attributes:
        opened: the run.
        store: of the studies.
        split: whose they are.
        studies: their rows and names.
        frame: how what the model sees lies on a stored picture.
        measure: what phrase and place are compared by.
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
        """Open a run.

        Args:
            run: a finished pre-training that compares images with texts.
            store: a folder; "" for the run's own store.
            split: which studies.
            weights: as in `workbench.embedded.Opened`.
            device: where to compute.
            allow_leak: reason to look at studies that the run has learnt from.

        Raises:
            ValueError: a run that compares no text with places, no study in the split, or a leak.
            FileNotFoundError: no store there.
        """
        options = {"store": store, "weights": weights, "device": device, "allow_leak": allow_leak}
        self.opened, data = open_looking(run, **options)
        if self.opened.pairs is None:
            raise ValueError(
                f"Run {run.id} ({run.config['objective']['name']}) compares no phrase with the places of a "
                "picture; take one whose training contrasts images with texts, such as convirt."
            )
        self.run, self.store, self.split, self.measure = run, data.store, split, self.opened.objective.measure
        self.studies = StudyList(data.store, data.manifest.rows(split), split)
        self.frame = frame_of(self.opened, data.store)

    def see(self, place: int) -> SeenStudy:
        """Return the views of a study, each once, as the model sees them."""
        return see_study(self.opened, self.store, int(self.studies.rows[place]), 0)

    def sentences(self, study: SeenStudy) -> list[str]:
        """Return the sentences of the study's report, each once; none where it has no report."""
        record = self.store.studies.iloc[study.row]
        sentences = report_sentences(record["findings"], record["impression"])
        return [text for text in dict.fromkeys(sentences) if text]

    def refusal(self, phrase: str) -> str:
        """Say why the model cannot read a phrase; "" where it can."""
        return refusal(self.opened.pairs, phrase)

    def remark(self, phrase: str) -> str:
        """Say what of a phrase the model reads only in part."""
        return remark(self.opened.pairs, phrase)

    def read(self, study: SeenStudy, phrases: list[str]) -> list[PhraseReading]:
        """Compare phrases, at least one, with the places of a study."""
        objective, images = self.opened.objective, study.images[0]
        texts = torch.from_numpy(self.opened.pairs.embed_texts(phrases)).to(images.device)
        places = phrase_similarity(objective, images, texts).cpu().numpy()  # [V, phrases, rows, columns]
        with torch.no_grad():
            whole = objective.similarity(texts, objective.embed_images(images)).cpu().numpy()  # [phrases, V]
        return [PhraseReading(phrase, places[:, index], whole[index]) for index, phrase in enumerate(phrases)]
