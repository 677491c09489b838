"""Numbers that papers print, to stand beside ours."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, kw_only=True)
class PublishedRetrieval:
    """One row of a table of retrieval; precisions between 0 and 1.

    Attributes:
        method: as the paper calls it.
        image_image: k -> precision@k.
        text_image: k -> precision@k; empty where the paper has none.
    """

    method: str
    image_image: Mapping[int, float]
    text_image: Mapping[int, float]


CONVIRT_TABLE_2_SOURCE = "Zhang et al. 2020 (ConVIRT), Table 2: CheXpert 8x200, MIMIC-CXR, ResNet-50"
CONVIRT_TABLE_2_CHANCE = 0.125
_KS = (5, 10, 50)
_TABLE_2 = (
    ("Random", (12.5, 12.5, 12.5), (12.5, 12.5, 12.5)),
    ("ImageNet", (14.8, 14.4, 15.0), ()),
    ("Caption-Transformer", (29.8, 28.0, 23.0), ()),
    ("Caption-LSTM", (34.8, 32.9, 28.1), ()),
    ("Contrastive-Binary", (38.8, 36.6, 29.7), (15.5, 14.5, 13.7)),
    ("ConVIRT", (45.0, 42.9, 35.7), (60.0, 57.5, 48.8)),
    ("ConVIRT + CheXpert Supervised", (56.8, 56.3, 48.9), ()),
)
"""Method, image-image and text-image precision@5, @10, @50 in per cent, as printed. The paper's text names
k = 5, 10, 100; the table has 50."""

CONVIRT_TABLE_2 = tuple(
    PublishedRetrieval(
        method=method,
        image_image={k: round(value / 100, 3) for k, value in zip(_KS, images, strict=True)},
        text_image={k: round(value / 100, 3) for k, value in zip(_KS, texts, strict=bool(texts))},
    )
    for method, images, texts in _TABLE_2
)
