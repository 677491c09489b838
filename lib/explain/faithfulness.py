"""Does a map show what the classifier uses? Deletion and insertion curves (Petsiuk et al. 2018, RISE).

Deletion blurs the places of a picture from the highest value of its map to the lowest: the probability should
fall at once. Insertion sharpens a blurred picture in the same order: it should rise at once.

Letters: N images, C channels, H and W their sides, r and c rows and columns of a map, T steps.
"""

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from lib.data.blur import blur_radius, gaussian_blur

BLUR = 0.1
"""Deviation of the blur that takes a place away, as a share of the image's side. A grey patch would bring in
edges that no radiograph has."""


@dataclasses.dataclass(frozen=True)
class FaithfulnessCurves:
    """Probabilities while more and more of a picture is taken away, or given back.

    Attributes:
        deletion: float32 `[N, T + 1]`, from the whole picture to the blurred one.
        insertion: float32 `[N, T + 1]`, from the blurred picture to the whole one.
    """

    deletion: Tensor
    insertion: Tensor

    def areas(self) -> tuple[Tensor, Tensor]:
        """Return the areas under both curves, `[N]` each: deletion (small is good), insertion (large)."""
        return tuple(
            torch.trapezoid(curve, dx=1 / (curve.shape[1] - 1)) for curve in (self.deletion, self.insertion)
        )


@torch.no_grad()
def faithfulness_curves(
    probability: Callable[[Tensor], Tensor],
    images: Tensor,
    maps: Tensor,
    *,
    steps: int = 10,
    generator: torch.Generator,
) -> FaithfulnessCurves:
    """Take places away in the order of a map, and give them back.

    Args:
        probability: of the explained output for each of the images, `[N, C, H, W]` to `[N]`.
        images: `[N, C, H, W]`.
        maps: their maps, `[N, r, c]`; places of equal value are ordered at random.
        steps: of equal shares of the places.
        generator: on the CPU, for that order.
    """
    sides = images.shape[-2:]
    deviation = BLUR * max(sides)
    flat = images.flatten(0, 1)[:, None]  # [N C, 1, H, W]
    deviations = torch.full((len(flat),), deviation, device=images.device)
    blurred = gaussian_blur(flat, deviations, blur_radius(deviation)).view_as(images)
    rank = _ranks(maps, generator).to(images.device)  # [N, r, c], 0 for the highest value
    deletion, insertion = [], []
    for step in range(steps + 1):
        is_reached = rank < round(step / steps * rank[0].numel())
        cells = functional.interpolate(is_reached[:, None].float(), sides, mode="nearest-exact")
        deletion.append(probability(torch.where(cells > 0, blurred, images)))
        insertion.append(probability(torch.where(cells > 0, images, blurred)))
    return FaithfulnessCurves(*(torch.stack(curve, dim=1).float().cpu() for curve in (deletion, insertion)))


def shuffle_places(maps: Tensor, generator: torch.Generator) -> Tensor:
    """Return each map with its places in random order: what a map that knows nothing looks like."""
    flat = maps.flatten(1)
    order = torch.rand(flat.shape, generator=generator).argsort(dim=1)
    return flat.gather(1, order.to(maps.device)).view_as(maps)


def _ranks(maps: Tensor, generator: torch.Generator) -> Tensor:
    """Return how many places have a higher value: int64 [N, r, c]; of equal ones a random one is first."""
    flat = maps.flatten(1).cpu()
    shuffled = torch.rand(flat.shape, generator=generator).argsort(dim=1)
    order = shuffled.gather(1, flat.gather(1, shuffled).argsort(dim=1, descending=True, stable=True))
    return order.argsort(dim=1).view(maps.shape)
