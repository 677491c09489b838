"""Validation of a pre-training objective on held-out studies: its own losses, and the reports it writes."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from lib.loops.distributed import from_all
from lib.loops.train import Loader
from lib.loops.written_reports import Decoder, write_reports
from lib.losses.gather import mean_over_processes
from lib.metrics.generation import cider_d, document_frequencies, words

CIDER = "cider"
"""The name of CIDEr-D among the metrics of a validation."""

Validation = Callable[[nn.Module], dict[str, float]]


@dataclasses.dataclass(kw_only=True)
class GenerationConfig:
    """Reports written at every validation, to choose a checkpoint by CIDEr (ConVIRT, 3.3, for captioners).

    Attributes:
        num_studies: validation studies to write about, a seeded choice, the same ones each time; 0: all.
        beam_size: hypotheses kept; 1 is greedy search.
    """

    num_studies: int = 200
    beam_size: int = 1

    def __post_init__(self):
        if self.num_studies < 0 or self.beam_size < 1:
            raise ValueError(
                f"num_studies is {self.num_studies} and beam_size {self.beam_size}; give at least 0 and 1."
            )


def mean_losses(objective: nn.Module, loader: Loader) -> dict[str, float]:
    """Average every loss component over the first epoch of a loader, and over the processes.

    The loader's epoch 0 is taken each time, so that all validations see the same crops and views.

    Args:
        objective: in evaluation mode, called under no_grad.
        loader: of the validation studies.

    Returns:
        "loss" (the sum) and "loss/<component>".
    """
    sums: dict[str, torch.Tensor] = defaultdict(lambda: torch.zeros(()))
    num_studies = 0
    for batch in loader.epoch(0):
        for name, loss in objective(batch).items():
            sums[name] = sums[name].to(loss.device) + loss.float() * len(batch)
        num_studies += len(batch)
    means = {f"loss/{name}": float(mean_over_processes(total)) / num_studies for name, total in sums.items()}
    return {"loss": sum(means.values()), **means}


def choose_written(
    references: Sequence[str],
    rows: np.ndarray,
    config: GenerationConfig,
    seed: int,
    share: tuple[int, int] = (0, 1),
) -> np.ndarray:
    """Choose the validation studies to write about, ascending; only such as have a report.

    Args:
        references: report of every study of the store.
        rows: of the validation split.
        config: how many.
        seed: of the choice.
        share: (k, n) returns the k-th part of the choice, for one of n processes that write together.

    Raises:
        ValueError: fewer studies than processes; all of them see that alike, so none waits for another.
    """
    rows = np.array([row for row in rows if words(references[row])], np.int64)
    number = min(config.num_studies or len(rows), len(rows))
    part, parts = share
    if number < parts:
        raise ValueError(
            f"{len(rows)} validation studies have a report, generation.num_studies is {config.num_studies}: "
            f"there is nothing to write for each of {parts} processes, and so no CIDEr."
        )
    return np.sort(np.random.default_rng(seed).choice(rows, number, replace=False))[part::parts]


class WrittenCider:
    """CIDEr-D of the reports that an objective writes about some studies.

    The document frequencies are those of all validation reports, whatever number of them is written.
    Several processes call this together, each with studies of its own, and all get the same value: that of
    all studies. So all of them choose the same checkpoint.

    Args:
        loader: of this process's studies, not augmented.
        tokenizer: of the objective's decoder.
        references: report of every study of the store.
        rows: of the validation split.
        beam_size: hypotheses kept.
    """

    def __init__(
        self,
        loader: Loader,
        tokenizer: Decoder,
        references: Sequence[str],
        rows: np.ndarray,
        *,
        beam_size: int,
    ):
        self._loader, self._tokenizer, self._references = loader, tokenizer, references
        self._beam_size = beam_size
        corpus = [[references[row]] for row in rows if words(references[row])]
        self._frequencies = document_frequencies(corpus)

    def __call__(self, objective: nn.Module) -> dict[str, float]:
        """Write and score; the objective is in evaluation mode."""
        written = write_reports(objective, self._loader, self._tokenizer, beam_size=self._beam_size)
        pairs = list(zip(written.study_rows.tolist(), written.texts, strict=True))
        pairs = sorted(pair for part in from_all(pairs) for pair in part)
        references = [[self._references[row]] for row, _ in pairs]
        return {CIDER: cider_d([text for _, text in pairs], references, self._frequencies)}


def all_of(*validations: Validation) -> Validation:
    """Return one validation that gives the metrics of several."""

    def validate(objective: nn.Module) -> dict[str, float]:
        return {name: value for one in validations for name, value in one(objective).items()}

    return validate
