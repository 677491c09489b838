"""The text encoder: BERT from a local folder or from a configuration (REFERS, 4.2; ConVIRT, appendix A).

Letters: B reports, T tokens, E width of the embedding.
"""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel
from transformers.utils import logging

from lib.models.dropout import Dropout
from lib.models.initialise import initialise

POOLINGS = ("cls", "mean", "max")


@dataclasses.dataclass(kw_only=True)
class TextEncoderConfig:
    """Sizes of BERT-base, which start from random weights unless a folder holds trained ones.

    Attributes:
        folder: local folder of a BERT (`config.json` and weights); its sizes replace those below.
        width: of the token features.
        depth: number of layers.
        num_heads: attention heads of a layer.
        mlp_width: hidden width of a layer's perceptron.
        dropout: probability, on features and attention weights.
        pooling: "cls" is BERT's pooler (a linear layer and tanh on the first token), as in the published
            code; the paper only says "BERT". "mean" averages the tokens: what sentence encoders such as
            MiniLM were trained with. "max" takes the largest value of each feature, as ConVIRT (2.3) does
            "over all output vectors": those of the first and last special token too, of padding never.
        frozen_layers: how many layers keep their start weights, counted from the input, with the embeddings
            below them: a number (ConVIRT, appendix A: 6 of 12), or "half" of any depth, rounded down. 0
            freezes the embeddings alone, "none" nothing. Only weights are frozen, as the paper says;
            dropout stays on in training.
    """

    folder: str = ""
    width: int = 768
    depth: int = 12
    num_heads: int = 12
    mlp_width: int = 3072
    dropout: float = 0.1
    pooling: str = "cls"
    frozen_layers: int | str = "none"


class TextEncoder(nn.Module):
    """Turn reports into embeddings; every weight is trained unless the configuration freezes some.

    Frozen parameters need no gradient, so no optimizer takes them (`lib.loops.optimizer`).

    Args:
        output_width: E, the width of the study feature that a linear layer projects to; None: no such layer,
            E is the width of BERT, and a head of its own (`lib.models.projection`) may follow.
        vocab_size: number of token ids of the reports' tokenizer.
        config: sizes, or a folder.

    Raises:
        FileNotFoundError: `config.folder` is no folder.
        ValueError: unknown pooling, a folder without a full BERT, or one with fewer tokens than `vocab_size`;
            more layers to freeze than there are.
    """

    Config = TextEncoderConfig

    def __init__(self, output_width: int | None, vocab_size: int, config: TextEncoderConfig):
        super().__init__()
        if config.pooling not in POOLINGS:
            raise ValueError(f"Unknown pooling {config.pooling!r}. Known: {', '.join(POOLINGS)}.")
        self.pooling = config.pooling
        has_pooler = config.pooling == "cls"
        if config.folder:
            self.bert = _read_bert(Path(config.folder), has_pooler)
        else:
            self.bert = _make_bert(config, vocab_size, has_pooler)
        if self.bert.config.vocab_size < vocab_size:
            raise ValueError(
                f"The BERT of {config.folder} has {self.bert.config.vocab_size} tokens, the reports were cut "
                f"with a vocabulary of {vocab_size}. Use the tokenizer of the same folder."
            )
        self.max_length = self.bert.config.max_position_embeddings
        if output_width is None:
            self.projection = nn.Identity()
        else:
            self.projection = nn.Linear(self.bert.config.hidden_size, output_width)
            initialise(self.projection)
        self.width = self.bert.config.hidden_size if output_width is None else output_width
        self._freeze(config.frozen_layers)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Embed reports.

        Args:
            tokens: `[B, T]`.
            mask: true where a token is no padding, `[B, T]`.

        Returns:
            Embeddings `[B, E]`.
        """
        # A mask of four axes is taken as it is; one of two would be read on the host in every step.
        output = self.bert(input_ids=tokens, attention_mask=mask[:, None, None, :])
        if self.pooling == "cls":
            return self.projection(output.pooler_output)
        features, is_token = output.last_hidden_state, mask.unsqueeze(-1)  # [B, T, width], [B, T, 1]
        if self.pooling == "max":
            return self.projection(features.masked_fill(~is_token, -torch.inf).amax(dim=1))
        weights = is_token.to(features.dtype)
        mean = (features * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)
        return self.projection(mean)

    def check_length(self, max_tokens: int) -> None:
        """Refuse texts that are longer than there are positions.

        Raises:
            ValueError: says both numbers.
        """
        if max_tokens > self.max_length:
            raise ValueError(
                f"max_text_tokens {max_tokens} is more than the text encoder's {self.max_length} positions."
            )

    def _freeze(self, frozen_layers: int | str) -> None:
        """Keep the embeddings and the first layers as they are."""
        layers = self.bert.encoder.layer
        if frozen_layers == "none":
            return
        count = len(layers) // 2 if frozen_layers == "half" else frozen_layers
        if not isinstance(count, int):
            raise ValueError(f'frozen_layers is {frozen_layers!r}; give a number, "half" or "none".')
        if not 0 <= count <= len(layers):
            raise ValueError(
                f"frozen_layers {count} does not fit a text encoder of {len(layers)} layers; "
                f'give 0 to {len(layers)}, "half" or "none".'
            )
        for part in (self.bert.embeddings, *layers[:count]):
            part.requires_grad_(False)


def _make_bert(config: TextEncoderConfig, vocab_size: int, has_pooler: bool) -> BertModel:
    bert = BertModel(
        BertConfig(
            vocab_size=vocab_size,
            hidden_size=config.width,
            num_hidden_layers=config.depth,
            num_attention_heads=config.num_heads,
            intermediate_size=config.mlp_width,
            hidden_dropout_prob=config.dropout,
            attention_probs_dropout_prob=config.dropout,
            attn_implementation="sdpa",
        ),
        add_pooling_layer=has_pooler,
    )
    initialise(bert)  # BERT's fixed deviation starves narrow ones
    return _with_quick_dropout(bert)


def _read_bert(folder: Path, has_pooler: bool) -> BertModel:
    if not folder.is_dir():
        raise FileNotFoundError(
            f"BERT folder {folder} does not exist; the text encoder is read from a local one."
        )
    try:
        with _quiet_loading():
            bert, report = BertModel.from_pretrained(
                folder,
                add_pooling_layer=has_pooler,
                attn_implementation="sdpa",
                dtype=torch.float32,  # a folder in half precision is trained in full
                local_files_only=True,
                output_loading_info=True,
            )
    except OSError as error:
        raise ValueError(f"BERT folder {folder} cannot be read: {error}") from error
    if missing := sorted(report["missing_keys"]):
        raise ValueError(f"BERT folder {folder} has no weights for {', '.join(missing)}.")
    return _with_quick_dropout(bert)


@contextlib.contextmanager
def _quiet_loading() -> Iterator[None]:
    """Keep transformers from a bar and a table of entries: what is missing is an error here anyway."""
    level, has_bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if has_bar:
            logging.enable_progress_bar()


def _with_quick_dropout(bert: BertModel) -> BertModel:
    """Replace each dropout layer by ours, which is the same and costs less on a CPU."""
    for part in bert.modules():
        for name, child in part.named_children():
            if type(child) is nn.Dropout:
                setattr(part, name, Dropout(child.p))
    return bert
