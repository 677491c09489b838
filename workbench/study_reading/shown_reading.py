"""What is shown of a report and the views it was read off, for one choice of map, colours and place."""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from workbench.study_reading.drawn import Layer, Picture, Word, pictures_of
from workbench.study_reading.report_reader import END, ReportReader, StudyReading
from workbench.study_reading.shown_attention import (
    APART,
    ATTENTION,
    DESCRIPTIONS,
    MEAN,
    MODES,
    PASSED,
    is_word,
    shown_maps,
    view_shares,
    written,
)

SHARPNESS, CERTAINTY, PLACE = "sharpness", "certainty", "place"
"""What words can be coloured by, besides the share of a view."""
SHARPEST = 6
"""Words that are shown one by one."""
MOST_BLOCKED = 0.5
"""Share of a word's attention on views that fusion all but closes, above which that is said."""


@dataclasses.dataclass(frozen=True)
class ShownReading:
    """A choice of what to show.

    Attributes:
        reader: the model.
        reading: the report.
        mode: kind of map, a key of `MODES`.
        layer: of what writes the report.
        head: of that layer, or `MEAN`.
        colour: by what words are coloured: `SHARPNESS`, `CERTAINTY`, `PLACE`, or a view by its place.
        spot: (view, row, column) of the place that `PLACE` means.
        one_scale: whether colours mean the same on the maps of all words, or each word has its own scale.
    """

    reader: ReportReader
    reading: StudyReading
    mode: str
    layer: int
    head: int
    colour: str | int
    spot: tuple[int, int, int] | None
    one_scale: bool

    @functools.cached_property
    def maps(self) -> np.ndarray:
        """Maps of all tokens in even shares, `[T, V, rows, columns]`."""
        return shown_maps(self.reading, self.mode, self.layer, self.head)

    @functools.cached_property
    def most(self) -> float:
        """The largest value of any word's map, where colours end if the report has one scale.

        Full stops are left out: attention often gathers on one place when a sentence is over.
        """
        words = [is_word(piece) for piece in self.reading.pieces]
        return float(self.maps[words].max(initial=0)) or float(self.maps.max())

    def words(self) -> list[Word]:
        """Return the tokens of the report, with their colours and what the pointer says."""
        values, unit = self._word_values()
        least = 1.0 if self.colour == SHARPNESS and self.mode != APART else 0.0
        most = {SHARPNESS: self.most, PLACE: values.max()}.get(self.colour, 1.0)
        tints = ((values - least) / max(most - least, 1e-9)).clip(0, 1)
        pieces = self.reading.pieces
        return [
            Word(text, glued, float(tint), f"{text}: {unit(value)}", quiet=piece == END)
            for piece, (text, glued), tint, value in zip(pieces, written(pieces), tints, values, strict=True)
        ]

    def top(self, word: int) -> float:
        """Return the value of the highest colour on the map of a token, in even shares."""
        return self.most if self.one_scale else float(self.maps[word].max())

    def layers(self, word: int) -> list[Layer]:
        """Return what lies on each view for a token: its map, and what the view has of it."""
        maps, top = self.maps[word], self.top(word)
        if top > 0:
            maps = (maps / top).clip(0, 1)
        shares, passed = (self._shares(mode)[word] for mode in (ATTENTION, PASSED))
        layers = []
        for view, heat in enumerate(self.reader.lay(maps)):
            bars = {"attention": float(shares[view])}
            if self.reader.fuses:
                weight = float(self.reading.view_weights[view])
                bars = {"view weight": weight, **bars, "both: what is read": float(passed[view])}
            here = self.spot is not None and self.spot[0] == view
            layers.append(Layer(heat, bars, self._corners(self.spot) if here else None))
        return layers

    def pictures(self) -> list[Picture]:
        """Return the views of the study with the boxes of readers."""
        return pictures_of(self.reading.study, self.reader.frame)

    def describe_map(self) -> str:
        """Say what the maps are: kind, head and layer."""
        layers, heads = self.reading.maps.shape[1:3]
        head = f"mean of {heads} heads" if self.head == MEAN else f"head {self.head + 1} of {heads}"
        return (
            f"{DESCRIPTIONS[self.mode]}, {head if heads > 1 else 'one head'}, "
            f"layer {self.layer % layers + 1} of {layers}"
        )

    def describe_word(self, word: int) -> str:
        """Say what there is to say about a token, and what the colours mean."""
        here, piece = self.maps[word], self.reading.pieces[word].removeprefix("##")
        parts = [
            f'token {word + 1} of {len(self.maps)}: "{piece}"',
            f"probability {self.reading.probabilities[word]:.2f}",
        ]
        if here.max() > 0:
            view = int(np.unravel_index(here.argmax(), here.shape)[0])
            title = self.reading.study.title_of(view)
            parts.append(f"its sharpest place, on {title}, has {here.max():.1f} even shares")
        return " | ".join(parts)

    def warning(self, word: int) -> str:
        """Say what makes the map of a token say less than it seems to, "" mostly."""
        if not self.most > 0:
            return "The map is zero everywhere: there is nothing to show."
        if not self.maps[word].max() > 0:
            return "The map of this word is zero everywhere."
        weights = self.reading.view_weights
        closed = weights < 0.5 / len(weights)
        blocked = self._shares(ATTENTION)[word, closed].sum()
        if self.mode == PASSED or not self.reader.fuses or blocked <= MOST_BLOCKED:
            return ""
        names = " and ".join(self.reading.study.title_of(view) for view in np.flatnonzero(closed))
        return (
            f"{blocked:.0%} of this word's attention rests on {names}, of which view fusion lets "
            f'{weights[closed].sum():.0%} through: little is read there. Show "{MODES[PASSED]}".'
        )

    def sharpest(self) -> list[int]:
        """Return the words with the sharpest maps, in the order of the report, each wording once."""
        order = np.argsort(-self.maps.max(axis=(1, 2, 3)), kind="stable")
        chosen: dict[str, int] = {}
        for token in order:
            if is_word(self.reading.pieces[token]):
                chosen.setdefault(self.reading.pieces[token], int(token))
        return sorted(list(chosen.values())[:SHARPEST])

    def _shares(self, mode: str) -> np.ndarray:
        return view_shares(self.reading, mode, self.layer, self.head)

    def _word_values(self) -> tuple[np.ndarray, Callable[[float], str]]:
        """Return what words are coloured by `[T]`, and what puts such a value into words."""
        if self.colour == CERTAINTY:
            return self.reading.probabilities, "probability {:.2f}".format
        if self.colour == PLACE:
            return self.maps[(slice(None), *self.spot)], "{:.1f} even shares at the place clicked".format
        if self.colour == SHARPNESS:
            return self.maps.max(axis=(1, 2, 3)), "its sharpest place has {:.1f} even shares".format
        title = self.reading.study.title_of(self.colour)
        shares = self._shares(ATTENTION if self.mode == APART else self.mode)[:, self.colour]
        return shares, lambda share: f"{share:.0%} on {title}"

    def _corners(self, spot: tuple[int, int, int]) -> tuple[float, float, float, float]:
        """Return the corners of a place in stored pixels."""
        _, row, column = spot
        down, across = (self.reader.borders(count) for count in self.maps.shape[-2:])
        return float(across[column]), float(down[row]), float(across[column + 1]), float(down[row + 1])
