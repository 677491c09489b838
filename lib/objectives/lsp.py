"""LSP, label-supervised pre-training: the baseline that REFERS compares reports with (section 4.3, Table 1).

Letters: B studies of a batch, V views, N studies of a split, L labels of the store, K targets.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from lib.models.encoder import make_encoder
from lib.objectives.label_classifier import LabelClassifier

if TYPE_CHECKING:  # objectives do not depend on the data package
    from lib.data.batch import Batch


@dataclasses.dataclass(kw_only=True)
class LSPConfig:
    """What is learnt from the labels of the pre-training studies.

    REFERS trains the same transformer as its own on the labels that a rule-based labeller took from the same
    reports, and a ConvNet, the best of ResNet-18, -50 and -101. Both are this objective with another
    `encoder`. The paper gives no loss; independent yes/no labels are what its data set has. What is not
    known is left out; what uncertain mentions count as is settled by the reader of the data set.

    Attributes:
        targets: names of the labels to learn; empty: all that some training studies have and some do not.
        labels: names of all labels of the store in its order, by which targets are found in a batch; a
            recipe leaves it empty, the config of a run has it.
        num_views: radiographs of a study; each is given all its labels by itself.
        feature_norm: "none" (paper) or "batch", between encoder and head; see
            `lib.models.heads.make_feature_norm`.
        encoder: `name` and fields of an image encoder.
    """

    targets: list[str] = dataclasses.field(default_factory=list)
    labels: list[str] = dataclasses.field(default_factory=list)
    num_views: int = 1
    feature_norm: str = "none"
    encoder: dict[str, Any] = dataclasses.field(default_factory=lambda: {"name": "radiograph_transformer"})


class LSP(LabelClassifier):
    """Predict the labels of a study from each of its radiographs.

    Args:
        config: targets and encoder; complete, with `targets` and `labels`.
    """

    Config = LSPConfig
    reads = ()

    def __init__(self, config: LSPConfig):
        if not config.targets:
            raise ValueError("LSP has no targets: it needs a store with labels.")
        columns = [config.labels.index(name) for name in config.targets]
        super().__init__(self.make_encoder(config), "multi_label", columns, config.feature_norm)
        self.config = config

    @staticmethod
    def make_encoder(config: LSPConfig) -> nn.Module:
        """Make the image encoder alone, as a protocol needs it."""
        return make_encoder(config.encoder)

    def pictures(self, batch: "Batch") -> Tensor:
        """Return all views of a batch, `[B * V, C, H, W]`."""
        return batch.images.flatten(0, 1)

    def targets(self, batch: "Batch") -> Tensor:
        """Return the labels of the targets, once for each view, `[B * V, K]`."""
        return super().targets(batch).repeat_interleave(batch.images.shape[1], dim=0)

    def start_from_labels(self, labels: Tensor) -> None:
        """Begin with the frequencies of the labels of the training studies `[N, L]`, NaN where not known."""
        self.start_from_frequencies(labels[:, self.columns])


def choose_label_targets(names: list[str], labels: Tensor, targets: list[str]) -> list[str]:
    """Return the targets that can be learnt: those named, or all that vary.

    Args:
        names: of all labels, `[L]`.
        labels: of the training studies, 1, 0 or NaN, `[N, L]`.
        targets: as configured.

    Raises:
        ValueError: a target that the store does not have or that is the same in all studies, or none left.
    """
    if unknown := [name for name in targets if name not in names]:
        raise ValueError(
            f"objective.targets names {', '.join(unknown)}; the store has {', '.join(names) or 'no labels'}."
        )
    varies = torch.stack([(labels == value).any(0) for value in (0, 1)]).all(0).tolist()
    if constant := [name for name in targets if not varies[names.index(name)]]:
        raise ValueError(
            f"objective.targets names {', '.join(constant)}: the training studies all have it, or none has, "
            "so there is nothing to learn. Leave it out."
        )
    chosen = targets or [name for name, is_varied in zip(names, varies, strict=True) if is_varied]
    if not chosen:
        raise ValueError("No label of the store is there in some training studies and not in others.")
    return chosen
