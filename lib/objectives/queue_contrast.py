"""What MoCo v2 and C2L have in common: an encoder, a slow teacher of the same make, and a queue of its keys.

Letters: B pictures, C channels, H and W sides of an image, E width of the space of comparison.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from lib.losses.gather import gather_rows
from lib.models.embedding_queue import EmbeddingQueue
from lib.models.encoder import make_encoder
from lib.models.momentum_teacher import MomentumTeacher
from lib.models.projection import ProjectionHead
from lib.models.shuffled_batch_norm import has_batch_norm, in_groups


class QueueContrast(nn.Module):
    """Embed queries with the encoder and keys with its teacher; a subclass compares them.

    Args:
        config: has `encoder`, `embedding_width`, `temperature`, `queue_size`, `momentum`, `shuffle_groups`.
        projection: kind of the projection heads; see `lib.models.projection`.
    """

    reads = ()
    crops = 2

    def __init__(self, config: Any, projection: str = "mlp"):
        super().__init__()
        self.config = config
        if not config.temperature > 0:  # NaN neither
            raise ValueError(f"temperature {config.temperature} is not positive.")
        self.encoder = self.make_encoder(config)
        self.projection = ProjectionHead(self.encoder.width, config.embedding_width, kind=projection)
        self.teacher_encoder = MomentumTeacher(self.encoder, config.momentum)
        self.teacher_projection = MomentumTeacher(self.projection, config.momentum)
        self.queue = EmbeddingQueue(config.queue_size, config.embedding_width)
        self.has_batch_norm = has_batch_norm(self.encoder)

    @staticmethod
    def make_encoder(config: Any) -> nn.Module:
        """Make the image encoder alone, as a protocol needs it."""
        return make_encoder(config.encoder)

    def parameter_groups(self) -> dict[str, list[tuple[str, nn.Parameter]]]:
        """Name the parts; all belong to the images, and the teacher's take no gradient."""
        return {"image": list(self.named_parameters())}

    def follow(self) -> None:
        """Move the teacher towards the encoder, once a step and only in training."""
        if self.training:
            self.teacher_encoder.follow(self.encoder)
            self.teacher_projection.follow(self.projection)

    def queries(self, images: Tensor) -> Tensor:
        """Return the embeddings `[B, E]` of images `[B, C, H, W]`."""
        return self._embed(self.encoder, self.projection, images, shuffled=False)

    def keys(self, images: Tensor) -> Tensor:
        """Return those of the teacher, without gradient."""
        return self._embed(self.teacher_encoder, self.teacher_projection, images, shuffled=True)

    def push(self, keys: Tensor) -> None:
        """Put the keys `[B, E]` of all processes into the queue."""
        self.queue.push(gather_rows(F.normalize(keys.float(), dim=-1)))

    def _embed(self, encoder: nn.Module, projection: nn.Module, images: Tensor, *, shuffled: bool) -> Tensor:
        num_groups = self.config.shuffle_groups if self.training and self.has_batch_norm else 1
        return in_groups(lambda part: projection(encoder(part).pooled), images, num_groups, shuffled=shuffled)
