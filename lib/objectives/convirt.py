"""ConVIRT: contrast each radiograph with a sentence of its report (Zhang et al. 2020, section 2).

Letters: B studies, C channels, H and W sides of an image, T tokens, E width of the shared space.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

import torch.nn.functional as F
from torch import Tensor, nn

from lib.losses.gather import gather_rows, num_processes
from lib.losses.info_nce import info_nce, same_texts
from lib.models.encoder import make_encoder
from lib.models.evaluating import evaluating
from lib.models.heads import make_feature_norm
from lib.models.projection import ProjectionHead
from lib.models.text_encoder import TextEncoder, TextEncoderConfig
from lib.objectives.pair_embedding import CosineEmbedding, unit

if TYPE_CHECKING:  # objectives do not depend on the data package
    from lib.data.batch import Batch


@dataclasses.dataclass(kw_only=True)
class ConVIRTConfig:
    """What ConVIRT is made of; the defaults are the paper's.

    Attributes:
        temperature: of the contrastive loss (appendix A).
        image_to_text_weight: lambda, share of the image-to-text term (Eq. 4; appendix A).
        embedding_width: of the shared space (appendix A).
        projection: "mlp", one hidden layer with ReLU (2.3), or "linear" (Table 3).
        feature_norm: "none" (paper) or "batch", of both embeddings before the loss; see
            `lib.models.heads.make_feature_norm`.
        text_unit: "sentence", one at random of the report each time (2.3), or another of
            `lib.data.text_units`: "report", "section" (one at random), "impression".
        swap_sides: exchange left and right in the sentence of a mirrored picture. The paper mirrors pictures
            and keeps the text: False does so.
        repeats: what texts that a batch holds more than once are to each other's images: "negatives" (paper),
            "masked" or "positives"; see `lib.losses.info_nce`.
        max_text_tokens: longest text; what is longer is cut.
        encoder: `name` and fields of an image encoder; a ResNet-50 in the paper, from ImageNet weights, which
            have to be named: `{name: resnet, weights: FILE}`.
        text: sizes or folder of the text encoder; ClinicalBERT in the paper, half of its layers frozen, with
            the largest value of each feature over the tokens (2.3; appendix A).
    """

    temperature: float = 0.1
    image_to_text_weight: float = 0.75
    embedding_width: int = 512
    projection: str = "mlp"
    feature_norm: str = "none"
    text_unit: str = "sentence"
    swap_sides: bool = True
    repeats: str = "negatives"
    max_text_tokens: int = 100
    encoder: dict[str, Any] = dataclasses.field(default_factory=lambda: {"name": "resnet"})
    text: TextEncoderConfig = dataclasses.field(
        default_factory=lambda: TextEncoderConfig(pooling="max", frozen_layers="half")
    )


class ConVIRT(CosineEmbedding, nn.Module):
    """Recognise each image's own text among those of a batch, and each text's own image.

    Args:
        config: sizes and weights.
        text_vocab_size: number of token ids of the text encoder.
    """

    Config = ConVIRTConfig
    reads = ("text",)

    def __init__(self, config: ConVIRTConfig, text_vocab_size: int):
        super().__init__()
        self.config = config
        if not config.temperature > 0:  # NaN neither
            raise ValueError(f"temperature {config.temperature} is not positive.")
        width = config.embedding_width
        self.encoder = self.make_encoder(config)
        self.image_projection = ProjectionHead(self.encoder.width, width, kind=config.projection)
        self.text_encoder = TextEncoder(None, text_vocab_size, config.text)
        self.text_encoder.check_length(config.max_text_tokens)
        self.text_projection = ProjectionHead(self.text_encoder.width, width, kind=config.projection)
        self.image_norm = make_feature_norm(config.feature_norm, width)
        self.text_norm = make_feature_norm(config.feature_norm, width)

    @staticmethod
    def make_encoder(config: ConVIRTConfig) -> nn.Module:
        """Make the image encoder alone, as a protocol needs it."""
        return make_encoder(config.encoder)

    def forward(self, batch: "Batch") -> dict[str, Tensor]:
        """Return the loss "contrastive" of a batch of studies, each with one view and one text.

        Raises:
            ValueError: a batch without texts, or of one pair: there is nothing to tell it from.
        """
        check_pairs(batch)
        tokens = batch.text_tokens
        images = self.image_projection(self.encoder(batch.images[:, 0]).pooled)  # [B, E]
        texts = self.text_projection(self.text_encoder(tokens, batch.text_mask))  # [B, E]
        same = None
        if self.config.repeats != "negatives":
            same = same_texts(gather_texts(tokens, self.config.max_text_tokens))
        loss = info_nce(
            self.image_norm(gather_rows(images)),
            self.text_norm(gather_rows(texts)),
            temperature=self.config.temperature,
            image_to_text_weight=self.config.image_to_text_weight,
            same_text=same,
            repeats=self.config.repeats,
        )
        return {"contrastive": loss}

    def embed_texts(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the embeddings `[N, E]` of texts `[N, T]`, float32, of length 1."""
        with evaluating(self):
            return unit(self.text_norm(self.text_projection(self.text_encoder(tokens, mask))))

    def parameter_groups(self) -> dict[str, list[tuple[str, nn.Parameter]]]:
        """Name the parts; the paper gives both one learning rate."""
        return pair_groups(self)

    def _embed(self, features: Tensor) -> Tensor:
        return unit(self.image_norm(self.image_projection(features)))


def check_pairs(batch: "Batch") -> None:
    """Refuse a batch that pairs of image and text cannot be contrasted in.

    Raises:
        ValueError: no texts, or one pair alone.
    """
    if batch.text_tokens is None:
        raise ValueError(
            "This objective learns from reports, and the batch has none: take a store with reports."
        )
    if len(batch) * num_processes() < 2:
        raise ValueError(
            "A batch of one pair has nothing to tell it from: loader.batch_size must be 2 or more, and so "
            "must the number of validation studies."
        )


def gather_texts(tokens: Tensor, length: int) -> Tensor:
    """Join the texts `[B, T]` of all processes, padded to one length: each cuts its own to what it needs."""
    return gather_rows(F.pad(tokens, (0, length - tokens.shape[1])))


def pair_groups(module: nn.Module) -> dict[str, list[tuple[str, nn.Parameter]]]:
    """Return the parameters of the image side and of all the rest, which reads text."""
    groups: dict[str, list[tuple[str, nn.Parameter]]] = {"image": [], "text": []}
    for named in module.named_parameters():
        is_image = named[0].startswith(("encoder.", "image_"))
        groups["image" if is_image else "text"].append(named)
    return groups
