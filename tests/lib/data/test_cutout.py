import pytest
import torch

from lib.data.cutout import cut_out_, draw_squares


def naive(picture: torch.Tensor, squares: list[list[int]], value: float) -> torch.Tensor:
    result = picture.clone()
    for row in range(picture.shape[-2]):
        for column in range(picture.shape[-1]):
            for top, bottom, left, right in squares:
                if top <= row <= bottom and left <= column <= right:
                    result[0, row, column] = value
    return result


@pytest.mark.parametrize(("number", "side", "size"), [(1, 1, 5), (3, 4, 9), (2, 9, 9), (3, 5, 20)])
def test_pixels_inside_are_blank_and_all_others_as_they_were(number, side, size):
    generator = torch.Generator().manual_seed(side)
    squares = draw_squares((6,), number, side, size, generator)
    assert squares.shape == (6, number, 4)
    pictures = torch.rand(6, 1, size, size, generator=generator)
    before = pictures.clone()
    found = cut_out_(pictures, squares, 0.5)
    assert found is pictures
    for picture, own, result in zip(before, squares.tolist(), found, strict=True):
        assert torch.equal(result, naive(picture, own, 0.5))


def test_squares_have_their_side_and_their_middles_any_pixel():
    squares = draw_squares((500, 2), 3, 4, 10, torch.Generator().manual_seed(0))
    top, bottom, left, right = squares.unbind(-1)
    for first, last in ((top, bottom), (left, right)):
        assert (last - first + 1 == 4).all()
        assert sorted(first.unique().tolist()) == list(range(-2, 8))
    assert (top != left).any()
