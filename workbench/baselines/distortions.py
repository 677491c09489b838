"""What the distortions of restoring objectives did to each picture, in words and boxes."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import torch

from lib.data.distortions.flips import draw_flips
from lib.data.distortions.patch_swap import draw_swaps
from lib.objectives.context_restoration import ContextRestoration
from lib.objectives.model_genesis import ModelGenesis
from lib.objectives.transvw import BENT, IN_PAINTED, OUT_PAINTED, SHUFFLED, TransVW, draw_kinds
from workbench.baselines.shown import Box

KINDS = {
    SHUFFLED: "shuffled",
    BENT: "greys bent",
    IN_PAINTED: "noise in boxes",
    OUT_PAINTED: "noise around boxes",
}
"""Of TransVW's distortions -> words."""


@dataclasses.dataclass(frozen=True)
class Met:
    """What one picture met.

    Attributes:
        target: words for what is to be restored, "" where that is the picture itself.
        seen: words for what the encoder sees.
        boxes: what changed places.
    """

    target: str
    seen: str
    boxes: list[Box]


def swaps_of(objective: ContextRestoration, num_pictures: int, seed: int) -> list[Met]:
    """Return which patches of each picture change places; arguments as in `met`."""
    config = objective.config
    sides = (objective.encoder.image_size,) * 2
    drawn = draw_swaps(num_pictures, sides, config.patch_size, config.num_swaps, seeded(seed))
    corners = torch.stack([drawn.first, drawn.second], dim=2).tolist()  # [N, T, 2, 2]
    size = (config.patch_size, config.patch_size)
    boxes = [
        [Box(*corner, *size, pair) for pair, both in enumerate(swaps) for corner in both] for swaps in corners
    ]
    words = f"{config.num_swaps} swaps of {config.patch_size} px"
    return [Met("", words, own) for own in boxes]


def distortions_of(objective: ModelGenesis, num_pictures: int, seed: int) -> list[Met]:
    """Return which of its distortions each picture meets; arguments as in `met`."""
    config, generator = objective.config, seeded(seed)
    flips = draw_flips(num_pictures, config.flip_probability, config.max_flips, generator)
    drawn = objective.draw(num_pictures, (objective.encoder.image_size,) * 2, generator)
    is_falling = iter(drawn.curves.is_falling.tolist())  # of those that are bent, one after the other
    num_boxes = (drawn.boxes.width > 0).sum(1).tolist()
    found = []
    for row, (upside_down, mirrored) in enumerate(flips.tolist()):
        words = []
        if drawn.is_shuffled[row]:
            words.append("shuffled")
        if drawn.is_bent[row]:
            words.append("greys reversed" if next(is_falling) else "greys bent")
        if num_boxes[row]:
            where = "around" if drawn.boxes.is_kept[row] else "in"
            words.append(f"noise {where} {num_boxes[row]} box{'es' * (num_boxes[row] > 1)}")
        turned = ["upside down"] * upside_down + ["mirrored"] * mirrored
        found.append(Met(", ".join(turned), ", ".join(words) or "as it is", []))
    return found


def kinds_of(objective: TransVW, num_pictures: int, seed: int) -> list[Met]:
    """Return what happens to each crop besides the elastic deformation; arguments as in `met`."""
    return [
        Met("", f"deformed, {KINDS[kind]}", []) for kind in draw_kinds(num_pictures, seeded(seed)).tolist()
    ]


MET: Mapping[str, Callable[[Any, int, int], list[Met]]] = {
    "context_restoration": swaps_of,
    "model_genesis": distortions_of,
    "transvw": kinds_of,
}
"""Objective -> what its distortions do."""


def met(objective: Any, name: str, num_pictures: int, seed: int) -> list[Met]:
    """Return what the pictures of a batch meet when they are distorted with a seed.

    Args:
        objective: one that restores.
        name: of the objective, as in `lib.objectives.OBJECTIVES`.
        num_pictures: of the batch; other numbers of pictures meet other things.
        seed: of the generator that `Restoration.distort` gets.
    """
    return MET[name](objective, num_pictures, seed)


def seeded(seed: int) -> torch.Generator:
    """Return a generator on the CPU."""
    return torch.Generator().manual_seed(seed)
