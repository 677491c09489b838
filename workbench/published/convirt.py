"""ConVIRT's tables of retrieval and of hyper-parameters as shares, to stand beside ours."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from workbench.published.printed import printed_table


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


def _shares(values: Sequence[float]) -> list[float]:
    """From per cent, without the last bits that a division leaves."""
    return [round(float(value) / 100, 3) for value in values]


_TABLE_2, _TABLE_3 = printed_table("convirt_table_2"), printed_table("convirt_table_3")
_KS = [column["k"] for column in _TABLE_2.columns[:3]]

CONVIRT_TABLE_2_SOURCE = _TABLE_2.source
CONVIRT_TABLE_2_CHANCE = _shares(_TABLE_2.values[0])[0]
CONVIRT_TABLE_2 = tuple(
    PublishedRetrieval(
        method=name.removesuffix(" (Ours)"),
        image_image=dict(zip(_KS, _shares(values[:3]), strict=True)),
        text_image={} if np.isnan(values[3:]).all() else dict(zip(_KS, _shares(values[3:]), strict=True)),
    )
    for name, values in zip(_TABLE_2.names, _TABLE_2.values, strict=True)
)

CONVIRT_TABLE_3_SOURCE = _TABLE_3.source
CONVIRT_TABLE_3 = tuple(
    PublishedSetting(
        setting=name,
        **dict(zip(("linear_auroc", "image_image", "text_image"), _shares(values), strict=True)),
    )
    for name, values in zip(_TABLE_3.names, _TABLE_3.values, strict=True)
)
