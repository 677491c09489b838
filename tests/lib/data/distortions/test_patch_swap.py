"""Swaps conserve the pixels, exchange disjoint patches, and choose all such pairs alike."""

import collections

import pytest
import torch
from pictures_to_distort import numbered, seeded

from lib.data.distortions.patch_swap import draw_swaps, swap_patches_


def naive(picture: list[list[float]], pairs: list, size: int) -> list[list[float]]:
    for (top, left), (other_top, other_left) in pairs:
        for i in range(size):
            for j in range(size):
                one, other = (top + i, left + j), (other_top + i, other_left + j)
                kept = picture[one[0]][one[1]]
                picture[one[0]][one[1]] = picture[other[0]][other[1]]
                picture[other[0]][other[1]] = kept
    return picture


@pytest.mark.parametrize("sides, size, num_swaps", [((12, 17), 3, 6), ((8, 8), 4, 3), ((5, 40), 5, 4)])
def test_equals_a_naive_double_pixel_by_pixel(sides, size, num_swaps):
    pictures = numbered(4, *sides)
    swaps = draw_swaps(4, sides, size, num_swaps, seeded())
    swapped = pictures.clone()
    assert swap_patches_(swapped, swaps, size) is swapped
    for picture, found, first, second in zip(pictures, swapped, *swaps, strict=True):
        pairs = list(zip(first.tolist(), second.tolist(), strict=True))
        assert found[0].tolist() == naive(picture[0].tolist(), pairs, size)
        assert not torch.equal(found, picture)
        assert found.flatten().sort().values.tolist() == picture.flatten().tolist()  # the same pixels


def test_one_swap_exchanges_two_disjoint_patches_and_leaves_the_rest():
    pictures, size = numbered(50, 20, 24), 6
    swaps = draw_swaps(50, (20, 24), size, 1, seeded())
    swapped = swap_patches_(pictures.clone(), swaps, size)
    for picture, found, first, second in zip(pictures, swapped, *swaps, strict=True):
        corners = [first[0].tolist(), second[0].tolist()]
        patches = [(0, slice(top, top + size), slice(left, left + size)) for top, left in corners]
        assert max(abs(a - b) for a, b in zip(*corners, strict=True)) >= size
        assert torch.equal(found[patches[0]], picture[patches[1]])
        assert torch.equal(found[patches[1]], picture[patches[0]])
        is_moved = torch.zeros(20, 24, dtype=torch.bool)
        for patch in patches:
            is_moved[patch[1:]] = True
        assert is_moved.sum() == 2 * size**2
        assert torch.equal((found != picture)[0], is_moved)


def test_all_pairs_of_disjoint_patches_are_equally_likely():
    """In 4 x 5 pixels with patches of 2: every unordered pair, each as often as the others."""
    corners = [(top, left) for top in range(3) for left in range(4)]
    possible = {
        frozenset((a, b)) for a in corners for b in corners if max(abs(a[0] - b[0]), abs(a[1] - b[1])) >= 2
    }
    draws = 200 * len(possible)
    first, second = draw_swaps(draws, (4, 5), 2, 1, seeded())
    pairs = zip(map(tuple, first[:, 0].tolist()), map(tuple, second[:, 0].tolist()), strict=True)
    counts = collections.Counter(map(frozenset, pairs))
    assert counts.keys() == possible
    squares = sum((count - 200) ** 2 / 200 for count in counts.values())
    assert squares < len(possible) + 5 * (2 * len(possible)) ** 0.5  # chi-square, five deviations


def test_the_same_seed_gives_the_same_swaps():
    draws = [draw_swaps(3, (16, 16), 4, 5, seeded(seed)) for seed in (1, 1, 2)]
    assert torch.equal(draws[0].first, draws[1].first) and torch.equal(draws[0].second, draws[1].second)
    assert not torch.equal(draws[0].first, draws[2].first)


@pytest.mark.parametrize("size, most", [(9, 8), (40, 8), (0, 8), (-3, 8)])
def test_patches_that_do_not_fit_are_refused_by_name(size, most):
    with pytest.raises(ValueError, match=f"patch_size {size}: two patches.*16 x 16 px; give 1 to {most}"):
        draw_swaps(1, (16, 16), size, 1, seeded())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cpu_and_gpu_agree():
    pictures, swaps = numbered(4, 30, 30), draw_swaps(4, (30, 30), 5, 8, seeded())
    assert torch.equal(swap_patches_(pictures.cuda(), swaps, 5).cpu(), swap_patches_(pictures, swaps, 5))
