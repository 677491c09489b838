"""What a finished run was made of, opened again: its store, manifest, tokenizers and trained objective."""

import torch
from safetensors.torch import load_file
from torch import nn

from lib.data.splits import Manifest
from lib.data.store import Store
from lib.data.tokenizer import PieceTokenizer
from lib.models.pretrained import load_strictly
from workbench import inputs, texts
from workbench.runs import Run
from workbench.sections import make_objective


def open_data(run: Run) -> tuple[Store, Manifest]:
    """Open the store and the manifest of a run.

    Raises:
        FileNotFoundError: they are not where they were.
        ValueError: something else lies there now.
    """
    return inputs.open_data(run.config)


def load_tokenizers(run: Run) -> dict[str, PieceTokenizer]:
    """Return the tokenizers of a pre-training run, "report" and "text" as far as its objective reads them."""
    return texts.load_tokenizers(run.config["objective"], run.folder)


def load_objective(run: Run, device: torch.device | str = "cpu", *, checkpoint: str = "best") -> nn.Module:
    """Return the objective of a pre-training run with its weights, in evaluation mode.

    Args:
        run: the pre-training.
        device: where to.
        checkpoint: "best", or one that `train.keep_every` kept, such as "step-400".

    Raises:
        FileNotFoundError: the run has no such checkpoint (yet).
    """
    path = run.folder / "checkpoints" / f"{checkpoint}.safetensors"
    if not path.is_file():
        raise FileNotFoundError(f"Run {run.id} has no {path.name} yet; it is {run.state}.")
    objective = make_objective(run.config["objective"], load_tokenizers(run))
    load_strictly(objective, load_file(path))
    return objective.to(device).eval()
