"""The memory-augmented encoder of the meshed-memory transformer (Cornia et al. 2020, section 3.1).

Letters: B images, P places, S memory slots, N layers, D width, H heads, d = D / H.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.models.dropout import Dropout
from lib.models.initialise import initialise
from lib.models.transformer_block import Perceptron


class MemoryAttention(nn.Module):
    """Self-attention whose keys and values are continued by learned ones, which no place of the image gives.

    They hold what is known beforehand about how places relate.
    """

    def __init__(self, width: int, num_heads: int, num_slots: int):
        super().__init__()
        if width % num_heads:
            raise ValueError(f"width {width} is not a multiple of num_heads {num_heads}.")
        self.num_heads = num_heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.slot_keys = nn.Parameter(torch.empty(num_slots, width))
        self.slot_values = nn.Parameter(torch.empty(num_slots, width))
        self.output = nn.Linear(width, width)
        # Start values of the published code, its constant factors included.
        nn.init.normal_(self.slot_keys, std=(width // num_heads) ** -0.5)
        nn.init.normal_(self.slot_values, std=max(num_slots, 1) ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Attend; `x` and the result are `[B, P, D]`."""
        query, key, value = split_heads(self.query_key_value(x), 3, self.num_heads)  # [B, H, P, d] each
        key, value = self._with_slots(key, self.slot_keys), self._with_slots(value, self.slot_values)
        return self.output(join_heads(F.scaled_dot_product_attention(query, key, value)))

    def _with_slots(self, x: Tensor, slots: Tensor) -> Tensor:
        """Continue keys or values [B, H, P, d] by the slots: [B, H, P + S, d]."""
        (slots,) = split_heads(slots, 1, self.num_heads)  # [H, S, d]
        return torch.cat([x, slots.to(x.dtype).expand(len(x), -1, -1, -1)], dim=2)


class MemoryEncoderLayer(nn.Module):
    """Attend, transform; each added and then normalised."""

    def __init__(self, width: int, num_heads: int, mlp_width: int, num_slots: int, dropout: float):
        super().__init__()
        self.attention = MemoryAttention(width, num_heads, num_slots)
        self.dropout = Dropout(dropout)
        self.attention_norm = nn.LayerNorm(width)
        self.perceptron = Perceptron(width, mlp_width, F.relu, dropout)
        self.output_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Transform `[B, P, D]` to `[B, P, D]`."""
        x = self.attention_norm(x + self.dropout(self.attention(x)))
        return self.output_norm(x + self.perceptron(x))


class MemoryEncoder(nn.Module):
    """Relate the places of an image to each other, on several levels.

    Args:
        visual_width: of the image's features.
        width: of every level.
        num_heads: attention heads of a layer.
        mlp_width: hidden width of a layer's perceptron.
        depth: number of layers.
        num_slots: memory slots of a layer.
        dropout: probability, after each attention and inside and after each perceptron.
    """

    def __init__(
        self,
        visual_width: int,
        width: int = 512,
        num_heads: int = 8,
        mlp_width: int = 2048,
        depth: int = 3,
        num_slots: int = 40,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.projection = nn.Linear(visual_width, width)
        self.dropout = Dropout(dropout)
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(
            MemoryEncoderLayer(width, num_heads, mlp_width, num_slots, dropout) for _ in range(depth)
        )
        initialise(self)

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode places `[B, P, visual width]`; return the outputs of all layers, `[B, N, P, D]`."""
        x = self.norm(self.dropout(F.relu(self.projection(tokens))))  # as published; the paper is silent
        levels = []
        for layer in self.layers:
            x = layer(x)
            levels.append(x)
        return torch.stack(levels, dim=1)


def split_heads(x: Tensor, num_parts: int, num_heads: int) -> tuple[Tensor, ...]:
    """Split `[..., T, parts * D]` into that many views `[..., H, T, d]`."""
    parts = x.unflatten(-1, (num_parts, num_heads, -1))  # [..., T, parts, H, d]
    return tuple(part.transpose(-2, -3) for part in parts.unbind(dim=-3))


def join_heads(heads: Tensor) -> Tensor:
    """Join `[..., H, T, d]` to `[..., T, D]`."""
    return heads.transpose(-2, -3).flatten(-2)
