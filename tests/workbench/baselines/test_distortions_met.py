"""Words and boxes say of each picture what the distortions of the same seed did to its pixels."""

import numpy as np
import pytest
import torch
from tiny_baselines import ENCODER

from lib.config import build
from lib.objectives import OBJECTIVES
from lib.registry import resolve
from workbench.baselines.distortions import MET, met, seeded

NUM_PICTURES, SIDE = 48, 32
NONE = dict.fromkeys(
    ("flip_probability", "shuffle_probability", "curve_probability", "paint_probability"), 0.0
)


def distort(name, seed=3, **settings):
    """Return pictures, what is to be restored, what is seen (all `[N, 32, 32]` in 0..1), what was met."""
    kind = resolve(name, OBJECTIVES)
    objective = kind(build(kind.Config, {"encoder": ENCODER, **settings}))
    # No two pixels alike, nearly: what moves is seen to move.
    pixels = torch.rand(NUM_PICTURES, 1, SIDE, SIDE, generator=seeded(0)) * 0.8 + 0.1
    generator = seeded(seed)
    original = objective.arrange(pixels, generator)
    seen = objective.distort_pixels(original.clone(), generator)
    return *(values[:, 0].numpy() for values in (pixels, original, seen)), met(
        objective, name, NUM_PICTURES, seed
    )


def border(picture):
    return np.concatenate([picture[:3].ravel(), picture[-3:].ravel(), picture[:, :3].ravel()])


def test_every_restoring_objective_is_described():
    assert MET.keys() == {"context_restoration", "model_genesis", "transvw"}


def test_boxes_of_a_pair_are_what_changed_places():
    _, original, seen, found = distort("context_restoration", patch_size=5, num_swaps=6)
    for before, after, one in zip(original, seen, found, strict=True):
        expected = before.copy()
        assert [box.pair for box in one.boxes] == [pair for pair in range(6) for _ in range(2)]
        for first, second in zip(one.boxes[::2], one.boxes[1::2], strict=True):
            places = [
                (slice(box.top, box.top + box.height), slice(box.left, box.left + box.width))
                for box in (first, second)
            ]
            taken = [expected[place].copy() for place in places]
            expected[places[0]], expected[places[1]] = taken[1], taken[0]
        np.testing.assert_array_equal(after, expected)
        assert one.seen == "6 swaps of 5 px"


def test_words_for_flips():
    pixels, original, _, found = distort("model_genesis", **NONE | {"flip_probability": 0.5})
    for before, after, one in zip(pixels, original, found, strict=True):
        expected = before[::-1] if "upside down" in one.target else before
        expected = expected[:, ::-1] if "mirrored" in one.target else expected
        np.testing.assert_array_equal(after, expected)
        assert one.seen == "as it is"
    assert len({one.target for one in found}) == 4


def test_words_for_shuffling():
    changes = NONE | {"shuffle_probability": 0.5}
    _, original, seen, found = distort("model_genesis", **changes)
    moved = (original != seen).any((1, 2))
    assert [one.seen for one in found] == ["shuffled" if one else "as it is" for one in moved]
    assert 0 < moved.sum() < NUM_PICTURES


def test_words_for_curves():
    _, original, seen, found = distort("model_genesis", **NONE | {"curve_probability": 0.6})
    for before, after, one in zip(original, seen, found, strict=True):
        order = np.corrcoef(before.ravel(), after.ravel())[0, 1]
        bent = "greys bent" if order > 0 else "greys reversed"
        assert one.seen == ("as it is" if (before == after).all() else bent)
    assert len({one.seen for one in found}) == 3


@pytest.mark.parametrize("num_boxes", [1, 3])
def test_words_for_paint(num_boxes):
    changes = NONE | {"paint_probability": 0.7, "in_paint_share": 0.5, "max_boxes": num_boxes}
    _, original, seen, found = distort("model_genesis", **changes)
    kinds = set()
    for before, after, one in zip(original, seen, found, strict=True):
        kept = (border(before) == border(after)).mean()
        where = "in" if kept == 1 else "around"
        kinds.add(where)
        if (before == after).all():
            assert one.seen == "as it is"
        else:
            assert one.seen.startswith(f"noise {where} ")
            assert 1 <= int(one.seen.split()[2]) <= num_boxes
    assert kinds == {"in", "around"}


def test_several_words_stand_in_the_order_of_what_happens():
    *_, found = distort(
        "model_genesis", shuffle_probability=1.0, curve_probability=1.0, paint_probability=1.0
    )
    for one in found:
        first, second, *rest = one.seen.split(", ")
        assert first == "shuffled" and second in ("greys bent", "greys reversed")
        assert not rest or rest[0].startswith("noise ")


def test_words_for_crops_of_visual_words():
    # Hardly deformed, so that pixels can be compared.
    words = {"num_words": 3, "num_patients": 2, "num_validation_patients": 1}
    _, original, seen, found = distort("transvw", displacement=0.0, words=words)
    for before, after, one in zip(original, seen, found, strict=True):
        kind = one.seen.removeprefix("deformed, ")
        same = np.isclose(before, after, atol=1e-4)
        kept = np.isclose(border(before), border(after), atol=1e-4).mean()
        if kind == "shuffled":
            np.testing.assert_allclose(np.sort(before.ravel()).mean(), after.mean(), atol=0.02)
            assert not same.all() and kept < 1
        elif kind == "noise in boxes":
            assert kept == 1
        elif kind == "noise around boxes":
            assert kept < 0.2
        else:
            assert kind == "greys bent"
            steps = np.diff(after.ravel()[before.ravel().argsort()])
            assert (steps >= -1e-6).all() or (steps <= 1e-6).all()
    assert len({one.seen for one in found}) == 4
