"""Where a phrase fits a picture, as an objective that learnt pairs of image and text sees it.

Letters: N images, Q phrases, P places, E width of the shared space.
"""

from typing import Protocol

import torch
from torch import Tensor, nn

from lib.explain.cam import on_grid
from lib.explain.places import on_cells


class PlaceObjective(Protocol):
    """What is asked of the objective."""

    encoder: nn.Module

    def embed_places(self, images: Tensor) -> Tensor:
        """Return float32 `[N, P, E]` of images `[N, C, H, W]`."""
        ...

    def similarity(self, texts: Tensor, images: Tensor) -> Tensor:
        """Return float32 `[Q, N]`, larger where text and image fit better."""
        ...


@torch.no_grad()
def phrase_similarity(objective: PlaceObjective, images: Tensor, texts: Tensor) -> Tensor:
    """Compare phrases with the embedding of every place of images.

    Every place goes through projection and norm as the pooled feature does in training. Where that is not the
    mean over the places (a radiograph transformer that pools its aggregation embedding), training never saw
    one there: expect little of such maps.

    Args:
        objective: ConVIRT or REFERS, whose measure is the cosine, or Contrastive-Binary, whose measure is a
            logit.
        images: `[N, C, H, W]` on its device, normalised as in training.
        texts: embeddings of the phrases, `[Q, E]`, of `objective.embed_texts` or
            `lib.protocols.pair_encoder.PairEncoder.embed_texts`.

    Returns:
        Float32 `[N, Q, rows, columns]`, with its sign; cells as those of `lib.explain.explain.explain`.

    Raises:
        ValueError: an objective that has no embedding of places, or values that are not finite.
    """
    if not getattr(objective, "compares_texts", False):
        raise ValueError(
            f"{type(objective).__name__} does not compare phrases with places; take a pre-training that "
            "contrasts images with texts, such as convirt."
        )
    with torch.autocast(images.device.type, enabled=False):
        places = objective.embed_places(images.float())  # [N, P, E]
        values = objective.similarity(texts.to(images.device).float(), places.flatten(0, 1))  # [Q, N * P]
    maps = on_grid(values.unflatten(1, places.shape[:2]).flatten(0, 1))  # [Q * N, rows, columns]
    encoder = objective.encoder
    if hasattr(encoder, "place_centres"):
        maps = on_cells(maps, encoder.place_centres, encoder.image_size)
    if not maps.isfinite().all():
        raise ValueError(
            "Phrase and places do not compare: look for NaN or infinity in images or weights of the run."
        )
    return maps.unflatten(0, (len(texts), len(images))).transpose(0, 1)


def phrase_maps(objective: PlaceObjective, images: Tensor, texts: Tensor) -> Tensor:
    """Return `phrase_similarity` where it is above 0, and 0 elsewhere: what boxes are made of."""
    return phrase_similarity(objective, images, texts).clamp(min=0)
