"""The meshed decoder of the meshed-memory transformer (Cornia et al. 2020, section 3.2).

Letters: B reports, K hypotheses of a report, T tokens, P places, N levels of the encoder, D width, H heads,
d = D / H.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.models.decoder_layer import KeyValue
from lib.models.decoding import PAD_ID, write_tokens
from lib.models.dropout import Dropout
from lib.models.initialise import initialise, next_token_log_frequencies
from lib.models.memory_encoder import join_heads, split_heads
from lib.models.transformer_block import Perceptron


class MeshedLayer(nn.Module):
    """Attend to earlier tokens, attend to every level of the encoder, transform; each added, then normalised.

    As in the paper. The published code differs: it adds and normalises inside the attention to each level,
    before the gates, and divides their sum by the root of the number of levels.
    """

    def __init__(self, width: int, num_heads: int, mlp_width: int, num_levels: int, dropout: float):
        super().__init__()
        if width % num_heads:
            raise ValueError(f"width {width} is not a multiple of num_heads {num_heads}.")
        self.num_heads = num_heads
        self.dropout = Dropout(dropout)
        self.self_query_key_value = nn.Linear(width, 3 * width)
        self.self_output = nn.Linear(width, width)
        self.self_norm = nn.LayerNorm(width)
        self.level_query = nn.Linear(width, width)  # one attention for all levels
        self.level_key_value = nn.Linear(width, 2 * width)
        self.level_output = nn.Linear(width, width)
        self.level_gates = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(num_levels))
        self.level_norm = nn.LayerNorm(width)
        self.perceptron = Perceptron(width, mlp_width, F.relu, dropout)
        self.output_norm = nn.LayerNorm(width)

    def read_levels(self, levels: Tensor) -> KeyValue:
        """Project the encoder's outputs `[B, N, P, D]` once, for all tokens that will attend to them."""
        key, value = split_heads(self.level_key_value(levels), 2, self.num_heads)  # [B, N, H, P, d] each
        return key, value

    def forward(self, x: Tensor, levels: KeyValue, past: KeyValue | None = None) -> tuple[Tensor, KeyValue]:
        """Transform tokens.

        Args:
            x: `[B, T, D]`, or the newest token of each hypothesis, `[B * K, 1, D]`.
            levels: what `read_levels` gave for the B reports.
            past: keys and values of the earlier tokens, from the calls before; without them `x` begins with
                the first token.

        Returns:
            Features in the shape of `x`, and the keys and values up to and with these tokens.
        """
        query, key, value = split_heads(self.self_query_key_value(x), 3, self.num_heads)
        if past is not None:
            key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
        attended = F.scaled_dot_product_attention(query, key, value, is_causal=past is None)
        x = self.self_norm(x + self.dropout(self.self_output(join_heads(attended))))
        x = self.level_norm(x + self.dropout(self._attend_to_levels(x, levels)))
        return self.output_norm(x + self.perceptron(x)), (key, value)

    def _attend_to_levels(self, x: Tensor, levels: KeyValue) -> Tensor:
        """Attend to every level and sum what each gives, weighed by a gate of its own: [B, T, D]."""
        key, value = levels
        # The hypotheses of a report read the same levels: they are more queries to them, not copies of them.
        tokens = x.reshape(len(key), -1, x.shape[-1])  # [B, T or K, D]
        (query,) = split_heads(self.level_query(tokens).unsqueeze(1), 1, self.num_heads)  # [B, 1, H, T, d]
        query = query.expand(-1, key.shape[1], -1, -1, -1)  # [B, N, H, T, d]
        seen = join_heads(F.scaled_dot_product_attention(query, key, value))
        seen = self.level_output(seen)  # [B, N, T, D]
        total = torch.zeros_like(tokens)
        for gate, level in zip(self.level_gates, seen.unbind(dim=1), strict=True):
            total = total + gate(torch.cat([tokens, level], dim=-1)).sigmoid() * level
        return total.view(x.shape)


class MeshedDecoder(nn.Module):
    """Causal decoder over report tokens that attends to all levels of the encoder in each layer.

    Args:
        vocab_size: number of token ids, the special ones of `lib.models.decoding` among them.
        width: of every token feature, and of the encoder's levels.
        num_heads: attention heads of a layer.
        mlp_width: hidden width of a layer's perceptron.
        depth: number of layers.
        num_levels: of the encoder.
        max_length: tokens of a report, start and end included.
        dropout: probability, after each attention and inside and after each perceptron.
    """

    def __init__(
        self,
        vocab_size: int,
        width: int = 512,
        num_heads: int = 8,
        mlp_width: int = 2048,
        depth: int = 3,
        num_levels: int = 3,
        max_length: int = 100,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.max_length = max_length
        self.word_embedding = nn.Embedding(vocab_size, width)
        self.register_buffer("positions", sinusoids(max_length, width), persistent=False)
        self.layers = nn.ModuleList(
            MeshedLayer(width, num_heads, mlp_width, num_levels, dropout) for _ in range(depth)
        )
        self.output = nn.Linear(width, vocab_size)
        initialise(self)
        nn.init.normal_(self.word_embedding.weight)  # as strong as the positions that are added

    def forward(self, levels: Tensor, tokens: Tensor) -> Tensor:
        """Predict the token after each one.

        Args:
            levels: outputs of the encoder's layers, `[B, N, P, D]`.
            tokens: the reports, `[B, T]`, padded at the end, where nothing but padding sees the padding.

        Returns:
            Logits `[B, T, vocabulary]`; those at `t` see the tokens up to and with `t`.
        """
        if tokens.shape[1] > self.max_length:
            raise ValueError(f"Reports have {tokens.shape[1]} tokens, the decoder takes {self.max_length}.")
        x = self._embed(tokens, 0)
        for layer in self.layers:
            x, _ = layer(x, layer.read_levels(levels))
        return self.output(x)

    @torch.no_grad()
    def start_from_frequencies(self, tokens: Tensor) -> None:
        """Let the output begin with how often each token is the next one in the training reports `[N, T]`."""
        frequencies = next_token_log_frequencies(tokens, self.output.out_features, PAD_ID)
        self.output.bias.copy_(frequencies)

    @torch.no_grad()
    def generate(self, levels: Tensor, beam_size: int = 1, length_penalty: float = 1.0) -> Tensor:
        """Write reports; put the module into evaluation mode first.

        Args:
            levels: outputs of the encoder's layers, `[B, N, P, D]`.
            beam_size: hypotheses kept; 1 is greedy search.
            length_penalty: 0 ranks hypotheses by log-probability, 1 by its mean over the tokens.

        Returns:
            Token ids `[B, max_length]`: start, report, end, padding.
        """
        return write_tokens(
            _Steps(self, levels),
            len(levels),
            beam_size=beam_size,
            max_length=self.max_length,
            length_penalty=length_penalty,
            device=levels.device,
        )

    def _embed(self, tokens: Tensor, place: int) -> Tensor:
        """Embed tokens [B, T] whose first one stands at `place`."""
        return self.word_embedding(tokens) + self.positions[place : place + tokens.shape[1]]


class _Steps:
    """The decoder token by token; keys and values of earlier tokens and of the levels are kept."""

    def __init__(self, model: MeshedDecoder, levels: Tensor):
        self.model = model
        self.levels = [layer.read_levels(levels) for layer in model.layers]
        self.pasts: list[KeyValue | None] = [None] * len(self.levels)
        self.place = 0

    def __call__(self, tokens: Tensor, parents: Tensor) -> Tensor:
        """Return logits [B * K, vocabulary] after tokens [B * K], which continue the hypotheses `parents`."""
        x = self.model._embed(tokens.unsqueeze(1), self.place)  # [B * K, 1, D]
        for number, (layer, levels) in enumerate(zip(self.model.layers, self.levels, strict=True)):
            past = self.pasts[number]
            if past is not None:
                past = past[0][parents], past[1][parents]
            x, self.pasts[number] = layer(x, levels, past)
        self.place += 1
        return self.model.output(x.squeeze(1))


def sinusoids(length: int, width: int) -> Tensor:
    """Return the position encodings `[length, width]` of "Attention is all you need" (section 3.5)."""
    if width % 2:
        raise ValueError(f"width {width} is odd; sines and cosines come in pairs.")
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000) / width))
    angles = torch.arange(length).unsqueeze(1) * rates  # [length, width / 2]
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
