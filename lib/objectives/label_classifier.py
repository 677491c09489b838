"""The classifier that fine-tuning trains: an objective like any other for the training loop.

Letters: B images of a batch, K targets, O outputs of the head.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from lib.losses.multiclass import multiclass
from lib.losses.multilabel import multilabel
from lib.models.heads import Classifier

if TYPE_CHECKING:
    from lib.data.batch import Batch

TASKS = ("multi_label", "binary", "multi_class")


class LabelClassifier(Classifier):
    """Predict the targets of single images.

    Args:
        encoder: as in `lib.models.ENCODERS`.
        task: "multi_label" (independent targets, each known or not), "binary" (one target, two outputs) or
            "multi_class" (exactly one target per image).
        columns: places of the targets among the labels of a batch.
        feature_norm: see `lib.models.heads.make_feature_norm`.
        dropout: of what the head reads, in training.
        head_apart: makes the head a parameter group of its own.
    """

    def __init__(
        self,
        encoder: nn.Module,
        task: str,
        columns: Sequence[int],
        feature_norm: str = "none",
        *,
        dropout: float = 0.0,
        head_apart: bool = False,
    ):
        assert task in TASKS and len(columns) > 0
        super().__init__(encoder, 2 if task == "binary" else len(columns), feature_norm, dropout)
        self.task, self.head_apart = task, head_apart
        self.register_buffer("columns", torch.tensor(columns), persistent=False)

    @torch.no_grad()
    def start_from_frequencies(self, labels: Tensor) -> None:
        """Let the head begin by predicting how often each target occurs, for every image.

        From equal odds, the first steps of a short training all go into making rare findings rare, with
        gradients that say nothing about the image (docs/refers.md has the difference).

        Args:
            labels: of the training studies: 1, 0 or NaN where not known, `[N, K]`. One more with and one
                more without each target are counted, so that none is impossible.
        """
        if self.task == "multi_label":
            frequency = ((labels == 1).sum(0) + 1) / (labels.isfinite().sum(0) + 2)
            self.head.bias.copy_(frequency.logit())
        else:
            self.head.bias.copy_((_one_hot(labels, self.task).nansum(0) + 1).log().log_softmax(0))

    def forward(self, batch: "Batch") -> dict[str, Tensor]:
        """Return the cross-entropy of a batch."""
        return {"cross_entropy": cross_entropy(self.logits(batch), self.targets(batch), self.task)}

    def logits(self, batch: "Batch") -> Tensor:
        """Return the outputs of the head for a batch of single images, `[B, O]`."""
        self._rest_while_frozen()
        return super().forward(self.pictures(batch))

    def pictures(self, batch: "Batch") -> Tensor:
        """Return the images that are classified, `[B, C, H, W]`."""
        return batch.images[:, 0]

    def targets(self, batch: "Batch") -> Tensor:
        """Return the labels of the targets, `[B, K]`."""
        return batch.labels[:, self.columns]

    def parameter_groups(self) -> dict[str, list[tuple[str, nn.Parameter]]]:
        """Return one group, everything with one learning rate (REFERS, 4.2), or the head beside the rest."""
        named = list(self.named_parameters())
        if not self.head_apart:
            return {"image": named}
        heads = {id(parameter) for parameter in self.head.parameters()}
        return {
            "image": [(name, parameter) for name, parameter in named if id(parameter) not in heads],
            "head": [(name, parameter) for name, parameter in named if id(parameter) in heads],
        }

    def _rest_while_frozen(self) -> None:
        """Let an encoder of which nothing is trained now work as in evaluation.

        So the head learns from the very features that a validation or a linear probe sees: no dropout, and
        batch norms that neither look at the batch nor change.
        """
        is_tuned = any(parameter.requires_grad for parameter in self.encoder.parameters())
        if self.training and self.encoder.training != is_tuned:
            self.encoder.train(is_tuned)


def cross_entropy(logits: Tensor, targets: Tensor, task: str) -> Tensor:
    """Compute the mean cross-entropy of a task.

    Args:
        logits: `[B, O]`.
        targets: 1, 0 or NaN where not known, `[B, K]`.
        task: one of `TASKS`.

    Returns:
        A scalar: mean over known targets, or over images of known class.
    """
    if task == "multi_label":
        return multilabel(logits, targets)
    return multiclass(logits, _one_hot(targets, task))


def target_probabilities(logits: Tensor, task: str) -> Tensor:
    """Turn logits `[B, O]` into the probability of every target, float32 `[B, K]`."""
    if task == "multi_label":
        return logits.float().sigmoid()
    probabilities = logits.float().softmax(dim=1)
    return probabilities[:, 1:] if task == "binary" else probabilities


def _one_hot(targets: Tensor, task: str) -> Tensor:
    """Return one column per output of the head: [B, O]."""
    return torch.cat([1 - targets, targets], dim=1) if task == "binary" else targets
