"""Caption-Transformer, a baseline of ConVIRT: write the report with the meshed-memory transformer.

Zhang et al. 2020, section 3.3, after Cornia et al. 2020; the first stage of its training, with words.

Letters: B studies, V views, C channels, H and W sides of an image, P places, D width, N levels, T tokens.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from lib.losses.language_modeling import language_modeling
from lib.models.decoding import PAD_ID
from lib.models.encoder import make_encoder
from lib.models.evaluating import evaluating
from lib.models.heads import make_feature_norm
from lib.models.memory_encoder import MemoryEncoder
from lib.models.meshed_decoder import MeshedDecoder

if TYPE_CHECKING:  # objectives do not depend on the data package
    from lib.data.batch import Batch


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


class CaptionTransformer(nn.Module):
    """Write the report of a radiograph, one view of the study, with a meshed-memory transformer.

    Args:
        config: sizes.
        report_vocab_size: number of token ids of the reports.
    """

    Config = CaptionTransformerConfig
    reads = ("report",)

    def __init__(self, config: CaptionTransformerConfig, report_vocab_size: int):
        super().__init__()
        self.config = config
        self.encoder = self.make_encoder(config)
        self.feature_norm = make_feature_norm(config.feature_norm, self.encoder.width)
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

    @staticmethod
    def make_encoder(config: CaptionTransformerConfig) -> nn.Module:
        """Make the image encoder alone, as a protocol needs it."""
        return make_encoder(config.encoder)

    def start_from_reports(self, tokens: Tensor) -> None:
        """Take from the training reports `[N, T]` what the first step should already know."""
        self.decoder.start_from_frequencies(tokens)

    def forward(self, batch: "Batch") -> dict[str, Tensor]:
        """Return the loss "language" of a batch of studies with reports.

        Raises:
            ValueError: the batch has no reports.
        """
        tokens = batch.report_tokens
        if tokens is None:
            raise ValueError(
                "Captioning learns from reports, and the batch has none: take a store with reports."
            )
        logits = self.decoder(self._read(batch.images), tokens)  # [B, T, vocabulary]
        return {"language": language_modeling(logits, tokens, PAD_ID)}

    def generate(self, images: Tensor, beam_size: int = 1) -> Tensor:
        """Write the reports of studies.

        Args:
            images: `[B, V, C, H, W]`; the first view is read.
            beam_size: hypotheses kept; 1 is greedy search.

        Returns:
            Token ids `[B, max_report_tokens]`: start, report, end, padding.
        """
        with evaluating(self):
            return self.decoder.generate(self._read(images), beam_size)

    def parameter_groups(self) -> dict[str, list[tuple[str, nn.Parameter]]]:
        """Name the parts: the encoder, and the captioner behind it."""
        groups: dict[str, list[tuple[str, nn.Parameter]]] = {"image": [], "text": []}
        for named in self.named_parameters():
            groups["image" if named[0].startswith("encoder.") else "text"].append(named)
        return groups

    def _read(self, images: Tensor) -> Tensor:
        """Return the levels [B, N, P, D] of each study's first view."""
        tokens = self.encoder(images[:, 0]).tokens  # [B, P, D]
        return self.memory_encoder(self.feature_norm(tokens.flatten(0, 1)).view(tokens.shape))
