"""A finished pre-training that writes reports, and where on the views it reads each word off."""

import collections
import dataclasses
from pathlib import Path

import numpy as np
import torch

from lib.explain.places import on_cells
from lib.explain.report_attention import check_attends, report_attention
from workbench.reopen import load_tokenizers
from workbench.runs import Run
from workbench.study_reading.looking import open_looking
from workbench.study_reading.seen_study import SeenStudy, frame_of, see_study
from workbench.study_reading.study_list import StudyList
from workbench.typed_text import LONGEST

WRITTEN, TRUE = "written", "true"
"""Whose report is read: the model's own, or the radiologist's, which the model is given word by word."""

END = "(end)"
KEPT = 32
"""Readings that are kept: leafing back and forth computes nothing."""


@dataclasses.dataclass(frozen=True, eq=False)
class StudyReading:
    """A report, token by token, beside the views it was read off.

    Attributes:
        study: its views.
        pieces: tokens of the report after its start; `##` begins what goes on within a word. `END` is the
            end, which is written like any other token.
        maps: attention before each token, float32 `[T, layers, heads, V, rows, columns]`; one over all
            views and places of a token, layer and head.
        probabilities: of each token after those before it, float32 `[T]`.
        passed: `maps` times what view fusion leaves of each place: how much of it is there to be read.
        view_weights: what view fusion leaves of each view, of one that the model gets twice the sum of both,
            float32 `[V]`.
        is_cut: whether the report goes on where the model could read no further token.
    """

    study: SeenStudy
    pieces: list[str]
    maps: np.ndarray
    probabilities: np.ndarray
    passed: np.ndarray
    view_weights: np.ndarray
    is_cut: bool = False


class ReportReader:
    """A model with the studies of a split.

    Attributes:
        opened: the run.
        store: of the studies.
        split: whose they are.
        studies: their rows and names.
        frame: how what the model sees lies on a stored picture.
        fuses: whether the model weighs the views of a study against each other.
    """

    def __init__(
        self,
        run: Run,
        *,
        store: Path | str = "",
        split: str = "test",
        device: str = "auto",
        allow_leak: str = "",
    ):
        """Open a run.

        Args:
            run: a finished pre-training that tells where it reads its words off: refers or caption_lstm.
            store: a folder; "" for the run's own store.
            split: which studies.
            device: where to compute.
            allow_leak: reason to look at studies that the run has learnt from.

        Raises:
            ValueError: a run that is none of these, no study in the split, or a leak.
            FileNotFoundError: no store there.
        """
        self.opened, data = open_looking(run, store=store, device=device, allow_leak=allow_leak)
        objective = run.config["objective"]
        check_attends(self.opened.objective, f"Run {run.id} ({objective['name']})")
        self.run, self.store, self.split = run, data.store, split
        self.studies = StudyList(data.store, data.manifest.rows(split), split)
        self.frame = frame_of(self.opened, data.store)
        self.num_views: int = objective.get("num_views", 1)
        self.fuses = self.num_views > 1 and getattr(self.opened.objective, "view_fusion", None) is not None
        self._tokenizer = load_tokenizers(run)["report"]
        self._max_tokens: int = objective["max_report_tokens"]
        self._kept: collections.OrderedDict[tuple[int, str], StudyReading] = collections.OrderedDict()

    def read(self, place: int, source: str = WRITTEN) -> StudyReading:
        """Read the report of a study.

        Args:
            place: of the study in `studies`.
            source: `WRITTEN` (by greedy search) or `TRUE`.

        Raises:
            ValueError: the true report is asked for, and the study has none.
        """
        key = place, source
        if key not in self._kept:
            self._kept[key] = self._read(int(self.studies.rows[place]), source)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def lay(self, maps: np.ndarray) -> np.ndarray:
        """Lay maps of places `[N, rows, columns]` over stored pictures, float32 `[N, S, S]`."""
        encoder = self.opened.objective.encoder
        if hasattr(encoder, "place_centres"):
            maps = on_cells(torch.from_numpy(maps), encoder.place_centres.cpu(), encoder.image_size).numpy()
        return self.frame.to_store(maps)

    def borders(self, count: int) -> np.ndarray:
        """Return where the places of a row begin and end on a stored picture, pixels, `[count + 1]`."""
        encoder, frame = self.opened.objective.encoder, self.frame
        edges = np.linspace(0, 1, count + 1)
        if hasattr(encoder, "place_centres"):  # the places of a convolutional encoder fill no even grid
            centres = encoder.place_centres.cpu().numpy() / encoder.image_size
            edges = np.concatenate([[0], (centres[1:] + centres[:-1]) / 2, [1]])
        return frame.start + frame.side * edges

    def _read(self, row: int, source: str) -> StudyReading:
        study, is_cut = see_study(self.opened, self.store, row, self.num_views), False
        if source == TRUE:
            text = self.store.texts[row]
            if not text:
                raise ValueError(f"Study {study.study_id} has no report; look at the written one.")
            ids, whole = (self._tokenizer.encode([text], length)[0] for length in (self._max_tokens, LONGEST))
            is_cut = int((whole != self._tokenizer.pad_id).sum()) > len(ids)
        else:
            ids = self.opened.objective.generate(study.images)[0].cpu().numpy()
        ids = ids[: int(np.argmax(ids == self._tokenizer.end_id)) + 1]  # each report has an end
        tokens = torch.from_numpy(ids.astype(np.int64))[None].to(self.opened.device)
        attended = report_attention(self.opened.objective, study.images, tokens)
        maps, gates = (values[0].cpu().numpy() for values in (attended.maps, attended.gates))
        return StudyReading(
            study=study,
            pieces=[*self._tokenizer.pieces(ids[1:-1]), END],
            maps=study.merged(maps, axis=3),
            probabilities=attended.probabilities[0].cpu().numpy(),
            passed=study.merged(maps * gates, axis=3),
            view_weights=study.merged(gates.mean(axis=(1, 2)), axis=0),
            is_cut=is_cut,
        )
