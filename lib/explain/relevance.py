"""Relevance: attention weighted by its gradient.

Chefer et al. 2021, "Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder
Transformers", section 3.1.

Letters: N images, P patches, T = 1 + P tokens (the aggregation embedding first), H heads.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lib.explain.cam import on_grid


def relevance(classifier: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """Show through which patches attention brings what speaks for an output.

    Only what attention moves is seen: a patch whose own feature reaches the output past all attention, which
    preset "paper" allows, has no part in it.

    Args:
        classifier: see `lib.explain.explain`; its encoder has attention.
        images: `[N, C, H, W]`.
        targets: outputs of the head, `[N]`.

    Returns:
        `[N, rows, columns]`.
    """
    encoder = classifier.encoder
    # The weights of the encoder need no gradient here, so the graph begins at the images.
    output, maps = encoder.forward_with_attention(images.detach().requires_grad_())
    logits = classifier.head(classifier.norm(output.pooled))  # [N, O]
    score = logits.gather(1, targets[:, None]).sum()  # images do not mix: one gradient serves all
    gradients = torch.autograd.grad(score, maps)
    with torch.no_grad():
        relevances = spread_relevance(maps, gradients)  # [N, T, T]
        # The class token's row where it is pooled; where patches are, gradients say what each row counts.
        row = relevances.mean(dim=1) if encoder.is_concatenated else relevances[:, 0]
        return on_grid(row[:, 1:])


def spread_relevance(maps: Sequence[Tensor], gradients: Sequence[Tensor]) -> Tensor:
    """Multiply weighted attention through the blocks (Eq. 5 and 6).

    Args:
        maps: attention weights of each block from the first, `[N, H, T, T]`.
        gradients: of the score with respect to them.

    Returns:
        `[N, T, T]`, without the relevance of each token for itself that the rule starts from.
    """
    identity = torch.eye(maps[0].shape[-1], device=maps[0].device)
    relevances = identity.expand(len(maps[0]), -1, -1)
    for weights, gradient in zip(maps, gradients, strict=True):
        weighted = (gradient * weights).clamp(min=0).mean(dim=1)  # [N, T, T]
        relevances = relevances + weighted @ relevances
    return relevances - identity
