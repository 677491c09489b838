"""AUROC of weighted patients for many weightings at once: sorted once, then sums.

Letters: `N` cases, `M` patients, `R` weightings, `U` distinct probabilities of positives.
"""

import numpy as np
from scipy import sparse


class SortedLabel:
    """One label of one method, sorted once, so that a weighting costs one sparse product.

    The positives' distinct probabilities cut the line into bins: bin `2 i + 1` holds the negatives equal
    to the i-th of them, bin `2 i` those between it and its lower neighbour.

    Args:
        labels: 1, 0 or NaN (case left out) `[N]`.
        probabilities: `[N]`.
        patient: place of each case's patient in the weightings `[N]`.
        num_patients: M.
    """

    def __init__(self, labels: np.ndarray, probabilities: np.ndarray, patient: np.ndarray, num_patients: int):
        assert len(labels) < 2**22, "sums of counts must be exact in float32"
        positive, negative = labels == 1, labels == 0
        cuts = np.unique(probabilities[positive])  # [U]
        places = np.searchsorted(cuts, probabilities[positive])
        # Left and right insertion place differ by one on a cut and are equal between two.
        bins = np.searchsorted(cuts, probabilities[negative], "left")
        bins = bins + np.searchsorted(cuts, probabilities[negative], "right")
        self._positives = _count(places, patient[positive], (len(cuts), num_patients))
        self._negatives = _count(bins, patient[negative], (2 * len(cuts) + 1, num_patients))

    def auroc(self, counts: np.ndarray) -> np.ndarray:
        """Compute the AUROC with patient m counted `counts[m, r]` times; ties count one half.

        Args:
            counts: float32 `[M, R]`.

        Returns:
            float64 `[R]`, NaN where one class is missing.
        """
        positives = self._positives @ counts  # [U, R]
        up_to = self._negatives @ counts  # [2 U + 1, R]
        np.cumsum(up_to, axis=0, out=up_to)
        # The mean of both sums counts the negatives below, and half of those that are equal.
        below, with_equals = up_to[0:-1:2], up_to[1::2]
        wins = np.einsum("ur,ur->r", positives, below, dtype=np.float64)
        wins = (wins + np.einsum("ur,ur->r", positives, with_equals, dtype=np.float64)) / 2
        pairs = positives.sum(0, dtype=np.float64) * up_to[-1]
        return np.divide(wins, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def _count(places: np.ndarray, patients: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """How many cases each patient has in each place `[U or 2 U + 1, M]`."""
    return sparse.csr_array((np.ones(len(places), np.float32), (places, patients)), shape=shape)
