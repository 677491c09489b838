"""What evaluation sees: the middle crop, or the whole padded square as Pillow would resize it."""

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_loader import SIZE, make_loader
from tiny_store import make_store

from lib.data.augment import AugmentConfig, center_crop, evaluation_view, normalize, resize


def pictures(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def by_pillow(picture: np.ndarray, size: int) -> np.ndarray:
    grey = Image.fromarray(picture.astype(np.float32))
    return np.asarray(grey.resize((size, size), Image.Resampling.BILINEAR)) / 255


@pytest.mark.parametrize(("stored", "size"), [(64, 56), (64, 20), (33, 33), (20, 30)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_a_whole_picture_equals_a_plain_resize(stored, size, dtype):
    images = pictures(3, 2, 1, stored, stored)
    given = images if dtype == torch.uint8 else images / 255
    whole = evaluation_view(given, size, "whole")
    assert whole.shape == (3, 2, 1, size, size) and whole.dtype == torch.float32
    for study in range(3):
        for view in range(2):
            expected = by_pillow(images[study, view, 0].numpy(), size)
            np.testing.assert_allclose(whole[study, view, 0].numpy(), expected, atol=1e-4)
    assert torch.equal(resize(given[0], size), whole[0])  # any number of leading axes


def test_the_default_is_the_middle_crop():
    images = pictures(2, 1, 40, 40)
    assert torch.equal(evaluation_view(images, 32), center_crop(images, 32))
    assert AugmentConfig().evaluation == "crop"


def test_another_view_is_refused():
    for make in (
        lambda: evaluation_view(pictures(1, 8, 8), 4, "all"),
        lambda: AugmentConfig(evaluation="all"),
    ):
        with pytest.raises(ValueError, match="evaluation 'all' is not one of crop, whole"):
            make()


def test_a_loader_shows_whole_pictures_where_nothing_is_augmented(tmp_path):
    store = make_store(tmp_path / "store", num_studies=6)
    images = torch.from_numpy(np.array(store.images))
    batch = next(make_loader(store, augment=None, evaluation="whole").epoch(0))
    assert torch.equal(batch.images, normalize(resize(images[batch.view_rows][:, :, None], SIZE)))
    # Nothing is cut off, so a picture may be made as small as one likes.
    small = next(make_loader(store, augment=None, evaluation="whole", image_size=8).epoch(0))
    assert small.images.shape[-1] == 8
    varied = [next(make_loader(store, evaluation=how).epoch(0)).images for how in ("crop", "whole")]
    assert torch.equal(*varied)
    with pytest.raises(ValueError, match="evaluation 'middle'"):
        make_loader(store, augment=None, evaluation="middle")
