"""SimCLR, an image-only baseline of ConVIRT: recognise the other crop of the same picture in a large batch.

Zhang et al. 2020, appendix E, after Chen et al. 2020a.

Letters: B studies, C channels, H and W sides of an image, E width of the space of comparison.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from lib.losses.gather import gather_rows
from lib.losses.nt_xent import nt_xent
from lib.models.encoder import make_encoder
from lib.models.projection import ProjectionHead
from lib.objectives.two_crops import two_crops

if TYPE_CHECKING:  # objectives do not depend on the data package
    from lib.data.batch import Batch


@dataclasses.dataclass(kw_only=True)
class SimCLRConfig:
    """What SimCLR is made of; the defaults are those of ConVIRT's appendix E.

    The projection head is W2 relu(W1 h), as in SimCLR's formula (2.1), without the biases that most code has.

    Attributes:
        temperature: of the contrastive loss.
        embedding_width: of the space of comparison.
        encoder: `name` and fields of an image encoder; a ResNet-50 in the paper. Any other will do: nothing
            here knows of convolutions.
    """

    temperature: float = 0.1
    embedding_width: int = 128
    encoder: dict[str, Any] = dataclasses.field(default_factory=lambda: {"name": "resnet"})


class SimCLR(nn.Module):
    """Pick out, among all other crops of a batch, the one of the same picture.

    Both crops go through the encoder together, and the negatives are those of all processes. Validation
    varies pictures too, each time alike: two crops that were the same would be no question.

    Args:
        config: sizes.
    """

    Config = SimCLRConfig
    reads = ()
    crops = 2

    def __init__(self, config: SimCLRConfig):
        super().__init__()
        self.config = config
        if not config.temperature > 0:  # NaN neither
            raise ValueError(f"temperature {config.temperature} is not positive.")
        self.encoder = self.make_encoder(config)
        self.projection = ProjectionHead(self.encoder.width, config.embedding_width)

    @staticmethod
    def make_encoder(config: SimCLRConfig) -> nn.Module:
        """Make the image encoder alone, as a protocol needs it."""
        return make_encoder(config.encoder)

    def forward(self, batch: "Batch") -> dict[str, Tensor]:
        """Return the loss "contrastive" of a batch of two crops per picture.

        Raises:
            ValueError: one crop per picture, or one picture.
        """
        embeddings = self.projection(self.encoder(torch.cat(two_crops(batch))).pooled)  # [2 B, E]
        first, second = map(gather_rows, embeddings.chunk(2))
        return {"contrastive": nt_xent(first, second, temperature=self.config.temperature)}

    def parameter_groups(self) -> dict[str, list[tuple[str, nn.Parameter]]]:
        """Name the parts; all belong to the images."""
        return {"image": list(self.named_parameters())}
