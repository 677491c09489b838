"""Contrastive-Binary, a baseline of ConVIRT: is this the text of this image, yes or no (section 3.2).

Letters: B studies, T tokens, E width of the projections, Q texts and N images that are compared.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.losses.gather import gather_rows
from lib.losses.info_nce import same_texts
from lib.models.encoder import make_encoder
from lib.models.evaluating import evaluating
from lib.models.heads import make_feature_norm
from lib.models.initialise import initialise
from lib.models.text_encoder import TextEncoder, TextEncoderConfig
from lib.objectives.convirt import check_pairs, gather_texts, pair_groups
from lib.objectives.pair_embedding import PairEmbedding

if TYPE_CHECKING:  # objectives do not depend on the data package
    from lib.data.batch import Batch

BLOCK = 64
"""Texts that are compared with all images at a time."""


@dataclasses.dataclass(kw_only=True)
class ContrastiveBinaryConfig:
    """What the baseline is made of; where the paper is silent, what ConVIRT has.

    Attributes:
        embedding_width: of both projections and of the hidden layer behind them.
        feature_norm: "none" (paper) or "batch", of both projections; see `make_feature_norm`.
        text_unit: see `ConVIRTConfig`.
        swap_sides: see `ConVIRTConfig`.
        max_text_tokens: see `ConVIRTConfig`.
        encoder: see `ConVIRTConfig`.
        text: see `ConVIRTConfig`.
    """

    embedding_width: int = 512
    feature_norm: str = "none"
    text_unit: str = "sentence"
    swap_sides: bool = True
    max_text_tokens: int = 100
    encoder: dict[str, Any] = dataclasses.field(default_factory=lambda: {"name": "resnet"})
    text: TextEncoderConfig = dataclasses.field(
        default_factory=lambda: TextEncoderConfig(pooling="max", frozen_layers="half")
    )


class ContrastiveBinary(PairEmbedding, nn.Module):
    """Tell real pairs of image and text from false ones.

    Each study of a batch makes one real pair, and a false one with the text of the study before it, whose
    order is random. Where that text is the same, the pair is not false and is left out.

    Args:
        config: sizes.
        text_vocab_size: number of token ids of the text encoder.
    """

    Config = ContrastiveBinaryConfig
    reads = ("text",)
    measure = "logit"

    def __init__(self, config: ContrastiveBinaryConfig, text_vocab_size: int):
        super().__init__()
        self.config = config
        width = config.embedding_width
        self.encoder = self.make_encoder(config)
        self.image_projection = nn.Linear(self.encoder.width, width)
        self.text_encoder = TextEncoder(None, text_vocab_size, config.text)
        self.text_encoder.check_length(config.max_text_tokens)
        self.text_projection = nn.Linear(self.text_encoder.width, width)
        self.image_norm = make_feature_norm(config.feature_norm, width)
        self.text_norm = make_feature_norm(config.feature_norm, width)
        self.hidden = nn.Linear(2 * width, width)
        self.output = nn.Linear(width, 1)
        for part in (self.image_projection, self.text_projection, self.hidden, self.output):
            initialise(part)

    @staticmethod
    def make_encoder(config: ContrastiveBinaryConfig) -> nn.Module:
        """Make the image encoder alone, as a protocol needs it."""
        return make_encoder(config.encoder)

    def forward(self, batch: "Batch") -> dict[str, Tensor]:
        """Return the loss "matching" of a batch of studies, each with one view and one text.

        Raises:
            ValueError: a batch without texts, or of one pair: there is no other text.
        """
        check_pairs(batch)
        tokens = gather_texts(batch.text_tokens, self.config.max_text_tokens)
        images = gather_rows(self.image_projection(self.encoder(batch.images[:, 0]).pooled))
        images = self.image_norm(images)  # [B, E]
        texts = self.text_encoder(batch.text_tokens, batch.text_mask)
        texts = self.text_norm(gather_rows(self.text_projection(texts)))  # [B, E]
        logits = torch.cat([self._match(images, texts), self._match(images, texts.roll(1, dims=0))])  # [2 B]
        real = torch.arange(len(logits), device=logits.device) < len(images)
        is_false = ~same_texts(tokens).diagonal(1)  # of a study and the next one
        is_false = torch.cat([(tokens[0] != tokens[-1]).any()[None], is_false])
        counts = torch.cat([torch.ones_like(is_false), is_false]).float()
        with torch.autocast(logits.device.type, enabled=False):
            losses = F.binary_cross_entropy_with_logits(logits.float(), real.float(), reduction="none")
            return {"matching": (losses * counts).sum() / counts.sum()}

    def embed_texts(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the projections `[N, E]` of texts `[N, T]`, float32."""
        with evaluating(self):
            return self.text_norm(self.text_projection(self.text_encoder(tokens, mask))).float()

    def similarity(self, texts: Tensor, images: Tensor) -> Tensor:
        """Return the logit of every text `[Q, E]` with every image `[N, E]`, `[Q, N]`."""
        with evaluating(self):
            from_image, from_text = self.hidden.weight.chunk(2, dim=1)  # the first layer is a sum of two
            by_image = images @ from_image.T + self.hidden.bias  # [N, E]
            blocks = [
                self.output(F.relu(by_image + (block @ from_text.T)[:, None])).squeeze(-1)
                for block in texts.split(BLOCK)
            ]
            return torch.cat(blocks)

    def parameter_groups(self) -> dict[str, list[tuple[str, nn.Parameter]]]:
        """Name the parts; the head goes with the text."""
        return pair_groups(self)

    def _embed(self, features: Tensor) -> Tensor:
        return self.image_norm(self.image_projection(features)).float()

    def _match(self, images: Tensor, texts: Tensor) -> Tensor:
        """Return the logit of each pair of rows `[B, E]`, `[B]`."""
        return self.output(F.relu(self.hidden(torch.cat([images, texts], dim=1)))).squeeze(1)
