"""C2L, an image-only baseline of REFERS: compare crops and their mixtures with a slow teacher's features.

"Comparing to Learn" (Zhou et al. 2020), which began with ResNet-18.

Letters: B studies, C channels, H and W sides of an image, E width of the space of comparison, K keys of the
queue.
"""

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lib.losses.gather import gather_rows
from lib.losses.queue_contrast import (
    batch_scores,
    log_normaliser,
    noise_contrast,
    queue_scores,
    softmax_contrast,
)
from lib.objectives.mixing import draw_mixing
from lib.objectives.queue_contrast import QueueContrast
from lib.objectives.two_crops import two_crops

if TYPE_CHECKING:  # objectives do not depend on the data package
    from lib.data.batch import Batch

LOSSES = ("softmax", "nce")


@dataclasses.dataclass(kw_only=True)
class C2LConfig:
    """What C2L is made of; the defaults are the published ones but for `loss`.

    From a ResNet-18 it is carried to the radiograph transformer, as REFERS does with all its baselines: the
    pooled feature takes the place of the one behind the last pooling. A transformer has no batch norm, so
    there is nothing to shuffle.

    Attributes:
        loss: "nce", which the published command asks for: each key is judged by itself, with a normaliser
            that the first batch fixes; or "softmax", its other choice and our default. The queue still holds
            random directions when the first batch is seen, so what is fixed says little about later keys: in
            the first 20 steps of baselines/c2l_phantom the gradient was 17 times that of the softmax.
        temperature: of the contrastive losses.
        embedding_width: of the space of comparison.
        queue_size: keys of earlier batches, a multiple of the batch of all processes.
        momentum: of the teacher. A short training needs less: it is about 1 / (1 - momentum) steps behind.
        projection: "linear" or "mlp", see `ConVIRTConfig`; the description speaks of 128 features alone.
        shuffle_groups: see `MoCoV2Config`.
        encoder: `name` and fields of an image encoder; REFERS gives all baselines its transformer.
    """

    loss: str = "softmax"
    temperature: float = 0.07
    embedding_width: int = 128
    queue_size: int = 16_384
    momentum: float = 0.999
    projection: str = "linear"
    shuffle_groups: int = 2
    encoder: dict[str, Any] = dataclasses.field(default_factory=lambda: {"name": "radiograph_transformer"})


class C2L(QueueContrast):
    """Pick out three keys in the queue: of a picture, of a mixture of pictures, and a mixture of keys.

    Both crops of a batch are mixed with one weight and one permutation (`lib.objectives.mixing`), so the
    mixture of the teacher's features is a key of the mixed picture as well. All three kinds of keys enter the
    queue, as published. It is read once a step, before any of them: no negative is a key of the same step,
    where the published code, which enqueues after each of the three, has the parts of a mixture among its
    negatives.

    In evaluation neither teacher nor queue move, every batch is mixed alike, and a key is picked out among
    those of its kind in the same batch; `lib.objectives.moco_v2` says why.

    Args:
        config: sizes.
    """

    Config = C2LConfig

    def __init__(self, config: C2LConfig):
        if config.loss not in LOSSES:
            raise ValueError(f"loss {config.loss!r} is not one of {', '.join(LOSSES)}.")
        super().__init__(config, config.projection)
        self.register_buffer("log_z", torch.tensor(math.nan))  # of the first batch, once there was one

    def forward(self, batch: "Batch") -> dict[str, Tensor]:
        """Return the losses "pictures", "mixed_pictures" and "mixed_keys", a third of each.

        Raises:
            ValueError: one crop per picture, one picture, or a queue or groups that do not fit the batch.
        """
        first, second = two_crops(batch)
        self.follow()
        mixing = draw_mixing(len(first), None if self.training else torch.Generator().manual_seed(0))
        queries, mixed_queries = self.queries(first), self.queries(mixing.of(first))  # [B, E] each
        keys, mixed_keys = self.keys(second), self.keys(mixing.of(second))  # [B, E] each
        pairs = {
            "pictures": (queries, keys),
            "mixed_pictures": (mixed_queries, mixed_keys),
            "mixed_keys": (mixed_queries, mixing.of(keys)),
        }
        queue = self.queue.read() if self.training else None  # [K, E]
        losses = {name: self._contrast(*pair, queue) / len(pairs) for name, pair in pairs.items()}
        if self.training:
            for _, pushed in pairs.values():
                self.push(pushed)
        return losses

    def _contrast(self, queries: Tensor, keys: Tensor, queue: Tensor | None) -> Tensor:
        temperature = self.config.temperature
        if queue is None:
            scores = batch_scores(gather_rows(queries), gather_rows(keys), temperature=temperature)
        else:
            scores = queue_scores(queries, keys, queue, temperature=temperature)
        if self.config.loss == "softmax":
            return softmax_contrast(scores)
        # Decided on the device: no wait for it. Processes then have the first one's, like all buffers.
        log_z = torch.where(self.log_z.isnan(), log_normaliser(scores), self.log_z)
        if self.training:
            self.log_z.copy_(log_z)
        return noise_contrast(scores, log_z)
