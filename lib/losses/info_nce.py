"""The contrastive loss between two sets of paired embeddings (InfoNCE; REFERS, Eq. 2)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

REPEATS = ("negatives", "masked", "positives")
"""What texts that a batch holds more than once can be to each other's images."""


def same_texts(tokens: Tensor) -> Tensor:
    """Return which texts `[B, T]` (token ids) are the same, bool `[B, B]`."""
    return (tokens[:, None] == tokens[None]).all(dim=-1)


def info_nce(
    image_embedding: Tensor,
    text_embedding: Tensor,
    *,
    temperature: float,
    image_to_text_weight: float,
    has_text_to_image_gradient: bool = True,
    same_text: Tensor | None = None,
    repeats: str = "negatives",
) -> Tensor:
    """Pick each image's own text out of the batch by cosine similarity, and each text's own image.

    Args:
        image_embedding: one row per study or image, `[B, E]`.
        text_embedding: the paired texts, `[B, E]`.
        temperature: divides the cosine similarities.
        image_to_text_weight: share of the image-to-text term; the text-to-image term has the rest. 1 is the
            loss of the REFERS paper, 0.75 that of ConVIRT and of the published REFERS code.
        has_text_to_image_gradient: false only reports the text-to-image term, as the published code does.
        same_text: bool `[B, B]`, whether two texts are word for word the same; None where it does not matter.
        repeats: what those are to each other's images: "negatives" like any other text (the papers),
            "masked", which leaves them out, or "positives" with equal shares. Where their embeddings are
            equal too (no dropout), that is the same as "negatives".

    Returns:
        Mean over the batch, float32, also under autocast.

    Raises:
        ValueError: unknown `repeats`, or one that needs `same_text` without it.
    """
    if repeats not in REPEATS:
        raise ValueError(f"repeats {repeats!r} is not one of {', '.join(REPEATS)}.")
    if repeats != "negatives" and same_text is None:
        raise ValueError(f"repeats {repeats!r} needs to know which texts are the same.")
    with torch.autocast(image_embedding.device.type, enabled=False):
        images = F.normalize(image_embedding.float(), dim=-1)
        texts = F.normalize(text_embedding.float(), dim=-1)
        logits = images @ texts.T / temperature  # [B, B], rows: images
        pairs = torch.arange(len(logits), device=logits.device)
        if repeats == "masked":
            others = same_text & ~torch.eye(len(logits), dtype=torch.bool, device=logits.device)
            logits = logits.masked_fill(others, -math.inf)
        elif repeats == "positives":
            pairs = same_text.float() / same_text.sum(dim=1, keepdim=True)  # [B, B], symmetric in its zeros
        image_to_text = F.cross_entropy(logits, pairs)
        if image_to_text_weight == 1.0:
            return image_to_text
        text_to_image = F.cross_entropy(logits.T if has_text_to_image_gradient else logits.detach().T, pairs)
        return image_to_text_weight * image_to_text + (1.0 - image_to_text_weight) * text_to_image
