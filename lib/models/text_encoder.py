"""The text encoder: BERT from a local folder or from a configuration (REFERS, 4.2).

Letters: B reports, T tokens, E width of the embedding.
"""

import dataclasses
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from lib.models.dropout import Dropout
from lib.models.initialise import initialise

POOLINGS = ("cls", "mean")


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
            MiniLM were trained with.
    """

    folder: str = ""
    width: int = 768
    depth: int = 12
    num_heads: int = 12
    mlp_width: int = 3072
    dropout: float = 0.1
    pooling: str = "cls"


class TextEncoder(nn.Module):
    """Turn reports into embeddings; every weight is trained, as in the paper.

    Args:
        output_width: E, the width of the study feature.
        vocab_size: number of token ids of the reports' tokenizer.
        config: sizes, or a folder.

    Raises:
        FileNotFoundError: `config.folder` is no folder.
        ValueError: unknown pooling, a folder without a full BERT, or one with fewer tokens than `vocab_size`.
    """

    Config = TextEncoderConfig

    def __init__(self, output_width: int, vocab_size: int, config: TextEncoderConfig):
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
        self.projection = nn.Linear(self.bert.config.hidden_size, output_width)
        initialise(self.projection)

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
        weights = mask.unsqueeze(-1).to(output.last_hidden_state.dtype)  # [B, T, 1]
        mean = (output.last_hidden_state * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)
        return self.projection(mean)


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


def _with_quick_dropout(bert: BertModel) -> BertModel:
    """Replace each dropout layer by ours, which is the same and costs less on a CPU."""
    for part in bert.modules():
        for name, child in part.named_children():
            if type(child) is nn.Dropout:
                setattr(part, name, Dropout(child.p))
    return bert
