"""The post-norm decoder layer of the report transformer.

Letters: B reports, K hypotheses of a report, T tokens, M places of the memory, D width, H heads.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.models.dropout import Dropout

KeyValue = tuple[Tensor, Tensor]
"""Keys and values, `[B, H, tokens, D / H]` each."""


class DecoderLayer(nn.Module):
    """Attend to earlier tokens, attend to the memory, transform; each added and then normalised."""

    def __init__(
        self,
        width: int,
        num_heads: int,
        mlp_width: int,
        *,
        activation: Callable[[Tensor], Tensor],
        dropout: float,
    ):
        super().__init__()
        if width % num_heads:
            raise ValueError(f"width {width} is not a multiple of num_heads {num_heads}.")
        self.num_heads = num_heads
        self.activation = activation
        self.dropout = Dropout(dropout)
        self.self_query_key_value = nn.Linear(width, 3 * width)
        self.self_output = nn.Linear(width, width)
        self.self_norm = nn.LayerNorm(width)
        self.memory_query = nn.Linear(width, width)
        self.memory_key_value = nn.Linear(width, 2 * width)
        self.memory_output = nn.Linear(width, width)
        self.memory_norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, mlp_width)
        self.output = nn.Linear(mlp_width, width)
        self.output_norm = nn.LayerNorm(width)

    def read_memory(self, memory: Tensor) -> KeyValue:
        """Project a memory `[B, M, D]` once, for all tokens that will attend to it."""
        key, value = self._heads(self.memory_key_value(memory), 2)
        return key, value

    def forward(
        self, x: Tensor, memory: KeyValue, *, mask: Tensor | None = None, past: KeyValue | None = None
    ) -> tuple[Tensor, KeyValue]:
        """Transform tokens.

        Args:
            x: `[B, T, D]`, or the newest token of each hypothesis, `[B * K, 1, D]`.
            memory: what `read_memory` gave for the B reports.
            mask: true where a token may attend to another, broadcast to `[B, H, T, T]`.
            past: keys and values of the earlier tokens, from the calls before.

        Returns:
            Features in the shape of `x`, and the keys and values up to and with these tokens.
        """
        x, present = self._attend_to_tokens(x, mask, past)
        # The hypotheses of a report read the same memory: they are more queries to it, not copies of it.
        queries = self.memory_query(x).view(len(memory[0]), -1, x.shape[-1])  # [B, T or K, D]
        attended = self._attend(*self._heads(queries, 1), *memory, None).view(x.shape)
        return self._transform(x, attended), present

    def with_weights(
        self, x: Tensor, memory: KeyValue, *, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the features that `forward` gives to whole reports, and how they weigh the memory's places.

        Args:
            x: `[B, T, D]`.
            memory: what `read_memory` gave for the B reports.
            mask: as in `forward`.

        Returns:
            Features `[B, T, D]`, and the weights of the places `[B, H, T, M]`, on which no dropout falls.
        """
        x, _ = self._attend_to_tokens(x, mask, None)
        (query,), (key, value) = self._heads(self.memory_query(x), 1), memory
        weights = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(dim=-1)  # [B, H, T, M]
        return self._transform(x, _join(weights @ value)), weights

    def _attend_to_tokens(
        self, x: Tensor, mask: Tensor | None, past: KeyValue | None
    ) -> tuple[Tensor, KeyValue]:
        """Look at the earlier tokens; return features and the keys and values up to and with these tokens."""
        query, key, value = self._heads(self.self_query_key_value(x), 3)
        if past is not None:
            key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
        attended = self._attend(query, key, value, mask)
        return self.self_norm(x + self.dropout(self.self_output(attended))), (key, value)

    def _transform(self, x: Tensor, attended: Tensor) -> Tensor:
        """Add what was seen in the memory, and transform."""
        x = self.memory_norm(x + self.dropout(self.memory_output(attended)))
        transformed = self.output(self.dropout(self.activation(self.hidden(x))))
        return self.output_norm(x + self.dropout(transformed))

    def _heads(self, x: Tensor, num_parts: int) -> tuple[Tensor, ...]:
        """Split [B, T, parts * D] into views [B, H, T, D / H]."""
        return x.unflatten(-1, (num_parts, self.num_heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """Attend with dropout on the weights and join the heads: [B, T, D]."""
        dropout = self.dropout.p if self.training else 0.0
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)
        return _join(attended)


def _join(heads: Tensor) -> Tensor:
    """Join [B, H, T, D / H] to [B, T, D]."""
    return heads.transpose(1, 2).flatten(2)
