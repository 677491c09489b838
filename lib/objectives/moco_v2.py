"""MoCo v2, an image-only baseline of ConVIRT: recognise the other crop among the keys of a slow teacher.

Zhang et al. 2020, appendix E, after Chen et al. 2020b and He et al. 2020.

Letters: B studies, C channels, H and W sides of an image, E width of the space of comparison, K keys of the
queue.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

from torch import Tensor

from lib.losses.gather import gather_rows
from lib.losses.queue_contrast import batch_scores, queue_scores, softmax_contrast
from lib.objectives.queue_contrast import QueueContrast
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


class MoCoV2(QueueContrast):
    """Pick out the teacher's key of the same picture, among those of the pictures of earlier batches.

    In evaluation neither teacher nor queue move, and the key is picked out among those of the same batch. The
    queue holds keys of older teachers, whose age gives them away: the loss of training rises where the
    teacher comes to rest, as the learning rate falls, and the lowest one is no sign of the best encoder.

    Args:
        config: sizes.
    """

    Config = MoCoV2Config

    def forward(self, batch: "Batch") -> dict[str, Tensor]:
        """Return the loss "contrastive" of a batch of two crops per picture.

        Raises:
            ValueError: one crop per picture, one picture, or a queue or groups that do not fit the batch.
        """
        first, second = two_crops(batch)
        self.follow()
        queries, keys = self.queries(first), self.keys(second)  # [B, E] each
        temperature = self.config.temperature
        if self.training:
            scores = queue_scores(queries, keys, self.queue.read(), temperature=temperature)
            self.push(keys)
        else:
            scores = batch_scores(gather_rows(queries), gather_rows(keys), temperature=temperature)
        return {"contrastive": softmax_contrast(scores)}
