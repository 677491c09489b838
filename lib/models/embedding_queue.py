"""A queue of embeddings of earlier batches: many negatives without large batches (He et al. 2020, 3.2)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EmbeddingQueue(nn.Module):
    """A ring of rows; every push takes the place of the oldest ones.

    It starts with random directions, as in MoCo, and is itself part of the state: rows and position are
    buffers. With several processes all push the rows of all (`lib.losses.gather.gather_rows`), so that their
    queues stay the same.

    Args:
        size: number of rows K, a multiple of the batch of all processes.
        width: of a row, E.

    Raises:
        ValueError: a queue without rows.
    """

    def __init__(self, size: int, width: int):
        super().__init__()
        if size < 1:
            raise ValueError(f"A queue of {size} embeddings holds nothing; queue_size must be positive.")
        self.size = size
        self.register_buffer("rows", F.normalize(torch.randn(size, width), dim=-1))  # [K, E]
        self.register_buffer("position", torch.zeros((), dtype=torch.int64))  # of the oldest row

    def read(self) -> Tensor:
        """Return a copy of all rows, `[K, E]`, so that a later push changes nothing that a loss has read."""
        return self.rows.clone()

    @torch.no_grad()
    def push(self, rows: Tensor) -> None:
        """Put rows `[B, E]`, of length 1, in the place of the B oldest.

        Raises:
            ValueError: the queue is no multiple of the batch: some rows would stay longer than others.
        """
        if self.size % len(rows):
            raise ValueError(
                f"A queue of {self.size} embeddings is not a multiple of the batch of {len(rows)}: give "
                "objective.queue_size a multiple of loader.batch_size."
            )
        places = self.position + torch.arange(len(rows), device=rows.device)  # on the device: no wait for it
        self.rows.index_copy_(0, places % self.size, rows.to(self.rows.dtype))
        self.position.add_(len(rows)).remainder_(self.size)
