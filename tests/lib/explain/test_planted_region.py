"""Every method finds the region that a classifier was written to look at."""

import functools

import numpy as np
import pytest
import torch
from planted_region import REGION, SIZES, looking_at_region, pictures

from lib.explain import METHODS, OF_ATTENTION
from lib.explain.boxes import boxes_of_map, scale_maps
from lib.explain.explain import explain
from lib.explain.frame import Frame

FAMILIES = ("paper", "official", "resnet")
CASES = [
    (family, method)
    for family in FAMILIES
    for method in METHODS
    if not (family == "resnet" and method in OF_ATTENTION)
]


@functools.cache
def planted(family: str, size: int):
    """Return a classifier, with images and the mask of the region."""
    return looking_at_region(family, size), *pictures(6, size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_the_planted_output_is_the_mean_of_the_region(family, size):
    classifier, images, mask = planted(family, size)
    output = classifier(images)[:, 1]
    inside = (images * mask).sum((1, 2, 3)) / mask.sum()
    assert np.corrcoef(output, inside)[0, 1] > 0.99
    changed = classifier(images + 0.3 * (1 - mask))[:, 1]  # nothing beside it has a say
    assert (changed - output).abs().max() < 0.05 * (output.max() - output.min())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("family", "method"), CASES)
def test_map_and_box_lie_on_the_region(family, method, size):
    classifier, images, mask = planted(family, size)
    maps = explain(classifier, images, method, targets=torch.ones(len(images), dtype=torch.int64))
    region = mask.numpy() > 0
    for values in scale_maps(Frame(size, size).to_store(maps)):
        found = values >= 0.5
        assert (found & region).sum() >= 0.5 * (found | region).sum()
        boxes = boxes_of_map(values, 0.5).corners
        assert len(boxes) == 1 and overlap(boxes[0], REGION) >= 0.5


def overlap(first, second) -> float:
    """Return the IoU of two boxes."""
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    shared = np.prod(np.maximum(high - low, 0))
    areas = [np.prod(np.subtract(box[2:], box[:2])) for box in (first, second)]
    return shared / (sum(areas) - shared)
