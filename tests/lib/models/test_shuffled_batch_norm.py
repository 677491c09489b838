import pytest
import torch
from torch import nn

from lib.models.radiograph_transformer import RadiographTransformer
from lib.models.resnet import ResNet
from lib.models.shuffled_batch_norm import has_batch_norm, in_groups


@pytest.mark.parametrize("num_groups", (1, 2, 4))
@pytest.mark.parametrize("shuffled", (False, True))
def test_the_order_is_undone_exactly(num_groups, shuffled):
    images = torch.randn(8, 1, 3, 3)
    seen = []

    def encode(part):
        seen.append(part)
        return part.flatten(1) * 2

    for _ in range(5):
        assert torch.equal(in_groups(encode, images, num_groups, shuffled=shuffled), images.flatten(1) * 2)
    assert [len(part) for part in seen] == [8 // num_groups] * num_groups * 5
    in_order = torch.equal(torch.cat(seen), images.repeat(5, 1, 1, 1))
    assert in_order != (shuffled and num_groups > 1)


def test_every_group_has_statistics_of_its_own():
    norm = nn.BatchNorm1d(4, affine=False)
    rows = torch.randn(12, 4) * 3 + 1
    found = in_groups(norm, rows, 3)
    for group, own in zip(found.chunk(3), rows.chunk(3), strict=True):
        torch.testing.assert_close(group.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
        expected = (own - own.mean(0)) / (own.var(0, unbiased=False) + norm.eps).sqrt()
        torch.testing.assert_close(group, expected, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(found, norm(rows), atol=0.05)


def test_a_shuffle_follows_the_seed():
    orders = []
    for _ in range(2):
        torch.manual_seed(5)
        in_groups(lambda part: orders.append(part) or part, torch.arange(8.0)[:, None], 2, shuffled=True)
    assert torch.equal(orders[0], orders[2]) and torch.equal(orders[1], orders[3])


@pytest.mark.parametrize(("size", "num_groups"), [(6, 4), (4, 4), (2, 3)])
def test_groups_that_do_not_fit_are_refused(size, num_groups):
    with pytest.raises(ValueError, match=f"batch of {size} pictures makes no {num_groups} equal groups"):
        in_groups(nn.Identity(), torch.ones(size, 1), num_groups)


def test_which_encoders_mix_the_pictures_of_a_batch():
    sizes = dict(image_size=16, patch_size=8, width=8, depth=1, num_heads=2, mlp_width=8)
    assert has_batch_norm(ResNet(depth=18, image_size=32))
    assert not has_batch_norm(RadiographTransformer(**sizes))
