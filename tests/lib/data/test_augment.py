"""Augmentation equals torchvision image by image, and plain slicing where nothing is rotated."""

import math

import pytest
import torch
import torchvision.transforms.v2.functional as reference
from torchvision.transforms import InterpolationMode

from lib.data import augment as module
from lib.data.augment import (
    AugmentConfig,
    apply_variation,
    augment,
    center_crop,
    denormalize,
    draw_variation,
    normalize,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(num_studies: int = 3, num_views: int = 2, size: int = 40, seed: int = 1) -> torch.Tensor:
    shape = (num_studies, num_views, 1, size, size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=seeded(seed))


def by_torchvision(image, variation, study, view, crop_size):
    """One view with torchvision, one parameter after the other."""
    top, left = int(variation.top[study, view]), int(variation.left[study, view])
    image = image.float() / 255 if image.dtype == torch.uint8 else image
    center = [left + crop_size / 2, top + crop_size / 2]
    angle = math.degrees(variation.angle[study, view])
    image = reference.rotate(image, angle, interpolation=InterpolationMode.BILINEAR, center=center)
    image = reference.crop(image, top, left, crop_size, crop_size)
    if variation.flipped[study]:
        image = reference.horizontal_flip(image)
    image = reference.adjust_brightness(image, float(variation.brightness[study, view]))
    return reference.adjust_contrast(image, float(variation.contrast[study, view]))


@pytest.mark.parametrize("size", [40, 33])
@pytest.mark.parametrize("crop_size", [40, 31, 32])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_equals_torchvision_image_by_image(size, crop_size, dtype):
    if crop_size > size:
        crop_size = size
    images = pictures(size=size)
    images = images if dtype == torch.uint8 else images / 255
    config = AugmentConfig(crop_size=crop_size, rotation=25, brightness=(0.5, 1.8), contrast=(0.4, 1.7))
    variation = draw_variation(images.shape, config, seeded())
    assert variation.flipped.any() and not variation.flipped.all()
    varied = apply_variation(images, variation, crop_size)
    assert varied.shape == (3, 2, 1, crop_size, crop_size) and varied.dtype == torch.float32
    for study in range(3):
        for view in range(2):
            expected = by_torchvision(images[study, view], variation, study, view, crop_size)
            torch.testing.assert_close(varied[study, view], expected, atol=2e-4, rtol=0)


@pytest.mark.parametrize("size", [32, 37])
def test_without_rotation_a_crop_is_a_slice(size):
    images = pictures(num_studies=8, size=size)
    config = AugmentConfig(crop_size=20, rotation=0, brightness=(1, 1), contrast=(1, 1))
    variation = draw_variation(images.shape, config, seeded())
    varied, flipped = augment(images, config, seeded())
    assert flipped.tolist() == variation.flipped.tolist() and flipped.any() and not flipped.all()
    for study in range(8):
        for view in range(2):
            top, left = int(variation.top[study, view]), int(variation.left[study, view])
            expected = images[study, view, :, top : top + 20, left : left + 20]
            expected = expected.flip(-1) if flipped[study] else expected
            assert torch.equal(varied[study, view], expected.float() * (1 / 255))


def test_sampling_without_an_angle_agrees_with_slicing():
    images = pictures(size=64)
    config = AugmentConfig(crop_size=50, rotation=0)
    variation = draw_variation(images.shape, config, seeded())
    sliced = apply_variation(images, variation, 50)
    almost = variation._replace(angle=torch.full_like(variation.angle, 1e-9))  # takes the other path
    torch.testing.assert_close(apply_variation(images, almost, 50), sliced, atol=1e-5, rtol=0)


def test_a_study_flips_as_a_whole():
    images = torch.zeros(64, 3, 1, 16, 16, dtype=torch.uint8)
    images[..., :8] = 200  # bright on the left
    varied, flipped = augment(images, AugmentConfig(crop_size=14, rotation=5), seeded())
    bright_right = varied[..., 7:].mean((2, 3, 4)) > varied[..., :7].mean((2, 3, 4))
    assert torch.equal(bright_right, flipped[:, None].expand(64, 3))
    assert 16 < flipped.sum() < 48


@pytest.mark.parametrize(("probability", "number"), [(0.0, 0), (1.0, 50)])
def test_flip_probability(probability, number):
    _, flipped = augment(pictures(50), AugmentConfig(crop_size=32, flip=probability), seeded())
    assert flipped.sum() == number


def test_every_view_has_its_own_parameters_in_the_stated_ranges():
    config = AugmentConfig()
    variation = draw_variation(torch.Size([200, 3, 1, 256, 256]), config, seeded())
    for values, low, high in (
        (variation.top, 0, 32),
        (variation.left, 0, 32),
        (variation.angle, -math.radians(10), math.radians(10)),
        (variation.brightness, 0.6, 1.4),
        (variation.contrast, 0.6, 1.4),
    ):
        assert values.shape == (200, 3) and low <= values.min() and values.max() <= high
        assert values.min() < low + 0.02 * (high - low) and values.max() > high - 0.02 * (high - low)
        assert len(values[:, 0].unique()) > 30 and not torch.equal(values[:, 0], values[:, 1])


def test_the_seed_decides_and_chunks_do_not(monkeypatch):
    images = pictures(5, 3)
    config = AugmentConfig(crop_size=32)
    first, _ = augment(images, config, seeded(7))
    monkeypatch.setattr(module, "CPU_CHUNK", 4)
    assert torch.equal(augment(images, config, seeded(7))[0], first)
    assert not torch.equal(augment(images, config, seeded(8))[0], first)


def test_values_stay_on_the_scale():
    varied, _ = augment(pictures(), AugmentConfig(crop_size=32, brightness=(2, 3), contrast=(3, 4)), seeded())
    assert varied.min() == 0 and varied.max() == 1


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_center_crop_is_the_middle(dtype):
    images = pictures(size=40)
    expected = images[..., 4:36, 4:36].float() * (1 / 255)
    images = images if dtype == torch.uint8 else images * (1 / 255)
    assert torch.equal(center_crop(images, 32), expected)


def test_normalize_has_fixed_constants():
    images = torch.tensor([0.0, 0.5, 0.75, 1.0])
    assert normalize(images).tolist() == [-2, 0, 1, 2]
    assert torch.equal(denormalize(normalize(images)), images)


def test_a_crop_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="crop of 64 px does not fit pictures of 40 px"):
        augment(pictures(), AugmentConfig(crop_size=64), seeded())
    with pytest.raises(ValueError, match="does not fit"):
        center_crop(pictures(), 41)


@pytest.mark.parametrize(
    "values", [{"flip": 1.5}, {"rotation": -1}, {"brightness": (1.2, 0.8)}, {"contrast": (-0.1, 1.0)}]
)
def test_wrong_settings_are_refused(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        AugmentConfig(**values)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cpu_and_gpu_agree():
    images, config = pictures(), AugmentConfig(crop_size=32)
    on_cpu, flipped = augment(images, config, seeded())
    on_gpu, flipped_gpu = augment(images.cuda(), config, seeded())
    torch.testing.assert_close(on_gpu.cpu(), on_cpu, atol=2e-4, rtol=0)
    assert on_gpu.is_cuda and torch.equal(flipped_gpu.cpu(), flipped)
