"""Caption-LSTM, a baseline of ConVIRT: write the report with "Show, Attend and Tell".

Zhang et al. 2020, section 3.3, after Xu et al. 2015.

Letters: B studies, V views, C channels, H and W sides of an image, L places, D width, T tokens.
"""

import dataclasses
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lib.losses.doubly_stochastic import doubly_stochastic
from lib.losses.language_modeling import language_modeling
from lib.models.attention_lstm import AttentionLSTM
from lib.models.decoding import PAD_ID
from lib.objectives.captioner import Captioner


@dataclasses.dataclass(kw_only=True)
class CaptionLSTMConfig:
    """What the baseline is made of: ConVIRT only names Xu et al. 2015; sizes are of their published code.

    Attributes:
        attention_weight: lambda of the penalty on the attention (Xu et al., 4.2.1); the published code's.
        word_width: of a token's embedding.
        attention_width: of the hidden layer that scores a place.
        hidden_width: of the LSTM.
        dropout: on the LSTM's output and before the output layer.
        feature_norm: "none" (paper) or "batch", of the image's features before they are read; see
            `lib.models.heads.make_feature_norm`.
        max_report_tokens: longest report; what is longer is cut.
        encoder: `name` and fields of an image encoder; a ResNet-50 in ConVIRT, whose last feature map of
            7 x 7 x 2048 is attended to.
    """

    attention_weight: float = 1.0
    word_width: int = 512
    attention_width: int = 512
    hidden_width: int = 1800
    dropout: float = 0.5
    feature_norm: str = "none"
    max_report_tokens: int = 100
    encoder: dict[str, Any] = dataclasses.field(default_factory=lambda: {"name": "resnet"})


class CaptionLSTM(Captioner):
    """Write the report of a radiograph, one view of the study, with an LSTM and soft attention.

    Args:
        config: sizes and weights.
        report_vocab_size: number of token ids of the reports.
    """

    Config = CaptionLSTMConfig

    def __init__(self, config: CaptionLSTMConfig, report_vocab_size: int):
        super().__init__(config)
        if config.attention_weight < 0:
            raise ValueError(f"attention_weight {config.attention_weight} is negative.")
        self.decoder = AttentionLSTM(
            report_vocab_size,
            self.encoder.width,
            word_width=config.word_width,
            attention_width=config.attention_width,
            hidden_width=config.hidden_width,
            max_length=config.max_report_tokens,
            dropout=config.dropout,
        )

    def teach(self, image: Tensor, tokens: Tensor) -> dict[str, Tensor]:
        """Return the losses "language" and "attention", weighted."""
        told = self.decoder(image, tokens)
        losses = {"language": language_modeling(told.logits, tokens, PAD_ID)}
        if self.config.attention_weight:
            is_predicted = F.pad(tokens[:, 1:] != PAD_ID, (0, 1))  # [B, T]
            losses["attention"] = self.config.attention_weight * doubly_stochastic(told.weights, is_predicted)
        return losses

    def forward_with_attention(self, images: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read reports, generated or true, and tell where they are read off the image.

        Args:
            images: `[B, V, C, H, W]`; the first view is read.
            tokens: reports, `[B, T]`.

        Returns:
            Logits of the token after each one `[B, T, vocabulary]`; the weights of the places for it, of one
            layer, head and view, `[B, T, 1, 1, 1, L]`; and ones `[B, 1, L]`: nothing weighs the view.
        """
        told = self.decoder(self.read(images), tokens)
        return told.logits, told.weights[:, :, None, None, None], torch.ones_like(told.weights[:, :1])
