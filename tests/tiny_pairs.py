"""A pair objective without training: it reads the labels of `tiny_studies` off pictures and off sentences."""

from itertools import chain

import numpy as np
import torch
from tiny_studies import LABELS, TinyStudies
from torch import nn

from lib.data.augment import denormalize
from lib.data.ingest import ingest
from lib.data.loader import StudyLoader
from lib.data.prompts import Prompts, read_prompts
from lib.data.reports import report_sentences
from lib.data.store import Store
from lib.data.tokenizer import ReportTokenizer
from lib.models.encoder import EncoderOutput
from lib.protocols.pair_encoder import PairEncoder

WORDS = {
    **{"opacity": (0, 1), "clear": (0, -1)},
    **{"place": (1, 1), "seen": (1, -1)},
    **{"rare": (2, 1), "common": (2, -1)},
}
"""Word -> the label that it speaks of, and whether for or against."""

PROMPTS = """
opacity:
  plain: {positive: [There is an opacity on the left.], negative: [The lungs are clear.]}
  short: {positive: [Opacity.], negative: [Clear.]}
device:
  plain: {positive: [A device is in place.], negative: [No device is seen.]}
rare:
  short: {positive: [Rare finding.], negative: [Common.]}
"""
SIZE = 32


class LabelEyes(nn.Module):
    """An image encoder: 1 for each label whose patch is bright, -1 for each other, in its own scale."""

    def forward(self, images: torch.Tensor) -> EncoderOutput:
        pixels = denormalize(images)[:, 0]  # [N, 32, 32]
        corners = [(4, 4), (4, 20), (20, 4)]
        places = [pixels[:, row : row + 5, column : column + 5] for row, column in corners]
        bright = torch.stack([place.mean((1, 2)) for place in places], dim=1) > 0.4
        values = bright.float() * 2 - 1
        return EncoderOutput(values[:, None], values)


class LabelPairs(nn.Module):
    """The objective: embeddings are the labels, and similarity is their scalar product."""

    def __init__(self, tokenizer: ReportTokenizer):
        super().__init__()
        self.encoder = LabelEyes()
        self.words = nn.Embedding(len(tokenizer), 3)
        self.words.weight.data.zero_()
        for word, (label, sign) in WORDS.items():
            self.words.weight.data[int(tokenizer.encode([word], 3)[0, 1]), label] = sign

    def embed_images(self, images: torch.Tensor) -> torch.Tensor:
        return self.encoder(images).pooled

    def embed_texts(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return (self.words(tokens) * mask[..., None]).sum(1)

    def similarity(self, texts: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        return texts @ images.T


def make_store(folder) -> Store:
    """Return a store of 300 studies, many of them with the same labels and so with the same report."""
    return ingest(TinyStudies(300), folder, image_size=36, workers=0, progress=False)


def make_pairs(store: Store) -> PairEncoder:
    """Return the objective with a tokenizer that has its words."""
    words = [" ".join(WORDS)] * 2  # pieces must occur twice to be whole words
    tokenizer = ReportTokenizer.train([*store.texts, *words * 100], 400)
    return PairEncoder(LabelPairs(tokenizer).eval(), tokenizer, max_tokens=24, batch_size=8)


def read_tiny_prompts(folder) -> Prompts:
    """Return prompts in two styles; not every finding has both."""
    (folder / "prompts.yaml").write_text(PROMPTS)
    return read_prompts(folder / "prompts.yaml", known=LABELS)


def frontal_loader(store: Store, rows: np.ndarray) -> StudyLoader:
    """Return a loader of the frontal images of some studies."""
    return StudyLoader(
        store, rows, batch_size=32, num_views=1, image_size=SIZE, unit="image", positions=("PA",)
    )


def sentences_of(store: Store, rows: np.ndarray) -> list[list[str]]:
    """Return the sentences of each report."""
    studies = store.studies.iloc[rows]
    return [report_sentences(*pair) for pair in zip(studies["findings"], studies["impression"], strict=True)]


def all_sentences(store: Store) -> set[str]:
    """Return every sentence of the store."""
    return set(chain(*sentences_of(store, np.arange(len(store)))))
