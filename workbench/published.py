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


@dataclasses.dataclass(frozen=True, kw_only=True)
class PublishedSetting:
    """One row of a table of hyper-parameters; all values between 0 and 1.

    Attributes:
        setting: what differs from the default, as the paper writes it (tau, bs: temperature, batch size).
        linear_auroc: of a linear classifier on 1 % of RSNA's labels.
        image_image: precision@10.
        text_image: precision@10.
    """

    setting: str
    linear_auroc: float
    image_image: float
    text_image: float


CONVIRT_TABLE_3_SOURCE = (
    "Zhang et al. 2020 (ConVIRT), Table 3: linear classification on 1 % of RSNA, retrieval on CheXpert 8x200"
)
_TABLE_3 = (
    ("ConVIRT (default)", 90.7, 42.9, 57.5),
    ("tau = 0.01", 90.7, 40.5, 21.0),
    ("tau = 1", 89.6, 25.0, 31.0),
    ("bs = 16", 90.3, 40.0, 55.8),
    ("bs = 128", 90.3, 39.3, 50.3),
    ("linear proj.", 90.6, 40.8, 55.8),
)
CONVIRT_TABLE_3 = tuple(
    PublishedSetting(
        setting=setting,
        linear_auroc=round(linear / 100, 3),
        image_image=round(images / 100, 3),
        text_image=round(texts / 100, 3),
    )
    for setting, linear, images, texts in _TABLE_3
)
