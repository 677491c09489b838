"""Shuffling stays inside its windows, keeps what each holds, and reads the picture as it was."""

import pytest
import torch
from pictures_to_distort import numbered, seeded

from lib.data.distortions.local_shuffle import ARRANGEMENTS, draw_windows, shuffle_windows


def naive(picture: list[list[float]], windows, number: int) -> list[list[float]]:
    """Shuffle window after window, each from the untouched picture."""
    shuffled, arrangement = [list(row) for row in picture], int(windows.arrangement[number])
    for place in range(len(windows.window)):
        window, source = int(windows.window[place]), int(windows.source[place])
        top, left = int(windows.top[arrangement, window]), int(windows.left[arrangement, window])
        read = picture[top + int(windows.row[source])][left + int(windows.column[source])]
        shuffled[top + int(windows.row[place])][left + int(windows.column[place])] = read
    return shuffled


def box(windows, number: int, window: int) -> tuple:
    arrangement = windows.arrangement[number]
    top, left = int(windows.top[arrangement, window]), int(windows.left[arrangement, window])
    return (0, slice(top, top + int(windows.height[window])), slice(left, left + int(windows.width[window])))


@pytest.mark.parametrize(
    "sides, num_windows, share", [((20, 31), 9, 0.3), ((33, 33), 60, 0.1), ((8, 8), 3, 1.0)]
)
def test_equals_a_naive_double_pixel_by_pixel(sides, num_windows, share):
    pictures = numbered(5, *sides)
    windows = draw_windows(5, sides, num_windows, share, seeded())
    for number, found in enumerate(shuffle_windows(pictures, windows)):
        assert found[0].tolist() == naive(pictures[number, 0].tolist(), windows, number)


def test_a_window_keeps_its_histogram_and_the_rest_is_left():
    pictures = numbered(40, 30, 40)
    windows = draw_windows(40, (30, 40), 1, 0.5, seeded())
    shuffled = shuffle_windows(pictures, windows)
    for number, (picture, found) in enumerate(zip(pictures, shuffled, strict=True)):
        place = box(windows, number, 0)
        assert found[place].flatten().sort().values.tolist() == picture[place].flatten().tolist()
        assert not torch.equal(found[place], picture[place])
        rest = torch.ones_like(picture, dtype=torch.bool)
        rest[place] = False
        assert torch.equal(found[rest], picture[rest])
    assert set(windows.arrangement.tolist()) == set(range(ARRANGEMENTS))
    assert len(windows.top.unique()) > 1  # which differ


def test_where_windows_overlap_the_last_one_is_whole():
    pictures = numbered(6, 24, 24)
    windows = draw_windows(6, (24, 24), 200, 0.25, seeded())
    shuffled = shuffle_windows(pictures, windows)
    for number, (picture, found) in enumerate(zip(pictures, shuffled, strict=True)):
        last = box(windows, number, 199)
        assert found[last].flatten().sort().values.tolist() == picture[last].flatten().tolist()
        outside = torch.ones(24, 24, dtype=torch.bool)
        for window in range(200):
            outside[box(windows, number, window)[1:]] = False
        assert torch.equal(found[0, outside], picture[0, outside])


def test_sizes_and_places_cover_their_ranges():
    windows = draw_windows(50, (40, 60), 2000, 0.1, seeded())
    assert set(windows.height.tolist()) == set(range(1, 5))
    assert set(windows.width.tolist()) == set(range(1, 7))
    assert int(windows.top.min()) == int(windows.left.min()) == 0
    assert int((windows.top + windows.height).max()) == 40 and int((windows.left + windows.width).max()) == 60
    assert abs(windows.height.double().mean() - 2.5) < 0.15


def test_the_published_number_of_windows_covers_a_pixel_as_often_as_a_voxel():
    """10,000 windows of 1 to 6, 1 to 6 and 1 to 3 voxels in 64 x 64 x 32, against 625 in a slice."""
    in_volume = 10_000 * 3.5 * 3.5 * 2 / (64 * 64 * 32)
    windows = draw_windows(1, (64, 64), 625, 0.1, seeded())
    assert len(windows.window) / 64**2 == pytest.approx(in_volume, rel=0.1)


def test_all_orders_of_a_window_occur():
    pictures = torch.tensor([[1.0, 2.0, 3.0]]).view(1, 1, 1, 3)
    orders = set()
    for seed in range(200):
        windows = draw_windows(1, (1, 3), 1, 1.0, seeded(seed))
        orders.add(tuple(shuffle_windows(pictures, windows).flatten().tolist()))
    assert len(orders) == 6


def test_the_same_seed_gives_the_same_shuffle():
    pictures = numbered(3, 32, 32)
    shuffled = [
        shuffle_windows(pictures, draw_windows(3, (32, 32), 40, 0.2, seeded(seed))) for seed in (1, 1, 2)
    ]
    assert torch.equal(shuffled[0], shuffled[1]) and not torch.equal(shuffled[0], shuffled[2])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cpu_and_gpu_agree():
    pictures, windows = numbered(4, 64, 64), draw_windows(4, (64, 64), 625, 0.1, seeded())
    assert torch.equal(shuffle_windows(pictures.cuda(), windows).cpu(), shuffle_windows(pictures, windows))
