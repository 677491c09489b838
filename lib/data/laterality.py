"""Left and right exchanged in a report, for the mirror image of its radiographs."""

import re

TWINS = {"left": "right", "rul": "lul", "rml": "lml", "rll": "lll", "rt": "lt", "dextro": "levo"}
"""Each word and its mirror twin. There is no left middle lobe, but the mirror image shows one, just as
`right middle lobe` becomes `left middle lobe`; the lingula has no right twin and stays."""
TWINS |= {twin: word for word, twin in TWINS.items()}

_SIDE = re.compile(
    r"""
    \b(?:left|right)(?=(?:wards?|most)?\b)                # left, left-sided, leftward, left-to-right
    | \b(?:r[um]l|l[um]l|rll|lll)\b                       # lobes
    | (?<!&)\b(?-i:[RrLl]t)\b                             # Rt, Lt; not RT (radiotherapy), not the entity &lt;
    | \b(?:dextro|levo)(?=(?:roto)?(?:scoli|curv|convex|posi|rotat)|-|\b)   # dextroscoliosis, levocurvature
    """,
    re.IGNORECASE | re.VERBOSE,
)


def swap_laterality(text: str) -> str:
    """Exchange left and right: whole words in every case form, compounds, lobe abbreviations.

    `bright`, `cleft`, `leftover` and `levofloxacin` are no sides and stay. Meaning is not read: `right` for
    correct and `left` for departed are swapped too, and single letters (`L1`, `R > L`) are left alone because
    they are more often vertebrae. Swapping twice gives the text back.
    """
    return _SIDE.sub(_mirror, text)


def _mirror(match: re.Match) -> str:
    word = match[0]
    twin = _with_case_of(TWINS[word.lower()], word)
    # Only "rIGHt" and the like have no way back; they stay, so that two swaps are none.
    return twin if _with_case_of(word.lower(), twin) == word else word


def _with_case_of(text: str, model: str) -> str:
    """Give each letter the case of the letter at its place in `model`; its last letter serves the rest."""
    return "".join(
        letter.upper() if model[min(place, len(model) - 1)].isupper() else letter
        for place, letter in enumerate(text)
    )
