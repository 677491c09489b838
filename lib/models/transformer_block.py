"""The pre-norm self-attention block of the radiograph transformer.

Letters: N images, T tokens, D width, H heads, d = D / H.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from lib.models.dropout import Dropout


class SelfAttention(nn.Module):
    """Multi-head self-attention over all tokens, fused; `with_weights` is the same, spelled out."""

    def __init__(self, width: int, num_heads: int):
        super().__init__()
        if width % num_heads:
            raise ValueError(f"width {width} is not a multiple of num_heads {num_heads}.")
        self.num_heads = num_heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Attend; `x` and the result are `[N, T, D]`."""
        query, key, value = self._heads(x)
        return self._merge(F.scaled_dot_product_attention(query, key, value))

    def with_weights(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `forward` returns, and the attention weights `[N, H, T, T]`."""
        query, key, value = self._heads(x)
        weights = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(dim=-1)  # [N, H, T, T]
        return self._merge(weights @ value), weights

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Project to queries, keys and values, each a view [N, H, T, d]."""
        heads = self.query_key_value(x).unflatten(-1, (3, self.num_heads, -1))  # [N, T, 3, H, d]
        return heads.permute(2, 0, 3, 1, 4).unbind(0)

    def _merge(self, heads: Tensor) -> Tensor:
        """Join [N, H, T, d] to [N, T, D] and project."""
        return self.output(heads.transpose(1, 2).flatten(2))


class Perceptron(nn.Module):
    """Two linear layers with an activation between them and dropout after each."""

    def __init__(self, width: int, mlp_width: int, activation: Callable[[Tensor], Tensor], dropout: float):
        super().__init__()
        self.hidden = nn.Linear(width, mlp_width)
        self.output = nn.Linear(mlp_width, width)
        self.activation = activation
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each token; `x` and the result are `[N, T, D]`."""
        return self.dropout(self.output(self.dropout(self.activation(self.hidden(x)))))


class TransformerBlock(nn.Module):
    """Normalise, attend, add; normalise, transform, add."""

    def __init__(
        self,
        width: int,
        num_heads: int,
        mlp_width: int,
        *,
        activation: Callable[[Tensor], Tensor],
        dropout: float,
        norm_eps: float,
    ):
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=norm_eps)
        self.attention = SelfAttention(width, num_heads)
        self.perceptron_norm = nn.LayerNorm(width, eps=norm_eps)
        self.perceptron = Perceptron(width, mlp_width, activation, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Transform `[N, T, D]` to `[N, T, D]`."""
        x = x + self.attention(self.attention_norm(x))
        return x + self.perceptron(self.perceptron_norm(x))

    def with_weights(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `forward` returns, and the attention weights `[N, H, T, T]`."""
        attended, weights = self.attention.with_weights(self.attention_norm(x))
        x = x + attended
        return x + self.perceptron(self.perceptron_norm(x)), weights
