"""Caption-Transformer, a baseline of ConVIRT: write the report with the meshed-memory transformer.

Zhang et al. 2020, section 3.3, after Cornia et al. 2020; the first stage of its training, with words.

Letters: B studies, V views, C channels, H and W sides of an image, P places, D width, N levels, T tokens.
"""

import dataclasses
from typing import Any

from torch import Tensor

from lib.losses.language_modeling import language_modeling
from lib.models.decoding import PAD_ID
from lib.models.memory_encoder import MemoryEncoder
from lib.models.meshed_decoder import MeshedDecoder
from lib.objectives.captioner import Captioner


@dataclasses.dataclass(kw_only=True)
class CaptionTransformerConfig:
    """What the baseline is made of: ConVIRT only names Cornia et al. 2020; sizes are theirs (section 4.2).

    Attributes:
        width: of all features of the captioner.
        num_heads: attention heads of a layer.
        mlp_width: hidden width of a layer's perceptron; the published code's.
        num_encoder_layers: of the memory-augmented encoder.
        num_decoder_layers: of the meshed decoder.
        num_slots: memory slots of an encoder layer.
        dropout: after each attention and inside and after each perceptron.
        feature_norm: "none" (paper) or "batch", of the image's features before they are read; see
            `lib.models.heads.make_feature_norm`.
        max_report_tokens: longest report; what is longer is cut. Captions have 20.
        encoder: `name` and fields of an image encoder; a ResNet-50 in ConVIRT.
    """

    width: int = 512
    num_heads: int = 8
    mlp_width: int = 2048
    num_encoder_layers: int = 3
    num_decoder_layers: int = 3
    num_slots: int = 40
    dropout: float = 0.1
    feature_norm: str = "none"
    max_report_tokens: int = 100
    encoder: dict[str, Any] = dataclasses.field(default_factory=lambda: {"name": "resnet"})


class CaptionTransformer(Captioner):
    """Write the report of a radiograph, one view of the study, with a meshed-memory transformer.

    Args:
        config: sizes.
        report_vocab_size: number of token ids of the reports.
    """

    Config = CaptionTransformerConfig

    def __init__(self, config: CaptionTransformerConfig, report_vocab_size: int):
        super().__init__(config)
        sizes = {
            "width": config.width,
            "num_heads": config.num_heads,
            "mlp_width": config.mlp_width,
            "dropout": config.dropout,
        }
        self.memory_encoder = MemoryEncoder(
            self.encoder.width, depth=config.num_encoder_layers, num_slots=config.num_slots, **sizes
        )
        self.decoder = MeshedDecoder(
            report_vocab_size,
            depth=config.num_decoder_layers,
            num_levels=config.num_encoder_layers,
            max_length=config.max_report_tokens,
            **sizes,
        )

    def teach(self, image: Tensor, tokens: Tensor) -> dict[str, Tensor]:
        """Return the loss "language"."""
        logits = self.decoder(image, tokens)  # [B, T, vocabulary]
        return {"language": language_modeling(logits, tokens, PAD_ID)}

    def read(self, images: Tensor) -> Tensor:
        """Return the levels `[B, N, P, D]` of the first view of images `[B, V, C, H, W]`."""
        return self.memory_encoder(super().read(images))
