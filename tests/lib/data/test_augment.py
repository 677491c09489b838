"""Augmentation equals torchvision image by image, and plain slicing where nothing is rotated."""

import math

import numpy as np
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


CONVIRT = dict(scale=(0.6, 1.0), rotation=20.0, translation=0.1, zoom=(0.95, 1.05), blur=(0.1, 3.0))
PLAIN = dict(rotation=0.0, flip=0.0, brightness=(1.0, 1.0), contrast=(1.0, 1.0))


def by_matrices(picture, variation, study, view, crop_size):
    """One view pixel by pixel: every step a matrix of its own, four pixels weighted by their nearness."""
    top, left, side, angle, zoom, right, down = (
        float(getattr(variation, name)[study, view])
        for name in ("top", "left", "side", "angle", "zoom", "right", "down")
    )

    def move(x, y):
        return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])

    turn = np.array(
        [[math.cos(angle), math.sin(angle), 0], [-math.sin(angle), math.cos(angle), 0], [0, 0, 1]]
    )
    enlarge, resize = np.diag([zoom, zoom, 1]), np.diag([crop_size / side, crop_size / side, 1])
    center = (left + side / 2, top + side / 2)
    affine = move(right * side, down * side) @ move(*center) @ turn @ enlarge @ move(-center[0], -center[1])
    mirror = np.array([[-1, 0, crop_size], [0, 1, 0], [0, 0, 1.0]]) if variation.flipped[study] else np.eye(3)
    to_picture = np.linalg.inv(mirror @ resize @ move(-left, -top) @ affine)  # edges of pixels at integers
    size, varied = len(picture), np.zeros((crop_size, crop_size))
    for row in range(crop_size):
        for column in range(crop_size):
            x, y, _ = to_picture @ [column + 0.5, row + 0.5, 1] - 0.5
            for i in (math.floor(y), math.floor(y) + 1):
                for j in (math.floor(x), math.floor(x) + 1):
                    if 0 <= i < size and 0 <= j < size:
                        varied[row, column] += (1 - abs(y - i)) * (1 - abs(x - j)) * picture[i][j]
    return torch.from_numpy(varied).float()


@pytest.mark.parametrize(
    "options",
    [
        dict(scale=(0.3, 1.0)),
        dict(rotation=40.0),
        dict(translation=0.3),
        dict(zoom=(0.6, 1.7)),
        dict(scale=(0.3, 0.7), rotation=30.0, translation=0.2, zoom=(0.7, 1.4)),
    ],
)
def test_moved_pixels_are_those_of_a_naive_loop(options):
    images = pictures(size=21) / 255
    config = AugmentConfig(**(PLAIN | {"crop_size": 14, "flip": 0.5} | options))
    variation = draw_variation(images.shape, config, seeded())
    assert variation.flipped.any() and not variation.flipped.all()
    varied = apply_variation(images, variation, 14)
    for study in range(3):
        for view in range(2):
            expected = by_matrices(images[study, view, 0].tolist(), variation, study, view, 14)
            torch.testing.assert_close(varied[study, view, 0], expected, atol=2e-4, rtol=0)


def test_the_affine_is_that_of_torchvision():
    images = pictures(size=40) / 255
    config = AugmentConfig(**(PLAIN | dict(crop_size=30, rotation=20.0, translation=0.2, zoom=(0.8, 1.3))))
    variation = draw_variation(images.shape, config, seeded())
    varied = apply_variation(images, variation, 30)
    for study in range(3):
        for view in range(2):
            top, left = int(variation.top[study, view]), int(variation.left[study, view])
            moved = reference.affine(
                images[study, view],
                angle=-math.degrees(variation.angle[study, view]),  # clockwise there
                translate=[30 * float(variation.right[study, view]), 30 * float(variation.down[study, view])],
                scale=float(variation.zoom[study, view]),
                shear=[0.0, 0.0],
                center=[left + 15.0, top + 15.0],
                interpolation=InterpolationMode.BILINEAR,
            )
            expected = reference.crop(moved, top, left, 30, 30)
            torch.testing.assert_close(varied[study, view], expected, atol=2e-4, rtol=0)


@pytest.mark.parametrize(("top", "left", "side"), [(0, 0, 40), (3, 8, 24), (10, 10, 30), (7, 0, 16)])
def test_a_resized_crop_is_that_of_torchvision(top, left, side):
    images = pictures(size=40) / 255
    config = AugmentConfig(crop_size=32, **PLAIN)
    variation = draw_variation(images.shape, config, seeded())._replace(
        **{name: torch.full((3, 2), value) for name, value in (("top", top), ("left", left), ("side", side))}
    )
    varied = apply_variation(images, variation, 32)
    expected = reference.resized_crop(
        images.flatten(0, 1), top, left, side, side, [32, 32], InterpolationMode.BILINEAR, antialias=False
    )
    edge = slice(1, -1)  # torchvision repeats the last pixels of the crop, we see what lies beside it
    torch.testing.assert_close(
        varied.flatten(0, 1)[..., edge, edge], expected[..., edge, edge], atol=1e-4, rtol=0
    )


def test_blur_comes_last():
    images, config = pictures(), AugmentConfig(crop_size=32, blur=(0.3, 2.0))
    variation = draw_variation(images.shape, config, seeded())
    sharp = apply_variation(images, variation._replace(blur=torch.zeros(3, 2)), 32)
    varied = apply_variation(images, variation, 32)
    for study in range(3):
        for view in range(2):
            sigma = float(variation.blur[study, view])
            kernel = 2 * math.ceil(3 * sigma) + 1
            expected = reference.gaussian_blur(sharp[study, view], [kernel, kernel], [sigma, sigma])
            torch.testing.assert_close(varied[study, view], expected, atol=1e-5, rtol=0)


def test_defaults_draw_what_they_always_drew():
    """A run that was stored before there was more than REFERS goes on with the same numbers."""
    generator, size = seeded(), (5, 3)
    variation = draw_variation(torch.Size([5, 3, 1, 256, 256]), AugmentConfig(), drawn := seeded())
    assert torch.equal(variation.top, torch.randint(33, size, generator=generator))
    assert torch.equal(variation.left, torch.randint(33, size, generator=generator))
    largest = math.radians(10)
    assert torch.equal(variation.angle, torch.rand(size, generator=generator) * (2 * largest) - largest)
    assert torch.equal(variation.flipped, torch.rand(5, generator=generator) < 0.5)
    for values in (variation.brightness, variation.contrast):
        assert torch.equal(values, torch.rand(size, generator=generator) * (1.4 - 0.6) + 0.6)
    assert torch.equal(torch.rand(4, generator=generator), torch.rand(4, generator=drawn))  # and no more
    assert (variation.side == 224).all() and (variation.zoom == 1).all()
    assert not (variation.right.any() or variation.down.any() or variation.blur.any())


def test_ranges_of_convirt():
    size = 256
    variation = draw_variation(torch.Size([400, 3, 1, size, size]), AugmentConfig(**CONVIRT), seeded())
    for values, low, high in (
        ((variation.side / size) ** 2, 0.6, 1.0),
        (variation.angle, -math.radians(20), math.radians(20)),
        (variation.right, -0.1, 0.1),
        (variation.down, -0.1, 0.1),
        (variation.zoom, 0.95, 1.05),
        (variation.blur, 0.1, 3.0),
    ):
        assert values.shape == (400, 3) and low - 1e-6 <= values.min() and values.max() <= high + 1e-6
        assert values.min() < low + 0.02 * (high - low) and values.max() > high - 0.02 * (high - low)
        assert abs(values.mean() - (low + high) / 2) < 0.03 * (high - low)
    for first in (variation.top, variation.left):
        share = first / (size - variation.side)
        assert share.min() >= 0 and share.max() <= 1 and abs(share.mean() - 0.5) < 0.03
    assert not torch.equal(variation.top, variation.left) and not torch.equal(variation.right, variation.down)
    assert 160 < variation.flipped.sum() < 240


def test_all_that_convirt_does_keeps_shape_scale_and_seed():
    images, config = pictures(5, 3), AugmentConfig(crop_size=48, **CONVIRT)  # larger than the stored 40
    varied, flipped = augment(images, config, seeded(7))
    assert varied.shape == (5, 3, 1, 48, 48) and varied.dtype == torch.float32 and flipped.shape == (5,)
    assert varied.min() >= 0 and varied.max() <= 1 + 1e-6
    assert torch.equal(augment(images, config, seeded(7))[0], varied)
    assert not torch.equal(augment(images, config, seeded(8))[0], varied)
    variation = draw_variation(images.shape, config, seeded(7))
    share = apply_variation(images[2:4], variation.of(slice(2, 4)), 48)
    torch.testing.assert_close(share, varied[2:4], atol=1e-6, rtol=0)


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
    "values",
    [
        {"flip": 1.5},
        {"rotation": -1},
        {"brightness": (1.2, 0.8)},
        {"contrast": (-0.1, 1.0)},
        {"scale": (0.6, 1.1)},
        {"scale": (0.0, 1.0)},
        {"translation": 1.0},
        {"translation": -0.1},
        {"zoom": (0.0, 1.0)},
        {"zoom": (1.1, 0.9)},
        {"blur": (3.0, 0.1)},
        {"blur": (-0.1, 1.0)},
        {"blur": (0.1, 3.0), "crop_size": 9},
    ],
)
def test_wrong_settings_are_refused(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        AugmentConfig(**values)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("options", [{}, CONVIRT])
def test_cpu_and_gpu_agree(options):
    images, config = pictures(), AugmentConfig(crop_size=32, **options)
    on_cpu, flipped = augment(images, config, seeded())
    on_gpu, flipped_gpu = augment(images.cuda(), config, seeded())
    torch.testing.assert_close(on_gpu.cpu(), on_cpu, atol=2e-4, rtol=0)
    assert on_gpu.is_cuda and torch.equal(flipped_gpu.cpu(), flipped)
