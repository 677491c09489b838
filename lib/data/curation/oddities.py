"""Pictures that do not look like the others of their kind: which kinds, which yardsticks, when they serve.

Letters: N pictures, T side of a thumbnail.
"""

import itertools

import numpy as np

from lib.data.curation.kinds import UNLIKE, WRONG_SIDE, looks_like_the_other_kind, unexplained
from lib.data.curation.orientation import WAYS, looks_turned

KINDS = {"frontal": ("PA", "AP", "FRONTAL"), "lateral": ("LATERAL",), "unknown": ("UNKNOWN",)}
"""Pictures are compared with others of their kind: kind -> view positions."""

ENOUGH = 100
"""Pictures of a kind that are needed to know how it looks."""

MOST = 0.05
"""Share of a kind. Where more would be flagged the yardstick is wrong and not the pictures: the hands and
shoulders of MURA have no common look. Of the NIH subset 2.8 % are turned."""

FOLDS = 5
TURNS = {1: "a quarter, against the clock", 2: "a half", 3: "a quarter, with the clock"}

Odd = tuple[int, str, float, int, str]
"""View row, flag, score, -1 (no twin), detail."""


def find_odd_ones(
    study: np.ndarray, kind: np.ndarray, thumbnails: np.ndarray, ovals: np.ndarray
) -> tuple[list[Odd], list[str]]:
    """Flag pictures, each for the first reason: oval in air, turned or inverted, misfiled, unlike the others.

    Args:
        study: row of the study of each picture, `[N]`.
        kind: index into `KINDS`, `[N]`.
        thumbnails: uint8 `[N, T, T]`.
        ovals: how well each fits a slice of a CT, 0 where not, `[N]`.

    Returns:
        The flags, and what could not be looked for, in sentences.
    """
    folds = study % FOLDS
    members = {name: np.flatnonzero(kind == code) for code, name in enumerate(KINDS)}
    unseen = []
    if few := [f"{len(rows)} {name}" for name, rows in members.items() if 0 < len(rows) < ENOUGH]:
        unseen.append(
            f"Turned, inverted and unlike pictures among the {', '.join(few)} ones: below {ENOUGH} "
            "there is no telling how they usually look."
        )
    members = {name: rows for name, rows in members.items() if len(rows) >= ENOUGH}
    looks = [
        (f"turned or inverted {name}", rows, _turned(rows, thumbnails, folds, lateral=name == "lateral"))
        for name, rows in members.items()
    ]
    if "frontal" in members and "lateral" in members:
        both = np.union1d(members["frontal"], members["lateral"])
        is_frontal = np.isin(both, members["frontal"])
        looks.append(("misfiled", both, _misfiled(both, is_frontal, thumbnails, folds)))
    else:
        unseen.append(f"Wrong view positions: that takes {ENOUGH} frontal and {ENOUGH} lateral pictures.")
    looks += [
        (f"unlike {name}", rows, _unlike(name, rows, thumbnails, folds)) for name, rows in members.items()
    ]
    found = {row: [odd] for odd in _slices(ovals) for row in odd[:1]}
    for what, rows, odd_ones in looks:
        flagged = {row for row, *_ in odd_ones}
        if len(flagged) > MOST * len(rows):
            unseen.append(
                f"{what.capitalize()} pictures: {len(flagged)} of {len(rows)} would be; "
                "they have no common look."
            )
            continue
        fresh = flagged - found.keys()
        for odd in odd_ones:
            if odd[0] in fresh:
                found.setdefault(odd[0], []).append(odd)
    return list(itertools.chain(*found.values())), unseen


def _slices(ovals: np.ndarray) -> list[Odd]:
    detail = "an oval body in air, like a slice of a CT"
    return [
        (row, "not_a_radiograph", float(ovals[row]), -1, detail) for row in np.flatnonzero(ovals).tolist()
    ]


def _turned(rows: np.ndarray, thumbnails: np.ndarray, folds: np.ndarray, *, lateral: bool) -> list[Odd]:
    way, margin = looks_turned(thumbnails[rows], folds[rows], lateral=lateral)
    found = []
    for place in np.flatnonzero(way):
        row, (quarters, sign), score = int(rows[place]), WAYS[way[place]], float(margin[place])
        if quarters:
            found.append((row, "rotated", score, -1, TURNS[quarters]))
        if sign < 0:
            found.append((row, "inverted", score, -1, ""))
    return found


def _misfiled(
    rows: np.ndarray, is_frontal: np.ndarray, thumbnails: np.ndarray, folds: np.ndarray
) -> list[Odd]:
    side = looks_like_the_other_kind(thumbnails[rows], is_frontal, folds[rows])
    found = []
    for place in np.flatnonzero(side >= WRONG_SIDE):
        looks, filed = ("lateral", "frontal") if is_frontal[place] else ("frontal", "lateral")
        detail = f"looks {looks}, filed as {filed}"
        found.append((int(rows[place]), "view_position", float(side[place]), -1, detail))
    return found


def _unlike(name: str, rows: np.ndarray, thumbnails: np.ndarray, folds: np.ndarray) -> list[Odd]:
    left = unexplained(thumbnails[rows], folds[rows])
    detail = f"unlike the other {name} ones"
    return [
        (int(rows[place]), "not_a_radiograph", float(left[place]), -1, detail)
        for place in np.flatnonzero(left >= UNLIKE)
    ]
