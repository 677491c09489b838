"""What the captioning baselines of ConVIRT have in common: an image is read, a decoder writes its report.

Letters: B studies, V views, C channels, H and W sides of an image, P places, D width, T tokens.
"""

import abc
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from lib.models.encoder import make_encoder
from lib.models.evaluating import evaluating
from lib.models.heads import make_feature_norm

if TYPE_CHECKING:  # objectives do not depend on the data package
    from lib.data.batch import Batch


class Captioner(nn.Module, abc.ABC):
    """Write reports from the first view of a study; a subclass has the `decoder` and says what it is taught.

    Args:
        config: has `encoder`, its `name` and fields, and `feature_norm`.
    """

    reads = ("report",)
    decoder: nn.Module

    def __init__(self, config: Any):
        super().__init__()
        self.config = config
        self.encoder = self.make_encoder(config)
        self.feature_norm = make_feature_norm(config.feature_norm, self.encoder.width)

    @staticmethod
    def make_encoder(config: Any) -> nn.Module:
        """Make the image encoder alone, as a protocol needs it."""
        return make_encoder(config.encoder)

    def start_from_reports(self, tokens: Tensor) -> None:
        """Take from the training reports `[N, T]` what the first step should already know."""
        self.decoder.start_from_frequencies(tokens)

    def forward(self, batch: "Batch") -> dict[str, Tensor]:
        """Return the losses, weighted, of a batch of studies with reports.

        Raises:
            ValueError: the batch has no reports.
        """
        if batch.report_tokens is None:
            raise ValueError(
                "Captioning learns from reports, and the batch has none: take a store with reports."
            )
        return self.teach(self.read(batch.images), batch.report_tokens)

    @abc.abstractmethod
    def teach(self, image: Tensor, tokens: Tensor) -> dict[str, Tensor]:
        """Return the losses of what `read` gave and the reports `[B, T]`."""

    def read(self, images: Tensor) -> Tensor:
        """Return what the decoder looks at of images `[B, V, C, H, W]`: the first view, `[B, P, D]`."""
        tokens = self.encoder(images[:, 0]).tokens
        return self.feature_norm(tokens.flatten(0, 1)).view(tokens.shape)

    def generate(self, images: Tensor, beam_size: int = 1) -> Tensor:
        """Write the reports of studies.

        Args:
            images: `[B, V, C, H, W]`; the first view is read.
            beam_size: hypotheses kept; 1 is greedy search.

        Returns:
            Token ids `[B, max_report_tokens]`: start, report, end, padding.
        """
        with evaluating(self):
            return self.decoder.generate(self.read(images), beam_size)

    def parameter_groups(self) -> dict[str, list[tuple[str, nn.Parameter]]]:
        """Name the parts: the encoder, and all that writes."""
        groups: dict[str, list[tuple[str, nn.Parameter]]] = {"image": [], "text": []}
        for named in self.named_parameters():
            groups["image" if named[0].startswith("encoder.") else "text"].append(named)
        return groups
