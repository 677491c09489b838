"""Where a model looks for each word of a report: a word, the views, and back from a place to the words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from workbench.figures import attended
from workbench.runs import Run
from workbench.study_reading.report_reader import TRUE, WRITTEN, ReportReader, StudyReading
from workbench.study_reading.shown_attention import ATTENTION, MEAN, MODES, PASSED, is_word, written
from workbench.study_reading.shown_reading import CERTAINTY, PLACE, SHARPNESS, ShownReading
from workbench.widgets.refusal import Refusal
from workbench.widgets.report_attention_shell import report_attention_shell
from workbench.widgets.study_walk import StudyWalk

SOURCES = {WRITTEN: "what the model writes", TRUE: "the radiologist's report"}


def report_attention(
    run: Run,
    *,
    study: str = "",
    store: Path | str = "",
    split: str = "test",
    source: str = WRITTEN,
    device: str = "auto",
    allow_leak: str = "",
) -> "ReportAttention | Refusal":
    """Return the view of a run, or one that says why there is none.

    Args:
        run: a finished pre-training of refers or caption_lstm.
        study: shown first, by its id or patient; "" takes one with several views and findings.
        store: a folder; "" for the run's own store.
        split: whose studies are shown.
        source: "written" by the model, or the "true" report.
        device: where to compute.
        allow_leak: reason to look at studies that the run has learnt from.
    """
    try:
        reader = ReportReader(run, store=store, split=split, device=device, allow_leak=allow_leak)
        view = ReportAttention(reader, source=source)
    except (ValueError, FileNotFoundError) as error:
        return Refusal("Where the words of a report are read off", str(error))
    if study:
        view.find(study)
    return view


class ReportAttention(StudyWalk):
    """A report, a word of it, and perhaps a place on a view.

    Attributes, besides those of the walk:
        source: whose report, a key of `SOURCES`.
        mode: what is shown, a key of `MODES`.
        layer: of what writes the report.
        head: of that layer, or `MEAN`.
        colour: by what words are coloured: `SHARPNESS`, `CERTAINTY`, `PLACE`, or the place of a view.
        word: the token looked at.
        spot: (view, row, column) of the place that was clicked, or None.
        one_scale: whether colours mean the same on the maps of all words.
    """

    reader: ReportReader

    def __init__(self, reader: ReportReader, *, source: str = WRITTEN):
        """Begin with a study worth showing.

        Args:
            reader: the model and the studies.
            source: "written" or "true".

        Raises:
            ValueError: another source.
        """
        if source not in SOURCES:
            raise ValueError(f"source {source!r} is not one of {', '.join(SOURCES)}.")
        self.source = source
        # Attention to a view that fusion has closed reads nothing: people should not take it for a reason.
        self.mode, self.layer, self.head = PASSED if reader.fuses else ATTENTION, -1, MEAN
        self.colour: str | int = SHARPNESS
        self.one_scale = True
        self._shown: tuple[StudyReading, tuple, ShownReading] | None = None
        super().__init__(reader)

    def read(self, source: str) -> None:
        """Read the model's own report or the radiologist's."""
        self.source, self.message = source, ""
        self._enter()

    def show_as(self, mode: str) -> None:
        """Show another of `MODES`."""
        self.mode, self.message = mode, ""

    def choose_layer(self, layer: int) -> None:
        """Show another layer."""
        self.layer = layer

    def choose_head(self, head: int) -> None:
        """Show one head, or the `MEAN` over all."""
        self.head = head

    def scale_alike(self, alike: bool) -> None:
        """Let colours mean the same on the maps of all words, or give each word its own scale."""
        self.one_scale = alike

    def colour_by(self, what: str | int) -> None:
        """Colour the words otherwise; by a place once one was clicked."""
        if what == PLACE and self.spot is None:
            self.message = "No place was chosen yet: click on a view, then the words that read it light up."
            return
        self.colour, self.message = what, ""

    def look_at(self, word: int) -> None:
        """Show the map of another token; tokens beyond the ends mean the ends."""
        self.word, self.message = int(np.clip(word, 0, len(self.reading.pieces) - 1)), ""

    def touch(self, view: int, x: float, y: float) -> None:
        """Colour the words by how much they attend to the place there; once more takes it back.

        Args:
            view: its place in the study.
            x: stored pixels from the left of its picture.
            y: from the top.
        """
        borders = [self.reader.borders(count) for count in self.reading.maps.shape[-2:]]
        row, column = (
            int(np.searchsorted(edges, at, "right")) - 1 for edges, at in zip(borders, (y, x), strict=True)
        )
        views, rows, columns = self.reading.maps.shape[-3:]
        spot = int(view), row, column
        if not (0 <= view < views and 0 <= row < rows and 0 <= column < columns):
            self.message = "The model does not see that part of the picture."
            return
        self.message = ""
        if spot == self.spot:
            self._forget_spot()
        else:
            self.spot, self.colour = spot, PLACE

    @property
    def shown(self) -> ShownReading:
        """What is shown of the report."""
        choice = (self.mode, self.layer, self.head, self.colour, self.spot, self.one_scale)
        if self._shown is None or self._shown[0] is not self.reading or self._shown[1] != choice:
            self._shown = self.reading, choice, ShownReading(self.reader, self.reading, *choice)
        return self._shown[2]

    @property
    def title(self) -> str:
        """The study and whose report it is."""
        return f"Study {self.reading.study.study_id}: {SOURCES[self.source]}, word by word"

    @property
    def note(self) -> str:
        """Where all this comes from, and what the map is."""
        return " | ".join([*self.source_parts, self.shown.describe_map()])

    @property
    def caption(self) -> str:
        """What is to be said about the word looked at."""
        return self.shown.describe_word(self.word)

    @property
    def warning(self) -> str:
        """What there is to say about the last wish, and what makes the map say less than it seems to."""
        cut = f"The model reads no more than these {len(self.reading.pieces)} tokens of the report."
        told = (self.message, cut * self.reading.is_cut, self.shown.warning(self.word))
        return " ".join(filter(None, told))

    def other_report(self) -> tuple[str, str]:
        """Return a heading and the text of the report that is not shown word by word."""
        if self.source == WRITTEN:
            return SOURCES[TRUE], self.reader.store.texts[self.reading.study.row]
        words = written(self.reader.read(self.place, WRITTEN).pieces[:-1])
        return SOURCES[WRITTEN], "".join(" " * (not glued) + text for text, glued in words).strip()

    @property
    def scale(self) -> tuple[str, str]:
        """What the lowest and the highest colour of the maps mean."""
        whose = "for all words alike" if self.one_scale else "on the map of this word"
        return "0", f"{self.shown.top(self.word):.1f} even shares, {whose}"

    def menu(self, field: str) -> list[tuple[str, Any]]:
        """Return what can be chosen for an attribute: what a menu shows, and what it means."""
        layers, heads, views = self.reading.maps.shape[1:4]
        title_of = self.reading.study.title_of
        by_view = [(f"words by their share on {title_of(view)}", view) for view in range(views)]
        return {
            "source": [(name, source) for source, name in SOURCES.items()],
            "mode": [(name, mode) for mode, name in MODES.items() if mode != PASSED or self.reader.fuses],
            "layer": [(f"layer {layer + 1}", layer) for layer in range(layers)],
            "head": [("mean of heads", MEAN)]
            + [(f"head {head + 1}", head) for head in range(heads)] * (heads > 1),
            "colour": [
                ("words by how sharp their map is", SHARPNESS),
                *by_view * (views > 1),
                ("words by how likely they were", CERTAINTY),
                ("words by the place clicked", PLACE),
            ],
        }[field]

    def acts(self) -> dict[str, Callable[[Any], None]]:
        """Return what a choice from each menu does."""
        return {
            "source": self.read,
            "mode": self.show_as,
            "layer": self.choose_layer,
            "head": self.choose_head,
            "colour": self.colour_by,
        }

    def static(self) -> list[Any]:
        """Return the study with the map of the word looked at, and the sharpest words one by one."""
        shown, (heading, other) = self.shown, self.other_report()
        words = shown.words()
        page = attended.attended_page(
            shown.pictures(),
            shown.layers(self.word),
            words=words,
            chosen=self.word,
            others=[(words[word].text, shown.layers(word)) for word in shown.sharpest()],
            title=self.title,
            note=self.note,
            caption=self.caption,
            scale=self.scale,
            warning=self.warning,
            below=(heading, other),
        )
        return [page]

    def live(self) -> Any:
        """Return the widget."""
        return report_attention_shell(self)

    def _enter(self) -> None:
        """Read the report anew; without a true one, the written one is shown and that is said."""
        try:
            self.reading = self.reader.read(self.place, self.source)
        except ValueError as error:
            self.source, self.message = WRITTEN, str(error)
            self.reading = self.reader.read(self.place, WRITTEN)
        self._forget_spot()
        if isinstance(self.colour, int) and self.colour >= len(self.reading.study.positions):
            self.colour = SHARPNESS
        self.layer %= self.reading.maps.shape[1]
        peaks = self.shown.maps.max(axis=(1, 2, 3))
        peaks[[not is_word(piece) for piece in self.reading.pieces]] -= peaks.max() + 1  # words first
        self.word = int(peaks.argmax())

    def _forget_spot(self) -> None:
        self.spot = None
        if self.colour == PLACE:
            self.colour = SHARPNESS
