"""The attention of a reading as it is shown: which layer and head, weighed or compared how, in which unit.

Letters: T tokens, V views. The unit is the even share: 1 is what each place of all views would get if the
attention were the same everywhere.
"""

import numpy as np

from workbench.study_reading.report_reader import END, StudyReading

ATTENTION, PASSED, APART = "attention", "passed", "apart"
MODES = {
    ATTENTION: "attention",
    PASSED: "attention x view weight",
    APART: "what sets the word apart",
}
"""Kinds of maps and what menus call them: the weights themselves; times what view fusion leaves of a place,
brought back to a sum of one; what a word has more of than the mean of the report."""

DESCRIPTIONS = {
    ATTENTION: "cross-attention before the word is written",
    PASSED: "cross-attention times what view fusion leaves of each view",
    APART: "cross-attention beyond the mean of all words of the report",
}

_NO_SPACE_BEFORE = frozenset(".,;:!?%)]'/-")
_NO_SPACE_BEHIND = frozenset("([/-")


MEAN = -1
"""As a head: the mean over all."""


def shown_maps(reading: StudyReading, mode: str, layer: int, head: int) -> np.ndarray:
    """Return the map of each token, float32 `[T, V, rows, columns]` in even shares, not negative.

    Args:
        reading: a report.
        mode: one of `MODES`.
        layer: of what writes.
        head: of the layer, or `MEAN`.
    """
    maps = (reading.passed if mode == PASSED else reading.maps)[:, layer]  # [T, heads, V, rows, columns]
    maps = maps.mean(axis=1) if head == MEAN else maps[:, head]
    if mode == PASSED:  # gates may all be zero; then nothing is read
        sums = maps.sum(axis=(1, 2, 3), keepdims=True)
        maps = np.divide(maps, sums, out=np.zeros_like(maps), where=sums > 0)
    if mode == APART:
        maps = (maps - maps.mean(axis=0)).clip(min=0)
    return maps * maps[0].size


def view_shares(reading: StudyReading, mode: str, layer: int, head: int) -> np.ndarray:
    """Return how much of a token's attention each view has, `[T, V]`; mode `ATTENTION` or `PASSED`."""
    maps = shown_maps(reading, mode, layer, head)
    return maps.mean(axis=(2, 3)) / maps.shape[1]


def is_word(piece: str) -> bool:
    """Say whether a token says something by itself: no punctuation, no figure, no "the", no end."""
    return piece != END and len(piece) > 3 and piece.isalpha()


def written(pieces: list[str]) -> list[tuple[str, bool]]:
    """Return the text of each token, and whether it follows the one before without a space."""
    shown, before = [], "("
    for piece in pieces:
        inner = piece.startswith("##")
        text = piece.removeprefix("##")
        glued = inner or text in _NO_SPACE_BEFORE or before in _NO_SPACE_BEHIND
        # A full stop between two figures is a decimal point.
        glued |= before == "." and text.isdigit() and len(shown) > 1 and shown[-2][0].isdigit()
        shown.append((text, glued))
        before = text
    return shown
