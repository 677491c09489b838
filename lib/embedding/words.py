"""Words of reports that set a group of studies apart from the others.

Log odds with an informative prior (Monroe, Colaresi and Quinn, 2008), over reports: how often a word stands
in one report is a matter of style, whether it stands there is a matter of the picture.

Letters: `N` reports, `T` terms.
"""

import copy
import re
from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd

from lib.data.reports import split_sentences

LONGEST = 3
"""Words of a term at most; "no pleural effusion" is another term than "effusion"."""
RAREST = 3
"""Reports that a term must be in."""
PRIOR = 10.0
"""Reports that the prior is worth: so many of the whole set's kind are added to each side."""

_WORD = re.compile(r"[^\W_\d]+(?:[-'][^\W_\d]+)*")
_REMOVED = re.compile(r"X{2,}|_{2,}", re.IGNORECASE)
_EMPTY = frozenset(
    "a an and are as at be been both but by can could for from had has have in into is it its may of on or "
    "other over seen shows than that the there these this those to up was were which with within "
    "would".split()
)
"""Words that say nothing at the end of a term; "no" and "without" say much."""


class ReportTerms:
    """Which report has which term.

    Attributes:
        terms: T, one to three words each.
        has: sparse 0 or 1 `[N, T]`.
    """

    def __init__(self, texts: Sequence[str]):
        """Read reports; terms do not cross sentences or words that a publisher removed."""
        from scipy.sparse import csr_matrix

        number: dict[str, int] = {}
        rows, columns = [], []
        for row, text in enumerate(texts):
            found = {number.setdefault(term, len(number)) for term in _terms(text)}
            rows += [row] * len(found)
            columns += found
        shape = (len(texts), len(number))
        has = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
        common = np.flatnonzero(np.asarray(has.sum(axis=0)).ravel() >= RAREST)
        self.terms = np.array(list(number), dtype=object)[common]
        self.has = has[:, common]

    def of(self, chosen: np.ndarray) -> Self:
        """Return the terms of some of the reports.

        Args:
            chosen: bool `[N]`.
        """
        some = copy.copy(self)
        some.has = self.has[chosen]
        return some

    def apart(self, inside: np.ndarray) -> pd.DataFrame:
        """Compare the reports of a group with all others.

        Args:
            inside: bool `[N]`, at least one report on either side.

        Returns:
            Columns term, z (above 0: more frequent in the group), inside and outside (shares of the reports),
            num_inside; the most telling first. Of phrases that hold each other only the most telling one.

        Raises:
            ValueError: nobody is inside or outside.
        """
        inside = np.asarray(inside, bool)
        sizes = np.array([inside.sum(), (~inside).sum()], np.float64)
        if not sizes.all():
            raise ValueError(f"Words are compared between a group and the others; found {sizes.astype(int)}.")
        counts = np.stack([inside @ self.has, (~inside) @ self.has])  # [2, T]
        z = log_odds_z(counts, sizes)
        table = pd.DataFrame(
            {
                "term": self.terms,
                "z": z,
                "inside": counts[0] / sizes[0],
                "outside": counts[1] / sizes[1],
                "num_inside": counts[0].astype(np.int64),
            }
        )
        return _without_kin(table.iloc[np.argsort(-np.abs(z), kind="stable")].reset_index(drop=True))


def log_odds_z(counts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return how many standard errors the log odds of terms differ between two sets of reports.

    Args:
        counts: reports of each set that have the term `[2, T]`.
        sizes: reports of each set `[2]`.

    Returns:
        float64 `[T]`, above 0 where the first set has it more often.
    """
    share = counts.sum(axis=0) / sizes.sum()  # [T]
    z = np.zeros(len(share))
    told = (share > 0) & (share < 1)  # what all or none have tells nothing
    counts, share = counts[:, told], share[told]
    has = counts + PRIOR * share
    lacks = sizes[:, None] - counts + PRIOR * (1 - share)
    odds = np.log(has) - np.log(lacks)  # [2, T]
    z[told] = (odds[0] - odds[1]) / np.sqrt((1 / has + 1 / lacks).sum(axis=0))
    return z


def _terms(text: str) -> set[str]:
    """Return the terms of a report."""
    found = set()
    for sentence in split_sentences(text):
        for part in re.split(r"[,;:()]", _REMOVED.sub(",", sentence)):
            words = _WORD.findall(part.lower())
            for length in range(1, LONGEST + 1):
                for start in range(len(words) - length + 1):
                    term = words[start : start + length]
                    if term[0] not in _EMPTY and term[-1] not in _EMPTY and term[-1] != "no":
                        found.add(" ".join(term))
    return found


def _without_kin(table: pd.DataFrame, most: int = 200) -> pd.DataFrame:
    """Keep the first of terms of which one holds the other and that point the same way."""
    kept: list[int] = []
    chosen: list[tuple[str, bool]] = []
    for place, (term, z) in enumerate(zip(table["term"][:most], table["z"][:most], strict=True)):
        padded = f" {term} "
        if not any(up == (z > 0) and (padded in one or one in padded) for one, up in chosen):
            kept.append(place)
            chosen.append((padded, z > 0))
    return table.iloc[kept].reset_index(drop=True)
