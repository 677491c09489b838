"""The report transformer: writes a study's report from its fused tokens (REFERS, 4.2 and Figure 1d).

Letters: B reports, T tokens, M places of the memory, D width.
"""

import dataclasses
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.models.decoder_layer import DecoderLayer, KeyValue
from lib.models.decoding import beam_search
from lib.models.dropout import Dropout
from lib.models.initialise import initialise, next_token_log_frequencies
from lib.models.presets import preset_named
from lib.models.pretrained import load_renamed


@dataclasses.dataclass(kw_only=True)
class ReportTransformerConfig:
    """Sizes of the published code (the paper only says "the decoder in [20]"): L1 H1024 A16 F4096.

    The special ids are those of `lib.data.tokenizer`; the published vocabulary has 0, 0, 1 and 2.
    """

    width: int = 1024
    num_heads: int = 16
    mlp_width: int = 4096
    depth: int = 1
    dropout: float = 0.1
    pad_id: int = 0
    unk_id: int = 1
    sos_id: int = 2
    eos_id: int = 3


class ReportTransformer(nn.Module):
    """Causal decoder over report tokens that attends to visual tokens.

    Args:
        vocab_size: number of token ids.
        visual_width: of the memory.
        width: of every token feature.
        num_heads: attention heads of a layer.
        mlp_width: hidden width of a layer's perceptron.
        depth: number of layers.
        max_length: tokens of a report, start and end included.
        dropout: probability, on embeddings, attention weights and layer outputs, as in the published code.
        preset: "paper" or "official".
        pad_id: id that fills up short reports.
        unk_id: id of unknown words; never generated.
        sos_id: id of the start of a report.
        eos_id: id of its end.
    """

    Config = ReportTransformerConfig

    def __init__(
        self,
        vocab_size: int,
        visual_width: int,
        width: int = 1024,
        num_heads: int = 16,
        mlp_width: int = 4096,
        depth: int = 1,
        max_length: int = 100,
        dropout: float = 0.1,
        preset: str = "paper",
        *,
        pad_id: int = 0,
        unk_id: int = 1,
        sos_id: int = 2,
        eos_id: int = 3,
    ):
        super().__init__()
        if max(pad_id, unk_id, sos_id, eos_id) >= vocab_size:
            raise ValueError(f"vocab_size {vocab_size} does not hold the ids of the special tokens.")
        chosen = preset_named(preset)
        self.max_length = max_length
        self.pad_id, self.unk_id, self.sos_id, self.eos_id = pad_id, unk_id, sos_id, eos_id

        self.visual_projection = nn.Linear(visual_width, width)
        self.word_embedding = nn.Embedding(vocab_size, width)
        self.position_embedding = nn.Embedding(max_length, width)
        self.embedding_norm = nn.LayerNorm(width, eps=chosen.report_embedding_norm_eps)
        self.dropout = Dropout(dropout)
        self.layers = nn.ModuleList(
            DecoderLayer(width, num_heads, mlp_width, activation=chosen.report_activation, dropout=dropout)
            for _ in range(depth)
        )
        self.output_bias = nn.Parameter(torch.zeros(vocab_size))  # the output's weight is the word embedding
        initialise(self)

    def forward(self, memory: Tensor, tokens: Tensor) -> Tensor:
        """Predict the token after each one.

        Args:
            memory: fused visual tokens, `[B, M, visual width]`.
            tokens: the report, `[B, T]`, padded at the end.

        Returns:
            Logits `[B, T, vocabulary]`; those at `t` see the tokens up to and with `t`.
        """
        self._check_length(tokens)
        x, mask = self._embed(tokens, 0), self._mask(tokens)
        visual = self.visual_projection(memory)
        for layer in self.layers:
            x, _ = layer(x, layer.read_memory(visual), mask=mask)
        return self._predict(x)

    def forward_with_attention(self, memory: Tensor, tokens: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return what `forward` returns, and how each layer weighs the memory, `[B, H, T, M]`.

        The weights at `t` are those with which the token after it is predicted.
        """
        self._check_length(tokens)
        x, mask, maps = self._embed(tokens, 0), self._mask(tokens), []
        visual = self.visual_projection(memory)
        for layer in self.layers:
            x, weights = layer.with_weights(x, layer.read_memory(visual), mask=mask)
            maps.append(weights)
        return self._predict(x), maps

    @torch.no_grad()
    def start_from_frequencies(self, tokens: Tensor) -> None:
        """Let the output begin with how often each token is the next one, whatever came before.

        Args:
            tokens: the training reports, `[N, T]`, padded at the end. Every token of the vocabulary counts
                one more, so that none is impossible.
        """
        self.output_bias.copy_(next_token_log_frequencies(tokens, len(self.output_bias), self.pad_id))

    @torch.no_grad()
    def generate(self, memory: Tensor, beam_size: int = 1, length_penalty: float = 1.0) -> Tensor:
        """Write reports; put the module into evaluation mode first.

        Args:
            memory: fused visual tokens, `[B, M, visual width]`.
            beam_size: hypotheses kept; 1 is greedy search.
            length_penalty: 0 ranks hypotheses by log-probability, 1 by its mean over the tokens.

        Returns:
            Token ids `[B, max_length]` that start with `sos_id`, end with `eos_id` and are then padded.
        """
        if beam_size < 1:
            raise ValueError(f"beam_size {beam_size} must be 1 (greedy) or more.")
        return beam_search(
            _Steps(self, memory),
            len(memory),
            beam_size=beam_size,
            max_length=self.max_length,
            sos_id=self.sos_id,
            eos_id=self.eos_id,
            pad_id=self.pad_id,
            never=(self.pad_id, self.unk_id, self.sos_id),
            length_penalty=length_penalty,
            device=memory.device,
        )

    def load_published(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load weights under the names of the published code.

        Raises:
            ValueError: missing, unexpected or misshapen entries, or an output weight that is not the word
                embedding, all listed.
        """
        tied = {"output.weight": "embedding.words.weight"}
        state = dict(state_dict)
        for name in [name for name in state if ".multihead_attn.in_proj_" in name]:
            stacked = state.pop(name)
            width = len(stacked) // 3
            state[f"{name}[query]"], state[f"{name}[key, value]"] = stacked[:width], stacked[width:]
        load_renamed(self, state, _published_names(len(self.layers)), tied=tied)

    def _check_length(self, tokens: Tensor) -> None:
        if tokens.shape[1] > self.max_length:
            raise ValueError(
                f"Reports have {tokens.shape[1]} tokens, the report transformer takes {self.max_length}."
            )

    def _mask(self, tokens: Tensor) -> Tensor:
        """Say which tokens [B, T] see which: the earlier ones and themselves, no padding; [B, 1, T, T]."""
        length = tokens.shape[1]
        is_earlier = torch.ones(length, length, dtype=torch.bool, device=tokens.device).tril()
        return is_earlier & (tokens != self.pad_id)[:, None, None, :]

    def _embed(self, tokens: Tensor, place: int) -> Tensor:
        """Embed tokens [B, T] whose first one stands at `place`; padding becomes zero."""
        positions = self.position_embedding.weight[place : place + tokens.shape[1]]
        x = self.dropout(self.embedding_norm(self.word_embedding(tokens) + positions))
        return x * (tokens != self.pad_id).unsqueeze(-1)  # [B, T, D]

    def _predict(self, x: Tensor) -> Tensor:
        return F.linear(x, self.word_embedding.weight, self.output_bias)


class _Steps:
    """The report transformer token by token; keys and values of earlier tokens and of the memory are kept."""

    def __init__(self, model: ReportTransformer, memory: Tensor):
        self.model = model
        visual = model.visual_projection(memory)
        self.memories = [layer.read_memory(visual) for layer in model.layers]
        self.pasts: list[KeyValue] = []
        self.place = 0

    def __call__(self, tokens: Tensor, parents: Tensor) -> Tensor:
        """Return logits [B * K, vocabulary] after tokens [B * K], which continue the hypotheses `parents`."""
        x = self.model._embed(tokens.unsqueeze(1), self.place)  # [B * K, 1, D]
        pasts: list[KeyValue | None] = [(key[parents], value[parents]) for key, value in self.pasts]
        presents = []
        for layer, memory, past in zip(
            self.model.layers, self.memories, pasts or [None] * len(self.memories), strict=True
        ):
            x, present = layer(x, memory, past=past)
            presents.append(present)
        self.pasts, self.place = presents, self.place + 1
        return self.model._predict(x.squeeze(1))


def _published_names(depth: int) -> dict[str, tuple[str, ...]]:
    """Map our names to those of the published report transformer."""
    names = {
        "visual_projection.weight": "visual_projection.weight",
        "visual_projection.bias": "visual_projection.bias",
        "word_embedding.weight": "embedding.words.weight",
        "position_embedding.weight": "embedding.positions.weight",
        "embedding_norm.weight": "embedding.layer_norm.weight",
        "embedding_norm.bias": "embedding.layer_norm.bias",
        "output_bias": "output.bias",
    }
    for layer in range(depth):
        ours, theirs = f"layers.{layer}.", f"transformer.layers.{layer}."
        for kind in ("weight", "bias"):
            names |= {
                f"{ours}self_query_key_value.{kind}": f"{theirs}self_attn.in_proj_{kind}",
                f"{ours}self_output.{kind}": f"{theirs}self_attn.out_proj.{kind}",
                f"{ours}self_norm.{kind}": f"{theirs}norm1.{kind}",
                f"{ours}memory_query.{kind}": f"{theirs}multihead_attn.in_proj_{kind}[query]",
                f"{ours}memory_key_value.{kind}": f"{theirs}multihead_attn.in_proj_{kind}[key, value]",
                f"{ours}memory_output.{kind}": f"{theirs}multihead_attn.out_proj.{kind}",
                f"{ours}memory_norm.{kind}": f"{theirs}norm2.{kind}",
                f"{ours}hidden.{kind}": f"{theirs}linear1.{kind}",
                f"{ours}output.{kind}": f"{theirs}linear2.{kind}",
                f"{ours}output_norm.{kind}": f"{theirs}norm3.{kind}",
            }
    return {name: (source,) for name, source in names.items()}
