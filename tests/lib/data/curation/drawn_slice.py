"""A drawn slice of a CT."""

import numpy as np


def draw_slice(random: np.random.Generator, size: int = 200) -> np.ndarray:
    """Draw a chest in cross-section: skin, two lungs, mediastinum, spine, ribs, the table below."""
    y, x = np.mgrid[:size, :size] / size - 0.5

    def oval(cx, cy, width, height):
        return ((x - cx) / width) ** 2 + ((y - cy) / height) ** 2 <= 1

    width, height = random.uniform(0.34, 0.46), random.uniform(0.24, 0.34)
    air, fat, tissue, lung, bone = 0, *random.permutation([90, 120]), random.uniform(20, 60), 220
    picture = np.full((size, size), float(air))
    picture[oval(0, 0, width, height)] = fat
    picture[oval(0, 0, 0.93 * width, 0.9 * height)] = tissue
    for side in (-1, 1):
        picture[oval(side * 0.5 * width, 0, 0.38 * width, 0.65 * height)] = lung
    for angle in np.linspace(0, 2 * np.pi, 14):
        picture[oval(0.88 * width * np.cos(angle), 0.84 * height * np.sin(angle), 0.02, 0.02)] = bone
    picture[oval(0, 0.55 * height, 0.07, 0.07)] = bone
    picture += random.normal(0, 6, picture.shape)
    return np.roll(picture.clip(0, 255), random.integers(-8, 9, 2), (0, 1)).astype(np.uint8)
