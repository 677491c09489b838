"""Maps and boxes keep their place between the model's input, the stored picture and the file."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import ndimage
from torch.nn import functional

from lib.data.augment import evaluation_view
from lib.data.decode import place, read_picture
from lib.explain.boxes import boxes_of_map
from lib.explain.frame import Frame, from_original, to_original

FRAMES = [Frame(128, 112), Frame(128, 111), Frame(128, 112, "whole"), Frame(100, 160, "whole")]


def views_of(*sizes: tuple[int, int], canvas: int) -> pd.DataFrame:
    return pd.DataFrame([place(width, height, canvas)._asdict() for width, height in sizes])


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("grid", [(7, 7), (14, 14), (4, 9), (1, 1)])
def test_maps_are_laid_as_torch_interpolates_them(frame, grid):
    maps = np.random.default_rng(0).random((3, *grid), np.float32)
    side = (frame.side, frame.side)
    inside = functional.interpolate(torch.from_numpy(maps)[:, None], side, mode="bilinear")[:, 0].numpy()
    rest = frame.store_size - frame.side
    expected = np.pad(inside, ((0, 0), *[(rest // 2, rest - rest // 2)] * 2))
    laid = frame.to_store(torch.from_numpy(maps))
    assert laid.dtype == np.float32
    np.testing.assert_allclose(laid, expected, atol=1e-5)


@pytest.mark.parametrize("deviation", [0.5, 3.0, 20.0])
def test_smoothing_is_a_gaussian_over_the_pixels(deviation):
    frame = Frame(128, 112)
    maps = np.random.default_rng(1).random((2, 7, 7), np.float32)
    plain = frame.to_store(maps)[:, 8:120, 8:120]
    expected = ndimage.gaussian_filter(plain, (0, deviation, deviation), mode="nearest")
    np.testing.assert_allclose(frame.to_store(maps, deviation)[:, 8:120, 8:120], expected, atol=1e-5)


def test_nothing_is_shown_beside_the_crop():
    laid = Frame(128, 112).to_store(np.ones((1, 7, 7)), smoothing=5.0)[0]
    assert laid.sum() == pytest.approx(112**2) and laid[8:120, 8:120].min() == pytest.approx(1)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("file", [(128, 128), (90, 128), (1024, 700), (333, 1001)])
def test_boxes_come_back_from_the_model_to_the_file(frame, file):
    random = np.random.default_rng(2)
    corners = np.sort(random.random((50, 2, 2)), axis=1).reshape(50, 4) * [*file, *file]
    views = views_of(*[file] * 50, canvas=frame.store_size)
    stored = from_original(corners, views)
    placement = place(*file, frame.store_size)
    expected = [placement.to_canvas(*box[:2]) + placement.to_canvas(*box[2:]) for box in corners]
    np.testing.assert_allclose(stored, expected, atol=1e-9)
    back = to_original(frame.from_model(frame.to_model(stored)), views)
    np.testing.assert_allclose(back, corners, atol=1e-6)


@pytest.mark.parametrize("frame", [Frame(256, 224), Frame(256, 224, "whole"), Frame(256, 256, "whole")])
@pytest.mark.parametrize("file", [(200, 256), (256, 256), (180, 141)])
def test_what_is_drawn_in_a_file_is_found_there_again_through_the_model(tmp_path, frame, file):
    from PIL import Image

    box = np.array([[60, 40, 110, 90]])
    picture = np.zeros(file[::-1], np.uint8)
    picture[40:90, 60:110] = 255
    Image.fromarray(picture).save(tmp_path / "picture.png")
    stored, placement = read_picture(tmp_path / "picture.png", frame.store_size)
    seen = evaluation_view(torch.tensor(stored)[None], frame.image_size, frame.evaluation)
    # The perfect map: as fine as the model's input, high where that is bright.
    laid = frame.to_store(seen)[0]
    found = boxes_of_map(laid, 0.5).corners
    back = to_original(found, pd.DataFrame([placement._asdict()]))
    assert len(back) == 1 and np.abs(back - box).max() <= 1
    if frame.evaluation == "crop" and max(file) == frame.store_size:  # nothing is resized on the way
        assert (back == box).all()


def test_boxes_are_cut_off_at_the_edge_of_the_file():
    views = views_of((90, 128), canvas=128)
    assert to_original([[0, 0, 128, 128]], views).tolist() == [[0, 0, 90, 128]]


def test_a_crop_must_fit_and_a_smoothing_is_not_negative():
    with pytest.raises(ValueError, match="112 px does not fit pictures of 96 px"):
        Frame(96, 112)
    with pytest.raises(ValueError, match="evaluation 'middle' is not one of"):
        Frame(128, 112, "middle")
    with pytest.raises(ValueError, match="smoothing -1"):
        Frame(128, 112).to_store(np.ones((1, 7, 7)), -1)
