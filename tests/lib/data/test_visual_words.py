"""Visual words: patients who look alike, one place in all of them, places apart, all settled by a seed."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from lib.data.visual_words import (
    Patients,
    VisualWordsConfig,
    draw_corners,
    find_words,
    load_words,
    save_words,
)

SIZE = 64
CONFIG = VisualWordsConfig(num_words=6, num_patients=8, num_validation_patients=3)
CROP = 32


def make_patients(num_each: int = 12, seed: int = 0, first_row: int = 0) -> Patients:
    """Return two groups of patients, far from each other; odd view rows are of the second."""
    generator = torch.Generator().manual_seed(seed)
    group = torch.arange(2 * num_each) % 2
    values = torch.randn(2 * num_each, 5, generator=generator) + 100 * group[:, None]
    return Patients(first_row + np.arange(2 * num_each), values)


PATIENTS = {"train": make_patients(), "validation": make_patients(5, seed=1, first_row=1000)}


def find(seed: int = 0, patients=PATIENTS, **changes):
    return find_words(patients, SIZE, dataclasses.replace(CONFIG, **changes), seed)


def test_neighbours_are_of_the_own_group():
    words = find()
    groups = {part: own.view_rows % 2 for part, own in words.items()}
    assert (groups["train"] == groups["train"][:, :1]).all()
    assert (groups["validation"] == groups["train"][:, :1]).all()
    assert len(np.unique(groups["train"][:, 0])) == 2  # words of both
    assert words["train"].view_rows.max() < 1000 <= words["validation"].view_rows.min()


def test_the_nearest_come_first_as_in_a_naive_double():
    words = find()
    values = {part: own.values.double().numpy() for part, own in PATIENTS.items()}
    assert len(np.unique(words["train"].view_rows[:, 0])) == CONFIG.num_words
    for row, held_out in zip(words["train"].view_rows, words["validation"].view_rows, strict=True):
        reference = values["train"][row[0]]
        for part, members, first in (("train", row, 0), ("validation", held_out, 1000)):
            distances = [np.sqrt(((reference - other) ** 2).sum()) for other in values[part]]
            assert members.tolist() == [first + i for i in np.argsort(distances)[: len(members)]]


def test_a_copy_of_the_reference_does_not_come_before_it():
    same = Patients(np.arange(24), torch.zeros(24, 5))
    words = find(patients=PATIENTS | {"train": same})
    assert len(np.unique(words["train"].view_rows[:, 0])) == CONFIG.num_words


def test_the_first_crop_is_at_one_place_in_all_patients():
    words = find()
    place = words["train"].boxes[:, :1, 0]
    assert (words["train"].boxes[:, :, 0] == place).all() and (
        words["validation"].boxes[:, :, 0] == place
    ).all()
    assert (place[..., 2] == CROP).all()
    assert words["train"].boxes.shape == (6, 8, 3, 3) and words["validation"].boxes.shape == (6, 3, 3, 3)


def test_words_are_apart():
    config = dataclasses.replace(CONFIG, num_words=20, min_distance=5 / CROP)
    for seed in range(5):
        corners = draw_corners(SIZE, config, torch.Generator().manual_seed(seed)).tolist()
        assert all(0 <= value <= SIZE - CROP for corner in corners for value in corner)
        apart = [np.hypot(a[0] - b[0], a[1] - b[1]) for a, b in itertools.combinations(corners, 2)]
        assert min(apart) >= 5


def test_other_sizes_are_about_the_same_place_and_inside_the_picture():
    boxes = find(num_words=10, num_patients=20)["train"].boxes
    top_left, side = boxes[..., :2], boxes[..., 2]
    assert (top_left >= 0).all() and (top_left + side[..., None] <= SIZE).all()
    extra = side[:, :, 1:]
    assert extra.min() >= round(CROP * 50 / 64) and extra.max() <= round(CROP * 80 / 64)
    assert len(np.unique(extra)) > 10
    middle = top_left + side[..., None] / 2
    shift = np.abs(middle[:, :, 1:] - middle[:, :, :1])
    at_border = ((top_left == 0) | (top_left + side[..., None] == SIZE))[:, :, 1:]
    assert shift[~at_border].max() <= CROP * 10 / 64 + 1 and shift.max() > 2  # 1: rounded to whole pixels


def test_the_seed_settles_everything_and_a_file_keeps_it(tmp_path):
    first, second, other = find(3), find(3), find(4)
    save_words(tmp_path / "words.npz", first)
    loaded = load_words(tmp_path / "words.npz")
    for part, own in first.items():
        for again in (second[part], loaded[part]):
            assert np.array_equal(own.view_rows, again.view_rows) and np.array_equal(own.boxes, again.boxes)
            assert own.boxes.dtype == again.boxes.dtype == np.int64
    assert not np.array_equal(first["train"].boxes, other["train"].boxes)
    assert not np.array_equal(first["train"].view_rows, other["train"].view_rows)


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"num_patients": 25}, "words.num_patients 25 needs as many train patients .* there are 24"),
        ({"num_words": 30}, "words.num_words 30 needs as many train patients .* there are 24"),
        (
            {"num_validation_patients": 11},
            "words.num_validation_patients 11 needs as many validation patients .* there are 10",
        ),
        ({"crop_share": 0.9}, "gives crops of 58 to 72 px from pictures of 64 px; give a crop_share of 0.80"),
        ({"min_distance": 1.0}, "words.num_words 6: after .* no place .* is 32.0 px away"),
    ],
)
def test_words_that_do_not_fit_the_data_are_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        find(**changes)


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"num_words": 1}, "num_words 1 is too few; give 2 or more"),
        ({"num_patients": 0}, "num_patients 0 is too few"),
        ({"crop_share": 1.2}, "crop_share 1.2 is not a share"),
        ({"extra_sizes": (1.2, 0.8)}, "extra_sizes .* is not a range"),
        ({"jitter": -0.1}, "jitter -0.1 is negative"),
        ({"auto_encoder_steps": 0}, "auto_encoder_steps 0 is too few"),
    ],
)
def test_settings_that_mean_nothing_are_named(changes, told):
    with pytest.raises(ValueError, match=told):
        VisualWordsConfig(**changes)
