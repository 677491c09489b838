"""Texts and images in the space that a pair objective gave them, and how well each text fits each image.

Letters: N images, Q texts, T tokens, C channels, E width of the embeddings.
"""

import itertools
from collections.abc import Sequence

import numpy as np
import torch

from lib.data.batch import Tokenizer
from lib.data.loader import StudyLoader
from lib.objectives.pair_embedding import PairEmbedding
from lib.protocols.features import Features, compute_features

PRECISION = 2.0**-20
"""Similarities are rounded to this share of the largest: those of equal embeddings must tie, and float32 sums
differ in their last bits with their place in the matrix."""


class PairEncoder:
    """An objective with the tokenizer that it reads with.

    Args:
        objective: in evaluation mode, on the device.
        tokenizer: of its text encoder.
        max_tokens: of a text; what is longer is cut, as it was in training.
        device: where to compute.
        batch_size: texts at a time.
    """

    def __init__(
        self,
        objective: PairEmbedding,
        tokenizer: Tokenizer,
        *,
        max_tokens: int,
        device: torch.device | str = "cpu",
        batch_size: int = 64,
    ):
        self.objective, self.tokenizer, self.max_tokens = objective, tokenizer, max_tokens
        self.device, self.batch_size = torch.device(device), batch_size

    def embed_images(self, loader: StudyLoader) -> Features:
        """Embed every image of a loader of single images."""
        return compute_features(self.objective.embed_images, loader)

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Embed texts, each different one once.

        Returns:
            float32 `[Q, E]`.
        """
        different = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        rows = torch.from_numpy(self.tokenizer.encode(list(different), self.max_tokens)).long()
        parts = []
        for tokens in rows.split(self.batch_size):
            mask = tokens != self.tokenizer.pad_id
            longest = int(mask.sum(1).max())
            tokens, mask = tokens[:, :longest].to(self.device), mask[:, :longest].to(self.device)
            parts.append(self.objective.embed_texts(tokens, mask).float().cpu())
        return torch.cat(parts).numpy()[[different[text] for text in texts]]

    def embed_reports(self, reports: Sequence[Sequence[str]]) -> np.ndarray:
        """Embed reports, each as the mean over the embeddings of its texts (`lib.data.text_units`).

        The mean is scaled to the mean length of what it is of: with unit vectors it is one too, and a cosine
        with it stays a cosine.

        Args:
            reports: the texts of each, one or more.

        Returns:
            float32 `[Q, E]`.
        """
        texts = self.embed_texts(list(itertools.chain(*reports)))
        counts = np.array([len(report) for report in reports])
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        means = np.add.reduceat(texts, starts, axis=0) / counts[:, None]  # [Q, E]
        lengths = np.add.reduceat(np.linalg.norm(texts, axis=1), starts) / counts
        own = np.linalg.norm(means, axis=1)
        # Texts that cancel each other out say nothing: their mean stays zero.
        scale = np.divide(lengths, own, out=np.zeros_like(own), where=own > 0)
        return (means * scale[:, None]).astype(np.float32)

    @torch.no_grad()
    def similarity(self, texts: np.ndarray, images: np.ndarray) -> np.ndarray:
        """Return how well each text `[Q, E]` fits each image `[N, E]`, float64 `[Q, N]`, rounded."""
        values = self.objective.similarity(
            torch.from_numpy(texts).to(self.device), torch.from_numpy(images).to(self.device)
        )
        values = values.double().cpu().numpy()
        step = PRECISION * np.abs(values).max(initial=0.0)
        return np.round(values / step) * step if step > 0 else values
