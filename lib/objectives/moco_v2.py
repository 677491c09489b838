"""MoCo v2, an image-only baseline of ConVIRT: recognise the other crop among the keys of a slow teacher.

Zhang et al. 2020, appendix E, after Chen et al. 2020b and He et al. 2020.

Letters: B studies, C channels, H and W sides of an image, E width of the space of comparison, K keys of the
queue.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

import torch.nn.functional as F
from torch import Tensor, nn

from lib.losses.gather import gather_rows
from lib.losses.queue_contrast import batch_scores, queue_scores, softmax_contrast
from lib.models.embedding_queue import EmbeddingQueue
from lib.models.encoder import make_encoder
from lib.models.momentum_teacher import MomentumTeacher
from lib.models.projection import ProjectionHead
from lib.models.shuffled_batch_norm import has_batch_norm, in_groups
from lib.objectives.two_crops import two_crops

if TYPE_CHECKING:  # objectives do not depend on the data package
    from lib.data.batch import Batch


@dataclasses.dataclass(kw_only=True)
class MoCoV2Config:
    """What MoCo v2 is made of; the defaults are those of ConVIRT's appendix E, or MoCo's where it is silent.

    The projection head is W2 relu(W1 h), without the biases of the published code.

    Attributes:
        temperature: of the contrastive loss; 0.07, though the command of MoCo v2 sets 0.2.
        embedding_width: of the space of comparison.
        queue_size: keys of earlier batches, a multiple of the batch of all processes.
        momentum: of the teacher; 0.999 in MoCo. A short training needs less: the teacher is about
            1 / (1 - momentum) steps behind.
        shuffle_groups: groups of a batch with batch statistics of their own, which are random ones for the
            teacher (`lib.models.shuffled_batch_norm`); the paper's two GPUs make 2. Only encoders with batch
            norm have a use for it.
        encoder: `name` and fields of an image encoder; a ResNet-50 in the paper.
    """

    temperature: float = 0.07
    embedding_width: int = 128
    queue_size: int = 4096
    momentum: float = 0.999
    shuffle_groups: int = 2
    encoder: dict[str, Any] = dataclasses.field(default_factory=lambda: {"name": "resnet"})


class MoCoV2(nn.Module):
    """Pick out the teacher's key of the same picture, among those of the pictures of earlier batches.

    In evaluation neither teacher nor queue move, and the key is picked out among those of the same batch. The
    queue holds keys of older teachers, whose age gives them away: the loss of training rises where the
    teacher comes to rest, as the learning rate falls, and the lowest one is no sign of the best encoder.

    Args:
        config: sizes.
    """

    Config = MoCoV2Config
    reads = ()
    crops = 2

    def __init__(self, config: MoCoV2Config):
        super().__init__()
        self.config = config
        if config.temperature <= 0:
            raise ValueError(f"temperature {config.temperature} is not positive.")
        self.encoder = self.make_encoder(config)
        self.projection = ProjectionHead(self.encoder.width, config.embedding_width)
        self.teacher_encoder = MomentumTeacher(self.encoder, config.momentum)
        self.teacher_projection = MomentumTeacher(self.projection, config.momentum)
        self.queue = EmbeddingQueue(config.queue_size, config.embedding_width)
        self.has_batch_norm = has_batch_norm(self.encoder)

    @staticmethod
    def make_encoder(config: MoCoV2Config) -> nn.Module:
        """Make the image encoder alone, as a protocol needs it."""
        return make_encoder(config.encoder)

    def forward(self, batch: "Batch") -> dict[str, Tensor]:
        """Return the loss "contrastive" of a batch of two crops per picture.

        Raises:
            ValueError: one crop per picture, one picture, or a queue or groups that do not fit the batch.
        """
        first, second = two_crops(batch)
        if self.training:
            self.teacher_encoder.follow(self.encoder)
            self.teacher_projection.follow(self.projection)
        queries = self._embed(self.encoder, self.projection, first)  # [B, E]
        keys = self._embed(self.teacher_encoder, self.teacher_projection, second, shuffled=True)  # [B, E]
        temperature = self.config.temperature
        if self.training:
            scores = queue_scores(queries, keys, self.queue.read(), temperature=temperature)
            self.queue.push(gather_rows(F.normalize(keys.float(), dim=-1)))
        else:
            scores = batch_scores(gather_rows(queries), gather_rows(keys), temperature=temperature)
        return {"contrastive": softmax_contrast(scores)}

    def parameter_groups(self) -> dict[str, list[tuple[str, nn.Parameter]]]:
        """Name the parts; all belong to the images, and the teacher's take no gradient."""
        return {"image": list(self.named_parameters())}

    def _embed(
        self, encoder: nn.Module, projection: nn.Module, images: Tensor, *, shuffled: bool = False
    ) -> Tensor:
        num_groups = self.config.shuffle_groups if self.training and self.has_batch_norm else 1
        return in_groups(lambda part: projection(encoder(part).pooled), images, num_groups, shuffled=shuffled)
