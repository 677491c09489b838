"""Where a phrase fits the views of a study, as a model sees it that learnt from pairs of image and text."""

from pathlib import Path
from typing import Any

import numpy as np

from lib.data.prompts import read_prompts
from workbench.embedded import TRAINED
from workbench.figures import attended
from workbench.runs import Run
from workbench.study_reading.drawn import Layer, Picture, pictures_of
from workbench.study_reading.phrase_reader import PhraseReader, PhraseReading
from workbench.widgets.phrase_regions_shell import phrase_regions_shell
from workbench.widgets.refusal import Refusal
from workbench.widgets.study_walk import StudyWalk

BEYOND, ABOVE = "beyond", "above"
MODES = {BEYOND: "better than the mean of the view", ABOVE: "above zero"}
"""What is coloured: places that fit better than their view does on average, or all that fit at all."""
FIRST = "There is a pleural effusion."
MOST_SENTENCES = 8
"""Sentences of the report that the static twin shows."""


def phrase_regions(
    run: Run,
    *,
    phrase: str = "",
    study: str = "",
    store: Path | str = "",
    split: str = "test",
    weights: str = TRAINED,
    device: str = "auto",
    allow_leak: str = "",
) -> "PhraseRegions | Refusal":
    """Return the view of a run, or one that says why there is none.

    Args:
        run: a finished pre-training that compares images with texts.
        phrase: looked for first; "" takes the first sentence of the study's report.
        study: shown first, by its id or patient; "" takes one with several views and findings.
        store: a folder; "" for the run's own store.
        split: whose studies are shown.
        weights: as in `workbench.embedded.Opened`.
        device: where to compute.
        allow_leak: reason to look at studies that the run has learnt from.
    """
    try:
        reader = PhraseReader(
            run, store=store, split=split, weights=weights, device=device, allow_leak=allow_leak
        )
    except (ValueError, FileNotFoundError) as error:
        return Refusal("Where a phrase fits a picture", str(error))
    view = PhraseRegions(reader)
    if study:
        view.find(study)
    if phrase:
        view.ask(phrase)
    return view


class PhraseRegions(StudyWalk):
    """A study and a phrase, which stays when another study is looked at.

    Attributes, besides those of the walk:
        study: that is looked at.
        phrase: looked for.
        mode: what is coloured, a key of `MODES`.
        spot: (view, x, y) that was clicked, stored pixels, or None.
    """

    reader: PhraseReader

    def __init__(self, reader: PhraseReader):
        self.mode, self.phrase = BEYOND, ""
        super().__init__(reader)

    def ask(self, phrase: str) -> None:
        """Look for another phrase; `message` says where that cannot be done, and the one before stays."""
        self.message = self.reader.refusal(phrase)
        if not self.message:
            self.phrase = " ".join(phrase.split())
            self.message = self.reader.remark(self.phrase)
            self._read()

    def show_as(self, mode: str) -> None:
        """Colour otherwise, one of `MODES`."""
        self.mode, self.message = mode, ""

    def touch(self, view: int, x: float, y: float) -> None:
        """Say how well the phrase fits there; stored pixels from the upper left corner."""
        edge, end = self.reader.frame.start, self.reader.frame.start + self.reader.frame.side
        inside = edge <= x < end and edge <= y < end and 0 <= view < len(self.study.positions)
        self.spot = (view, x, y) if inside else None
        self.message = "" if inside else "The model does not see that part of the picture."

    def layers(self, reading: PhraseReading | None = None) -> list[Layer]:
        """Return what lies on each view, for another reading of the study too."""
        reading = reading or self.reading
        maps, top = self._maps(reading)
        heats = self.reader.frame.to_store(maps / top if top > 0 else maps)
        layers = []
        for view, (heat, places, whole) in enumerate(zip(heats, reading.places, reading.whole, strict=True)):
            text = f"whole view {whole:.2f}, its places {places.min():.2f} to {places.max():.2f}"
            spot = None
            if self.spot and self.spot[0] == view:
                row, column = self._cell_of(self.spot)
                spot = self._corners(row, column)
                text += f"; here {places[row, column]:.2f}"
            layers.append(Layer(heat, {}, spot, text))
        return layers

    def modes(self) -> list[tuple[str, str]]:
        """Return the menu of what is coloured."""
        return [(f"coloured where {name}", mode) for mode, name in MODES.items()]

    def pictures(self) -> list[Picture]:
        """Return the views of the study with the boxes of readers."""
        return pictures_of(self.study, self.reader.frame)

    def sentences(self) -> list[str]:
        """Return the sentences of the study's report."""
        return self.reader.sentences(self.study)

    def examples(self) -> list[tuple[str, str]]:
        """Return labels of the store, each with a sentence to look for it with."""
        prompts = read_prompts()
        known = [name for name in self.reader.store.label_names if name in prompts.by_finding]
        return [(name, next(iter(prompts.of(name).values())).positive[0]) for name in known]

    @property
    def title(self) -> str:
        """The phrase and the study."""
        return f'Where "{self.phrase}" fits study {self.study.study_id}'

    @property
    def note(self) -> str:
        """Where all this comes from, and what the map is."""
        parts, weights = self.source_parts, self.reader.opened.weights
        parts += [f"weights: {weights}"] * (weights != TRAINED)
        what = f"{self.reader.measure} of phrase and place, coloured where it is {MODES[self.mode]}"
        return " | ".join([*parts, what])

    @property
    def scale(self) -> tuple[str, str]:
        """What the lowest and the highest colour mean."""
        top = self._maps(self.reading)[1]
        if self.mode == ABOVE:
            return f"{self.reader.measure} 0", f"{top:.2f}"
        return "mean of the view", f"{top:.2f} more"

    @property
    def warning(self) -> str:
        """What there is to say about the last wish, and where there is nothing to see."""
        nothing = ""
        if not self._maps(self.reading)[1] > 0:
            nothing = f"No place fits the phrase: no {self.reader.measure} is {MODES[self.mode]}."
        return " ".join(filter(None, (self.message, nothing)))

    def static(self) -> list[Any]:
        """Return the phrase on the views, and the sentences of the report in small."""
        sentences = [text for text in self.sentences() if not self.reader.refusal(text)][:MOST_SENTENCES]
        readings = self.reader.read(self.study, sentences) if sentences else []
        others = [(reading.phrase, self.layers(reading)) for reading in readings]
        page = attended.phrase_page(
            self.pictures(),
            self.layers(),
            others=others,
            title=self.title,
            note=self.note,
            scale=self.scale,
            warning=self.warning,
        )
        return [page]

    def live(self) -> Any:
        """Return the widget."""
        return phrase_regions_shell(self)

    def _enter(self) -> None:
        self.study, self.spot = self.reader.see(self.place), None
        if not self.phrase:  # the first sentence that the model can read, of the report or of ours
            texts = [*self.sentences(), FIRST]
            self.phrase = next((text for text in texts if not self.reader.refusal(text)), FIRST)
        self._read()

    def _read(self) -> None:
        (self.reading,) = self.reader.read(self.study, [self.phrase])

    def _maps(self, reading: PhraseReading) -> tuple[np.ndarray, float]:
        """Return what is coloured, not negative, `[V, rows, columns]`, and the largest value of it."""
        maps = reading.places
        if self.mode == BEYOND:
            maps = maps - maps.mean(axis=(1, 2), keepdims=True)
        maps = maps.clip(min=0)
        return maps, float(maps.max())

    def _cell_of(self, spot: tuple[int, float, float]) -> tuple[int, int]:
        """Return row and column of the place that was clicked."""
        _, x, y = spot
        frame, (rows, columns) = self.reader.frame, self.reading.places.shape[1:]
        row, column = (
            int((edge - frame.start) / frame.side * count) for edge, count in ((y, rows), (x, columns))
        )
        return row, column

    def _corners(self, row: int, column: int) -> tuple[float, float, float, float]:
        frame, (rows, columns) = self.reader.frame, self.reading.places.shape[1:]
        high, wide = frame.side / rows, frame.side / columns
        left, top = frame.start + column * wide, frame.start + row * high
        return left, top, left + wide, top + high
