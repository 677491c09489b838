"""In which order cases are looked at: the best first, the worst, those about which there is no agreement."""

from collections.abc import Callable, Sequence

import numpy as np

ORDERS = {
    "best": "best first",
    "worst": "worst first",
    "models disagree": "where the models disagree",
    "readers disagree": "where the readers disagree",
    "largest": "largest finding first",
    "smallest": "smallest finding first",
    "sure": "surest model first",
    "stored": "as they are stored",
}
"""Name -> what a menu shows."""


def in_order(
    order: str,
    ious: Sequence[np.ndarray],
    *,
    agreement: Callable[[], np.ndarray],
    area: np.ndarray,
    probability: np.ndarray,
) -> np.ndarray:
    """Sort cases; those without the number that it goes by come last, equal ones as they were.

    Args:
        order: one of `ORDERS`.
        ious: of each model, `[N]`.
        agreement: returns the mean IoU of the readers, `[N]`; asked for only where it is needed.
        area: share of the picture that the boxes cover, `[N]`.
        probability: of the first model, `[N]`.

    Returns:
        Places `[N]`.

    Raises:
        ValueError: no such order, or one that needs two models.
    """
    if order not in ORDERS:
        raise ValueError(f"There is no order {order!r}; there are {', '.join(ORDERS)}.")
    if order == "models disagree" and len(ious) < 2:
        raise ValueError("One model cannot disagree; open two runs.")
    by = {
        "best": lambda: -ious[0],
        "worst": lambda: ious[0],
        "models disagree": lambda: -np.abs(ious[0] - ious[1]),
        "readers disagree": agreement,
        "largest": lambda: -area,
        "smallest": lambda: area,
        "sure": lambda: -probability,
        "stored": lambda: np.zeros(len(area)),
    }[order]()
    return np.argsort(by, kind="stable")  # NaN is last
