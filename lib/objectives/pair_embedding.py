"""What objectives that compare images with texts have in common.

Letters: N images, Q texts, P places, C channels, D width of the encoder, E width of the shared space.
"""

import abc

import torch.nn.functional as F
from torch import Tensor, nn

from lib.models.evaluating import evaluating


class PairEmbedding(abc.ABC):
    """Images, and each place of them, in the space that they share with texts; goes beside `nn.Module`.

    Attributes:
        compares_texts: whether training brings the two together.
        measure: what `similarity` is, in a word.
    """

    compares_texts = True
    measure: str
    encoder: nn.Module

    def embed_images(self, images: Tensor) -> Tensor:
        """Return the embeddings `[N, E]` of images `[N, C, H, W]`, float32."""
        with evaluating(self):
            return self._embed(self.encoder(images).pooled)

    def embed_places(self, images: Tensor) -> Tensor:
        """Return an embedding `[N, P, E]` of every place, as of an image that looks like it everywhere."""
        with evaluating(self):
            tokens = self.encoder(images).tokens
            return self._embed(tokens.flatten(0, 1)).unflatten(0, tokens.shape[:2])

    @abc.abstractmethod
    def embed_texts(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the embeddings `[Q, E]` of tokens `[Q, T]` and their mask, false on padding, float32."""

    @abc.abstractmethod
    def similarity(self, texts: Tensor, images: Tensor) -> Tensor:
        """Return how well every text `[Q, E]` fits every image `[N, E]`, `[Q, N]`, larger where better."""

    @abc.abstractmethod
    def _embed(self, features: Tensor) -> Tensor:
        """Bring features of images or places `[N, D]` into the shared space, `[N, E]`."""


class CosineEmbedding(PairEmbedding):
    """Embeddings of length 1, compared by their cosine."""

    measure = "cosine"

    @staticmethod
    def similarity(texts: Tensor, images: Tensor) -> Tensor:
        """Return the cosine of every text `[Q, E]` with every image `[N, E]`, `[Q, N]`."""
        return texts @ images.T


def unit(rows: Tensor) -> Tensor:
    """Return rows of length 1, float32."""
    return F.normalize(rows.float(), dim=-1)
