"""ImageNet's vision transformers (Dosovitskiy et al. 2021) as the start of a radiograph transformer.

Letters: D width, C channels, S side of a patch, G places of a side.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from lib.models.conv_encoder import GREY_MEAN, GREY_STD
from lib.models.pretrained import LoadedWeights, load_renamed, read_weights
from lib.models.vit_files import Kind, lay_out

if TYPE_CHECKING:  # which loads its weights here
    from lib.models.radiograph_transformer import RadiographTransformer

NORM_EPS = 1e-6
"""Of the norms of both kinds."""


def load_imagenet_vit(encoder: "RadiographTransformer", path: Path) -> LoadedWeights:
    """Load an ImageNet ViT into a radiograph transformer of its sizes.

    The patch embedding is folded so that a grey picture, normalised as ours, gives what its three equal
    copies gave, normalised as ImageNet's. Positions are interpolated to another number of places. An encoder
    that concatenates positions begins by adding them, as ViT does: its projection is two identities. What
    else ViT does not have, the recurrent concatenation, stays as initialised.

    Args:
        encoder: takes the weights.
        path: a file of torchvision or of google-research.

    Raises:
        FileNotFoundError: no such file.
        ValueError: another kind of file, or weights of another architecture; names the first wrong entries.
    """
    found = read_weights(path)
    try:
        return _load(encoder, found, path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _load(encoder: "RadiographTransformer", found: dict[str, Tensor], path: Path) -> LoadedWeights:
    kind, state = lay_out(found, encoder.blocks[0].attention.num_heads)
    ignored = [name for name in state if name.startswith(kind.heads)]
    state = {name: value for name, value in state.items() if name not in ignored}
    adapted = _adapt(encoder, kind, state)
    names, own = kind.names(len(encoder.blocks)), encoder.state_dict()
    # What ViT does not have passes under its own name.
    initial = [name for name in own if name not in names]
    state |= {name: own[name] for name in initial}
    if encoder.is_concatenated:
        state |= _adding_positions(encoder.width)
        adapted |= dict.fromkeys(_adding_positions(0), "set so that positions are added at first, as in ViT")
    load_renamed(encoder, state, names | {name: (name,) for name in initial})
    return LoadedWeights.of(
        encoder,
        path,
        ignored=ignored,
        adapted=adapted,
        initial=[name for name in initial if name not in adapted],
        differences=_differences(encoder),
    )


def _adapt(encoder: "RadiographTransformer", kind: Kind, state: dict[str, Tensor]) -> dict[str, str]:
    """Change patch embedding and positions in place and say what was done; what is missing is told later."""
    adapted = {}
    patches, bias, positions = (state.get(name) for name in (kind.patches, kind.patch_bias, kind.positions))
    if bias is not None and patches.ndim == 4 and patches.shape[1] == 3:
        kernel, state[kind.patch_bias] = fold_colours(
            patches, bias, kind.mean, kind.std, encoder.in_channels == 1
        )
        state[kind.patches] = kernel.flatten(1)
        folded = f"for pictures of mean {GREY_MEAN} and deviation {GREY_STD}"
        if encoder.in_channels == 1:
            folded = f"summed over three colours, {folded}"
        adapted = dict.fromkeys(("patch_embedding.weight", "patch_embedding.bias"), folded)
    if positions is not None and positions.ndim == 3:
        state[kind.positions] = resize_positions(positions, encoder.grid_size)
        if positions.shape[1] != 1 + encoder.grid_size**2:
            old, new = math.isqrt(positions.shape[1] - 1), encoder.grid_size
            adapted["position_embedding"] = f"interpolated from {old} x {old} to {new} x {new} places"
    return adapted


def fold_colours(
    kernel: Tensor,
    bias: Tensor,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
    is_summed: bool,
) -> tuple[Tensor, Tensor]:
    """Change a patch embedding so that it takes pictures that are normalised as ours.

    Args:
        kernel: `[D, 3, S, S]`, for colours less `mean`, divided by `std`.
        bias: `[D]`.
        mean: of each colour, of pixels in 0..1.
        std: likewise.
        is_summed: for one grey channel in place of three equal ones.

    Returns:
        Kernel, `[D, 1, S, S]` where summed, and bias. (GREY_STD x + GREY_MEAN - mean) / std is linear in x.
    """
    means, stds = torch.tensor(mean, dtype=torch.float64), torch.tensor(std, dtype=torch.float64)
    shift = torch.einsum("dchw,c->d", kernel.double(), (GREY_MEAN - means) / stds)
    scaled = kernel.double() * (GREY_STD / stds)[:, None, None]
    if is_summed:
        scaled = scaled.sum(dim=1, keepdim=True)
    return scaled.to(kernel.dtype), (bias.double() + shift).to(bias.dtype)


def resize_positions(positions: Tensor, grid_size: int) -> Tensor:
    """Interpolate positions `[1, 1 + G * G, D]` to another number of places; the class token's stays.

    Raises:
        ValueError: they are of no square.
    """
    side = math.isqrt(max(positions.shape[1] - 1, 0))
    if side < 1 or side**2 != positions.shape[1] - 1:
        raise ValueError(f"{positions.shape[1]} positions are no class token and a square of patches.")
    if side == grid_size:
        return positions
    grid = positions[:, 1:].mT.unflatten(2, (side, side))  # [1, D, G, G]
    size = (grid_size, grid_size)
    grid = F.interpolate(grid, size, mode="bicubic", align_corners=False, antialias=True)
    return torch.cat([positions[:, :1], grid.flatten(2).mT], dim=1)


def _adding_positions(width: int) -> dict[str, Tensor]:
    """Return the projection of a concatenation that adds its halves."""
    return {
        "position_projection.weight": torch.eye(width).repeat(1, 2),
        "position_projection.bias": torch.zeros(width),
    }


def _differences(encoder: "RadiographTransformer") -> list[str]:
    preset = encoder.preset
    differences = []
    if preset.encoder_activation is not F.gelu:
        differences.append(f"activation {preset.encoder_activation.__name__} in place of gelu")
    if preset.encoder_norm_eps != NORM_EPS:
        differences.append(f"epsilon of the norms {preset.encoder_norm_eps} in place of {NORM_EPS}")
    return differences
