"""The lead letter that tells left from right on frontal views."""

import numpy as np

from lib.data.phantom.draw import Draw

LETTERS = {
    "L": ("#....", "#....", "#....", "#....", "#....", "#....", "#####"),
    "R": ("####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#"),
}
"""Strokes on a grid of 7 rows and 5 columns."""


def burn_marker(picture: np.ndarray, position: str, style: str, draw: Draw) -> None:
    """Put the side marker into a corner of a frontal view; L is on the right side of the picture.

    Args:
        picture: uint8 [S, S]; changed in place.
        position: of the view; lateral views get none.
        style: "letter" (bright letter) or "boxed" (dark letter on a bright plate).
        draw: the view's stream.
    """
    letter, across, down = draw.pick(("L", "L", "R")), draw.uniform(0.03, 0.10), draw.uniform(0.03, 0.12)
    if position == "LATERAL":
        return
    size = picture.shape[0]
    dot = max(1, round(size / 128))
    strokes = np.array([[stroke == "#" for stroke in row] for row in LETTERS[letter]])
    if style == "boxed":
        strokes = ~np.pad(strokes, 1)
    stamp = np.kron(strokes, np.ones((dot, dot), bool))
    height, width = stamp.shape
    row = round(down * size)
    column = size - width - round(across * size) if letter == "L" else round(across * size)
    picture[row : row + height, column : column + width][stamp] = 235
