"""From path lengths to a finished picture: Beer-Lambert, scatter, noise, display."""

import functools

import numpy as np

from lib.data.phantom.picture.marker import burn_marker
from lib.data.phantom.visit import Visit

ATTENUATION = 0.17
"""Of water, per cm, effective over the spectrum of a chest exposure."""
SCATTER_CAP = 0.12
"""Beam behind the lungs; the open beam beside the patient makes no more scatter than that."""
COARSE = 32
"""Side of the grid on which scatter is worked out."""
STRIDE = 4
"""Every so many pixels are enough for scatter and for the window."""
USUAL_WINDOW = {"FRONTAL": (1.1, 2.7), "LATERAL": (2.3, 4.7)}
"""Density of the dark end of the lungs and of the dense end of the body; the window goes half way from
there to the patient."""
STEPS = 1024
"""Entries of the display curve."""
DARKEST, BRIGHTEST = -1.6, 1.4
"""Range of the display curve; 0 is the dark end of the lungs, 1 the dense end of the body."""


def expose(thickness: np.ndarray, air: np.ndarray, visit: Visit, view_index: int) -> np.ndarray:
    """Turn cm of water into a picture.

    Args:
        thickness: cm of water along each ray, float32 [S, S].
        air: by how many of them the air in the lungs lowers it, float32 [S, S]; it shows where they are.
        visit: for the hospital's technique.
        view_index: of the view in the study.

    Returns:
        uint8 [S, S], dense parts bright.
    """
    domain, size = visit.domain, thickness.shape[0]
    draw = visit.stream(f"technique {view_index}")
    down, up = blur_matrix(size, COARSE, 0.06), spread_matrix(size, COARSE)
    beam = np.maximum(thickness, 0.0)
    beam *= np.float32(-ATTENUATION)
    np.exp(beam, out=beam)
    scatter = down @ np.minimum(beam[::STRIDE, ::STRIDE], SCATTER_CAP) @ down.T  # [COARSE, COARSE]
    signal = up @ (scatter * np.float32(domain.scatter * draw.uniform(0.85, 1.15))) @ up.T
    signal += beam
    grain = _bell_noise(draw.arrays(), size)
    grain *= np.sqrt(signal, out=beam)
    grain *= domain.noise * draw.uniform(0.8, 1.2)
    signal += grain
    density = np.log(np.maximum(signal, 1e-3, out=signal), out=signal)
    density *= -1.25
    crisp = density - soften(density)
    crisp *= 0.9
    density += crisp
    density -= up @ (0.19 * (down @ density[::STRIDE, ::STRIDE] @ down.T)) @ up.T
    sparse = density[::STRIDE, ::STRIDE]
    sparse_air = air[::STRIDE, ::STRIDE]
    lungs = sparse[sparse_air < 0.4 * sparse_air.min()]
    body = sparse[thickness[::STRIDE, ::STRIDE] > 6.0]
    usual = USUAL_WINDOW["LATERAL" if visit.views[view_index].position == "LATERAL" else "FRONTAL"]
    low = 0.5 * (np.quantile(lungs, 0.04) + usual[0])
    high = 0.5 * (np.quantile(body, 0.96) + usual[1])
    curve = _display_curve(domain.contrast * draw.uniform(0.9, 1.1), domain.gamma * draw.uniform(0.9, 1.1))
    density -= low
    density *= 1.0 / (high - low)
    density -= DARKEST
    density *= STEPS / (BRIGHTEST - DARKEST)
    picture = np.take(curve, density.astype(np.intp), mode="clip")
    burn_marker(picture, visit.views[view_index].position, domain.marker, draw)
    return picture


def _bell_noise(noise: np.random.Generator, size: int) -> np.ndarray:
    """Return the sum of three bytes a pixel, scaled to mean 0 and variance 1, float32 [size, size]."""
    draws = np.frombuffer(noise.bytes(3 * size * size), np.uint8).reshape(3, size, size)
    grain = draws.sum(0, dtype=np.float32)
    grain -= 3 * 127.5
    grain *= 1.0 / (3 * (256**2 - 1) / 12) ** 0.5
    return grain


def _display_curve(contrast: float, gamma: float) -> np.ndarray:
    """Return grey values over [`DARKEST`, `BRIGHTEST`], uint8 [STEPS]: a long toe, then a slow shoulder."""
    x = np.linspace(DARKEST, BRIGHTEST, STEPS)
    foot = 0.17
    toe = foot * np.exp(2.4 * np.minimum(x, 0.0))
    bend = 0.9 * contrast
    shoulder = (0.95 - foot) * (1.0 - np.exp(-bend * np.maximum(x, 0.0))) / (1.0 - np.exp(-bend))
    return (255.0 * np.clip(toe + shoulder, 0.0, 1.0) ** gamma).astype(np.uint8)


def soften(image: np.ndarray) -> np.ndarray:
    """Return the picture blurred with the weights 1/4, 1/2, 1/4 along both axes; the rim stays as it is."""
    image = image.copy()
    image[1:-1] = 0.25 * (image[:-2] + image[2:]) + 0.5 * image[1:-1]
    image[:, 1:-1] = 0.25 * (image[:, :-2] + image[:, 2:]) + 0.5 * image[:, 1:-1]
    return image


@functools.lru_cache(maxsize=64)
def spread_matrix(size: int, nodes: int) -> np.ndarray:
    """Return the linear interpolation from `nodes` even samples to `size` pixels, float32 [size, nodes]."""
    at = np.clip((np.arange(size) + 0.5) * nodes / size - 0.5, 0, nodes - 1)
    return np.maximum(0.0, 1.0 - np.abs(at[:, None] - np.arange(nodes))).astype(np.float32)


@functools.lru_cache(maxsize=64)
def blur_matrix(size: int, nodes: int, sigma: float) -> np.ndarray:
    """Return the Gaussian average of every `STRIDE`th pixel around `nodes` places, float32 [nodes, pixels].

    Args:
        size: pixels of a side.
        nodes: places along it.
        sigma: as a share of the side.
    """
    places, pixels = (np.arange(nodes) + 0.5) / nodes, (np.arange(0, size, STRIDE) + 0.5) / size
    weight = np.exp(-0.5 * ((places[:, None] - pixels) / sigma) ** 2)
    return (weight / weight.sum(1, keepdims=True)).astype(np.float32)
