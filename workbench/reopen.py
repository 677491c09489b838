"""What a finished run was made of, opened again: its store, manifest, tokenizers and trained objective."""

import torch
from safetensors.torch import load_file
from torch import nn

from lib.data.splits import Manifest
from lib.data.store import Store
from lib.data.tokenizer import PieceTokenizer, ReportTokenizer
from lib.models.pretrained import load_strictly
from workbench import inputs
from workbench.runs import Run
from workbench.sections import make_objective, text_tokenizer_of


def open_data(run: Run) -> tuple[Store, Manifest]:
    """Open the store and the manifest of a run.

    Raises:
        FileNotFoundError: they are not where they were.
        ValueError: something else lies there now.
    """
    return inputs.open_data(run.config)


def load_tokenizers(run: Run) -> tuple[ReportTokenizer, PieceTokenizer]:
    """Return the report tokenizer of a pre-training run and the tokenizer of its text encoder."""
    report_tokenizer = ReportTokenizer.load(run.folder / "tokenizer.json")
    return report_tokenizer, text_tokenizer_of(run.config["objective"], report_tokenizer)


def load_objective(run: Run, device: torch.device | str = "cpu") -> nn.Module:
    """Return the objective of a pre-training run with its best weights, in evaluation mode.

    Raises:
        FileNotFoundError: the run has no checkpoint yet.
    """
    path = run.folder / "checkpoints" / "best.safetensors"
    if not path.is_file():
        raise FileNotFoundError(f"Run {run.id} has no {path.name} yet; it is {run.state}.")
    objective = make_objective(run.config["objective"], *load_tokenizers(run))
    load_strictly(objective, load_file(path))
    return objective.to(device).eval()
