"""Look for studies by a sentence or by a picture: what was asked, what was found."""

import html
from typing import Any

import numpy as np
import pandas as pd

from lib.data.prompts import read_prompts
from workbench import theme
from workbench.figures import curation, retrieved
from workbench.picture_search import PictureSearch
from workbench.widgets.retrieval_shell import retrieval_shell

MOST = 50
"""Studies that a table shows at most."""

NAMED = 3
"""Labels that the caption speaks of."""

SCORES = {"sentence": "similarity of sentence and picture", "picture": "cosine of the pictures' features"}


class RetrievalConsole:
    """A question and its answer.

    Attributes:
        search: the pictures.
        sentence: looked with; "" for a picture.
        picture: looked with, its place among those of `search`; None for a sentence.
        k: how many of the best are shown.
        apart: whether the other studies of the picture's patient are left out; the picture itself always is.
        candidates: places of those that were ranked, the best first.
        scores: theirs, descending.
        message: what there is to say about the question, "" mostly.
    """

    def __init__(
        self,
        search: PictureSearch,
        *,
        sentence: str = "",
        picture: int | None = None,
        k: int = 10,
        apart: bool = True,
        seed: int = 0,
    ):
        """Begin with a sentence or a picture; without either, with a picture drawn at random.

        Args:
            search: the pictures.
            sentence: to look with.
            picture: to look with, its place in `search`.
            k: studies to show.
            apart: leave the picture's patient out.
            seed: of the pictures that `surprise` draws.
        """
        self.search, self.apart = search, apart
        self._random = np.random.default_rng(seed)
        self.show_best(k)
        self.pick(self._random.integers(len(search)) if picture is None else picture)
        if sentence:
            self.ask(sentence)

    def ask(self, sentence: str) -> None:
        """Look with a sentence; `message` says where that cannot be done, and the answer before stays."""
        self.message = self.search.refusal(sentence)
        if not self.message:
            self.sentence, self.picture = " ".join(sentence.split()), None
            self.message = self.search.remark(self.sentence)
            self._rank(self.search.by_sentence(self.sentence))

    def pick(self, picture: int) -> None:
        """Look with a picture, by its place in `search`; places beyond its ends mean its ends."""
        self.picture, self.sentence = int(np.clip(picture, 0, len(self.search) - 1)), ""
        self.message = ""
        self._rank(self.search.by_picture(self.picture))

    def find(self, name: str) -> None:
        """Look with the picture of the study of that id, or with the next one of that patient."""
        name = name.strip()
        if not name:
            return
        studies = self.search.store.studies["study_id"].to_numpy(str)[self.search.study_rows]
        for names in (studies, self.search.patients):
            if len(places := np.flatnonzero(names == name)):
                here = -1 if self.picture is None else self.picture
                later = places[places > here]
                self.pick(later[0] if len(later) else places[0])
                return
        self.message = (
            f"There is no study or patient {name!r} with a frontal picture in the {self.search.split} split."
        )

    def like(self, rank: int) -> None:
        """Look with the picture that was found at a rank, from 1; ranks beyond the end mean the last."""
        if len(self.candidates):
            self.pick(self.candidates[int(np.clip(rank, 1, len(self.candidates))) - 1])

    def surprise(self) -> None:
        """Look with a picture drawn at random."""
        self.pick(self._random.integers(len(self.search)))

    def show_best(self, k: int) -> None:
        """Show that many of the best."""
        self.k = int(np.clip(k, 1, MOST))

    def keep_apart(self, apart: bool) -> None:
        """Leave the picture's patient out, or no longer; says nothing about a sentence, which has none."""
        self.apart = apart
        if self.picture is not None:
            self.pick(self.picture)

    def examples(self) -> list[tuple[str, str]]:
        """Return labels of the store, each with a sentence to look for it with."""
        prompts = read_prompts()
        known = [name for name in self.search.store.label_names if name in prompts.by_finding]
        return [(name, next(iter(prompts.of(name).values())).positive[0]) for name in known]

    @property
    def best(self) -> np.ndarray:
        """Places of the studies shown, the best first."""
        return self.candidates[: self.k]

    @property
    def caption(self) -> str:
        """How many were looked through, whom that left out, and which labels are common among the best."""
        parts = [f"the best {len(self.best)} of {len(self.candidates):,} studies"]
        if self.picture is not None:
            others = int((self.search.patients == self.search.patients[self.picture]).sum()) - 1
            stay = "left out" if self.apart else "among them"
            parts.append(f"{others} more of the patient {stay}" if others else "no more of the patient")
        positive = self.search.labels == 1
        counts = positive[self.best].sum(axis=0)
        by_chance = positive[self.candidates].sum(axis=0) * len(self.best) / max(1, len(self.candidates))
        for index in np.argsort(by_chance - counts, kind="stable")[:NAMED]:
            if counts[index] > max(1, by_chance[index]):
                name = self.search.store.label_names[index]
                parts.append(f"{name} {counts[index]} (by chance {by_chance[index]:.1f})")
        return " | ".join(parts)

    @property
    def title(self) -> str:
        """The question in words."""
        if self.picture is None:
            return f'Pictures that fit "{self.sentence}"'
        row = self.search.study_rows[self.picture]
        return f"Pictures like that of study {self.search.store.studies['study_id'].iloc[row]}"

    @property
    def note(self) -> str:
        """Where the pictures come from, and who looked."""
        source = theme.provenance(self.search.store.path.name, self.search.store.synthetic)
        return f"{source} | {self.search.split} split | {self.search.run.id}"

    def table(self) -> str:
        """Return the HTML table of the best, below the picture that was looked with."""
        places = self.best if self.picture is None else np.concatenate([[self.picture], self.best])
        score = [f"<b>{rank}</b><br>{score:.3f}" for rank, score in enumerate(self.scores[: self.k], start=1)]
        names = np.array(self.search.store.label_names)
        studies = self.search.store.studies.iloc[self.search.study_rows[places]]
        rows = self.search.study_rows[places]
        found = pd.DataFrame(
            {
                "place": score if self.picture is None else ["<b>looked with</b>", *score],
                "study_id": studies["study_id"].to_numpy(str),
                "patient_id": studies["patient_id"].to_numpy(str),
                "labels": [names[labels == 1].tolist() for labels in self.search.labels[places]],
                "report": [self.search.store.texts[row] for row in rows],
            }
        )
        shared = found["labels"].iloc[0] if self.picture is not None else ()
        images = self.search.store.images[self.search.view_rows[places]]
        note = " | ".join(filter(None, (self.note, self.caption, self.message)))
        return retrieved.retrieved_table(found, images, title=self.title, note=note, shared=shared)

    def histogram(self) -> Any:
        """Return the figure of all scores with those of the best marked."""
        if not len(self.candidates):
            return curation.nothing("There is nobody else to look among", note=self.note)
        name = SCORES["sentence" if self.picture is None else "picture"]
        title = f"Scores of {len(self.candidates):,} studies: {html.escape(self.title, quote=False)}"
        best = self.scores[: self.k]
        return retrieved.score_histogram(self.scores, best, name=name, title=title, note=self.note)

    def static(self) -> list[Any]:
        """Return the scores and the table."""
        return [self.histogram(), self.table()]

    def live(self) -> Any:
        """Return the widget."""
        return retrieval_shell(self)

    def _rank(self, scores: np.ndarray) -> None:
        """Order the candidates; equal scores in the order of the studies."""
        allowed = np.ones(len(scores), bool)
        if self.picture is not None:
            allowed[self.picture] = False
            if self.apart:
                allowed &= self.search.patients != self.search.patients[self.picture]
        order = np.argsort(-scores, kind="stable")
        self.candidates = order[allowed[order]]
        self.scores = scores[self.candidates]
