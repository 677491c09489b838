"""REFERS: cross-supervised learning from free-text reports (section 4 of the paper; docs/refers.md).

Letters: B studies, V views, P patches, T tokens, D width, N = B, E = V * D; without view fusion each view
is a study by itself, N = B * V, E = D.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from lib.losses.gather import gather_rows
from lib.losses.info_nce import info_nce
from lib.losses.language_modeling import language_modeling
from lib.models.encoder import has_preset, make_encoder
from lib.models.evaluating import evaluating
from lib.models.heads import make_feature_norm
from lib.models.presets import preset_named
from lib.models.report_transformer import ReportTransformer, ReportTransformerConfig
from lib.models.text_encoder import TextEncoder, TextEncoderConfig
from lib.models.view_fusion import FusedViews, ViewFusion
from lib.objectives.pair_embedding import CosineEmbedding, unit

if TYPE_CHECKING:  # objectives do not depend on the data package
    from lib.data.batch import Batch


@dataclasses.dataclass(kw_only=True)
class REFERSConfig:
    """What REFERS is made of; the defaults are the paper's, or its published code's where it is silent.

    Attributes:
        preset: "paper" or "official": which of the two wherever they differ (`lib.models.presets`).
        num_views: radiographs of a study (4.2).
        has_view_fusion: False pairs each radiograph alone with the study's report (Table 3, row 3).
        temperature: of the contrastive loss; 0.1 in the published code, not printed in the paper.
        contrastive_weight: the paper sums both losses (4.2); 0 leaves this one out (Table 3, row 5).
        language_weight: likewise (Table 3, row 6).
        feature_norm: "none" (paper) or "batch", of study and report features before the contrastive loss; see
            `lib.models.heads.make_feature_norm`.
        max_report_tokens: longest report for the report transformer; the published code's.
        max_text_tokens: longest report for the text encoder; the published code's.
        encoder: `name` and fields of an image encoder; without a name a radiograph transformer (4.1), of the
            preset above unless it says another.
        report: sizes of the report transformer.
        text: sizes or folder of the text encoder.
    """

    preset: str = "paper"
    num_views: int = 3
    has_view_fusion: bool = True
    temperature: float = 0.1
    contrastive_weight: float = 1.0
    language_weight: float = 1.0
    feature_norm: str = "none"
    max_report_tokens: int = 100
    max_text_tokens: int = 100
    encoder: dict[str, Any] = dataclasses.field(default_factory=dict)
    report: ReportTransformerConfig = dataclasses.field(default_factory=ReportTransformerConfig)
    text: TextEncoderConfig = dataclasses.field(default_factory=TextEncoderConfig)

    def __post_init__(self):
        name = self.encoder.get("name", "radiograph_transformer")
        preset = {"preset": self.preset} if has_preset(name) else {}
        self.encoder = {"name": name, **preset, **self.encoder}


class REFERS(CosineEmbedding, nn.Module):
    """Learn from each study's report: generate it, and recognise it among those of other studies.

    Args:
        config: sizes and weights.
        report_vocab_size: number of token ids of the report transformer.
        text_vocab_size: number of token ids of the text encoder.
    """

    Config = REFERSConfig
    reads = ("report", "text")

    def __init__(self, config: REFERSConfig, report_vocab_size: int, text_vocab_size: int):
        super().__init__()
        self.config = config
        self.preset = preset_named(config.preset)
        if not config.temperature > 0:  # NaN neither
            raise ValueError(f"temperature {config.temperature} is not positive.")
        if config.contrastive_weight == config.language_weight == 0:
            raise ValueError("contrastive_weight and language_weight are both 0: nothing to learn from.")
        self.encoder = self.make_encoder(config)
        width = self.encoder.width
        self.num_fused = config.num_views if config.has_view_fusion else 1
        self.view_fusion = (
            ViewFusion(width, config.num_views, config.preset) if config.has_view_fusion else None
        )
        self.report_transformer = ReportTransformer(
            report_vocab_size,
            width,
            max_length=config.max_report_tokens,
            preset=config.preset,
            **dataclasses.asdict(config.report),
        )
        self.text_encoder = TextEncoder(self.num_fused * width, text_vocab_size, config.text)
        self.study_norm = make_feature_norm(config.feature_norm, self.num_fused * width)
        self.text_norm = make_feature_norm(config.feature_norm, self.num_fused * width)
        self.text_encoder.check_length(config.max_text_tokens)

    @staticmethod
    def make_encoder(config: REFERSConfig) -> nn.Module:
        """Make the image encoder alone, as a protocol needs it."""
        return make_encoder(config.encoder)

    def start_from_reports(self, tokens: Tensor) -> None:
        """Take from the training reports `[N, T]` what the first step should already know."""
        if self.preset.starts_from_frequencies:
            self.report_transformer.start_from_frequencies(tokens)

    def forward(self, batch: "Batch") -> dict[str, Tensor]:
        """Return the weighted losses "language" and "contrastive" of a batch of studies with reports."""
        if batch.report_tokens is None or batch.text_tokens is None:
            raise ValueError(
                "REFERS learns from reports, and this batch has none: take a store with reports."
            )
        fused = self.fuse(batch.images)  # of N studies or views
        copies = len(fused.memory) // len(batch.images)
        losses = {}
        if self.config.language_weight:
            tokens = batch.report_tokens.repeat_interleave(copies, dim=0)
            logits = self.report_transformer(fused.memory, tokens)  # [N, T, vocabulary]
            language = language_modeling(logits, tokens, self.report_transformer.pad_id)
            losses["language"] = self.config.language_weight * language
        if self.config.contrastive_weight:
            text_feature = self.text_encoder(batch.text_tokens, batch.text_mask)  # [B, E]
            # Views of one study share one and the same feature of its report. As negatives of each other they
            # only add log(copies) to the image-to-text term, without gradient.
            contrastive = info_nce(
                self.study_norm(gather_rows(fused.study_feature)),
                self.text_norm(gather_rows(text_feature)).repeat_interleave(copies, dim=0),
                temperature=self.config.temperature,
                image_to_text_weight=self.preset.image_to_text_weight,
                has_text_to_image_gradient=self.preset.has_text_to_image_gradient,
            )
            losses["contrastive"] = self.config.contrastive_weight * contrastive
        return losses

    def fuse(self, images: Tensor) -> FusedViews:
        """Encode all views `[B, V, C, H, W]` in one pass and fuse them into features of the studies.

        Without view fusion each view is a study by itself: there are B * V of them.
        """
        tokens, pooled = self.encoder(images.flatten(0, 1))  # [B * V, P, D], [B * V, D]
        if self.view_fusion is None:
            return FusedViews(tokens, pooled, pooled.new_ones(len(pooled), 1, 1))
        views = images.shape[:2]
        return self.view_fusion(tokens.unflatten(0, views), pooled.unflatten(0, views))

    @property
    def compares_texts(self) -> bool:
        """Whether the contrastive loss is trained; without it images and reports share no space."""
        return self.config.contrastive_weight > 0

    def embed_texts(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the embeddings `[B, E]` of reports `[B, T]`, float32, of length 1."""
        with evaluating(self):
            return unit(self.text_norm(self.text_encoder(tokens, mask)))

    def _embed(self, features: Tensor) -> Tensor:
        """Bring features of images or places into the shared space: each as a study of this one view.

        Such a study has copies of it (`lib.data.loader`), so that view fusion sees what it saw in training.
        """
        views = features.unsqueeze(1).expand(-1, self.num_fused, -1)  # [N, V, D]
        if self.view_fusion is not None:
            features = self.view_fusion(views.unsqueeze(2), views).study_feature  # [N, V * D]
        return unit(self.study_norm(features))

    def fusion_weights(self, images: Tensor) -> Tensor:
        """Return the weight of each view `[B, V]`; official gates are averaged over the places.

        Without view fusion the first view has it all, as in `generate`.
        """
        if self.view_fusion is None:
            return (torch.arange(images.shape[1], device=images.device) == 0).float().repeat(len(images), 1)
        with evaluating(self):
            return self.fuse(images).weights.mean(dim=-1)

    def generate(self, images: Tensor, beam_size: int = 1) -> Tensor:
        """Write the reports of studies; without view fusion, what the first view shows.

        Args:
            images: `[B, V, C, H, W]`.
            beam_size: hypotheses kept; 1 is greedy search.

        Returns:
            Token ids `[B, max_report_tokens]`: start, report, end, padding.
        """
        if self.view_fusion is None:
            images = images[:, :1]
        with evaluating(self):
            return self.report_transformer.generate(self.fuse(images).memory, beam_size)

    def forward_with_attention(self, images: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read reports, generated or true, and tell where they are read off the views.

        Args:
            images: `[B, V, C, H, W]`; without view fusion the first view is read, as in `generate`.
            tokens: reports, `[B, T]`.

        Returns:
            Logits of the token after each one `[B, T, vocabulary]`; with which weights each layer and head of
            the report transformer attends to the views for it, `[B, T, layers, heads, V, P]`; and how much
            view fusion leaves of what is attended to, `[B, V, P]`.
        """
        if self.view_fusion is None:
            images = images[:, :1]
        fused = self.fuse(images)
        logits, maps = self.report_transformer.forward_with_attention(fused.memory, tokens)
        weights = torch.stack(maps, dim=1).permute(0, 3, 1, 2, 4)  # [B, T, layers, heads, V * P]
        weights = weights.unflatten(-1, (images.shape[1], -1))
        return logits, weights, fused.weights.expand(-1, -1, weights.shape[-1])

    def parameter_groups(self) -> dict[str, list[tuple[str, nn.Parameter]]]:
        """Name the parts with learning rates of their own (4.2); fusion goes with the images."""
        parts = {"image": ("encoder.", "view_fusion."), "text": ("report_transformer.", "text_encoder.")}
        return {
            group: [named for named in self.named_parameters() if named[0].startswith(prefixes)]
            for group, prefixes in parts.items()
        }
