"""Pictures of every usual kind land on the canvas as they should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_reader import draw

from lib.data.decode import draw_picture, place, read_picture


@pytest.mark.parametrize(
    ("width", "height", "aspect", "content", "pad"),
    [
        (256, 256, None, (256, 256), (0, 0)),
        (512, 1024, None, (128, 256), (64, 0)),
        (3000, 1500, None, (256, 128), (0, 64)),
        (64, 128, None, (128, 256), (64, 0)),  # small pictures grow
        (256, 256, 0.5, (128, 256), (64, 0)),  # squeezed: aspect restored by narrowing,
        (256, 256, 2.0, (256, 128), (0, 64)),  # never by stretching beyond the canvas
        (3056, 2544, None, (256, 213), (0, 21)),
    ],
)
def test_place(width, height, aspect, content, pad):
    placement = place(width, height, 256, aspect)
    assert (placement.content_width, placement.content_height) == content
    assert (placement.pad_x, placement.pad_y) == pad
    assert (placement.width, placement.height) == (width, height)


@settings(deadline=None, max_examples=60)
@given(
    width=st.integers(100, 5000),
    height=st.integers(100, 5000),
    aspect=st.one_of(st.none(), st.floats(0.2, 5.0)),
    size=st.integers(64, 512),
)
def test_place_fills_the_longer_side_and_stays_inside(width, height, aspect, size):
    placement = place(width, height, size, aspect)
    assert max(placement.content_width, placement.content_height) == size
    assert placement.to_canvas(0, 0) == (placement.pad_x, placement.pad_y)
    right, bottom = placement.to_canvas(width, height)
    assert right == placement.pad_x + placement.content_width <= size
    assert bottom == placement.pad_y + placement.content_height <= size
    wanted = aspect or width / height  # kept up to half a pixel of the shorter side
    assert placement.content_width == pytest.approx(wanted * placement.content_height, abs=0.5 + 0.5 * wanted)


def test_a_point_of_the_file_is_found_on_the_canvas():
    pixels = np.zeros((300, 150), np.uint8)
    pixels[60:90, 30:60] = 255
    canvas, placement = draw_picture(pixels, 128)
    x0, y0 = placement.to_canvas(30, 60)
    x1, y1 = placement.to_canvas(60, 90)
    rows, columns = np.nonzero(canvas > 127)
    assert [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] == pytest.approx(
        [x0, y0, x1, y1], abs=1
    )


def test_pixels_of_the_right_size_are_not_touched(tmp_path):
    pixels = draw(1, 64, 64)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png", 64)[0], pixels)


def test_whole_pixels_are_averaged_exactly(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (128, 96), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    means = pixels.reshape(32, 4, 24, 4).mean(axis=(1, 3))
    assert np.abs(read_picture(tmp_path / "a.png", 32)[0][:, 4:28] - means).max() <= 0.5
    means = pixels.reshape(32, 4, 32, 3).mean(axis=(1, 3))  # squeezed: each side by its own factor
    assert np.abs(read_picture(tmp_path / "a.png", 32, aspect=1.0)[0] - means).max() <= 0.5 + 1e-3


def test_padding_is_black(tmp_path):
    Image.fromarray(draw(1, 64, 32)).save(tmp_path / "a.png")
    canvas, placement = read_picture(tmp_path / "a.png", 64)
    assert canvas[:, :16].max() == 0 and canvas[:, 48:].max() == 0 and canvas[:, 16:48].min() > 0
    assert placement.scale == 1


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_deep_greys_are_scaled_by_the_depth_in_use(tmp_path, bits):
    top = 2**bits - 1
    values = np.linspace(0, top, 64 * 64).round().astype(np.uint16).reshape(64, 64)
    Image.fromarray(values).save(tmp_path / "a.png")
    canvas, _ = read_picture(tmp_path / "a.png", 64)
    np.testing.assert_array_equal(canvas, np.rint(values.astype(np.float32) * (255 / top)).astype(np.uint8))


def test_deep_greys_are_resized_before_they_are_rounded(tmp_path):
    values = np.full((128, 128), 100 * 257, np.uint16)
    values[::2] += 257  # rows of 100 and 101: their mean is lost if rounded first
    values[0, 0] = 65535
    Image.fromarray(values).save(tmp_path / "a.png")
    assert set(read_picture(tmp_path / "a.png", 64)[0][8:].ravel()) <= {100, 101}


def test_colour_becomes_luminance(tmp_path):
    colour = np.stack([draw(seed, 64, 64) for seed in range(3)], axis=-1)
    Image.fromarray(colour).save(tmp_path / "a.png")
    expected = colour @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(read_picture(tmp_path / "a.png", 64)[0], expected, atol=1)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_lie_over_black(tmp_path, mode):
    grey = Image.fromarray(draw(3, 64, 64))
    alpha = np.full((64, 64), 255, np.uint8)
    alpha[:, :32] = 0
    if mode == "P":
        grey.putpixel((0, 0), 7)
        grey.convert("P").save(tmp_path / "a.png", transparency=7)
        canvas, _ = read_picture(tmp_path / "a.png", 64)
        assert canvas[0, 0] == 0
        np.testing.assert_allclose(canvas[8:, 8:], np.asarray(grey)[8:, 8:], atol=1)
        return
    picture = grey.convert(mode)
    picture.putalpha(Image.fromarray(alpha))
    picture.save(tmp_path / "a.png")
    canvas, _ = read_picture(tmp_path / "a.png", 64)
    assert canvas[:, :32].max() == 0
    np.testing.assert_allclose(canvas[:, 32:], np.asarray(grey)[:, 32:], atol=1)


@pytest.mark.parametrize("mode", ["1", "CMYK"])
def test_other_modes_become_grey(tmp_path, mode):
    suffix = "png" if mode == "1" else "jpg"
    Image.fromarray(np.full((64, 64), 255, np.uint8)).convert(mode).save(tmp_path / f"a.{suffix}")
    assert read_picture(tmp_path / f"a.{suffix}", 64)[0].min() >= 254


def test_exif_orientation_is_not_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn me by 90 degrees"
    Image.fromarray(draw(1, 40, 64)).save(tmp_path / "a.jpg", exif=exif)
    placement = read_picture(tmp_path / "a.jpg", 64)[1]
    assert (placement.width, placement.height) == (64, 40)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_scaled_decoding_agrees_with_full_decoding(tmp_path, mode):
    picture = Image.fromarray(draw(5, 1500, 1100)).convert(mode)
    picture.save(tmp_path / "a.jpg", quality=90)
    canvas, placement = read_picture(tmp_path / "a.jpg", 128)
    assert (placement.width, placement.height) == (1100, 1500)
    with Image.open(tmp_path / "a.jpg") as full:
        whole = np.asarray(full.convert("L"))
    expected, _ = draw_picture(whole, 128)
    assert np.abs(canvas.astype(int) - expected).mean() < 0.3


def test_squeezed_pictures_get_their_aspect_back(tmp_path):
    tall = draw(4, 128, 96)
    Image.fromarray(tall).resize((128, 128), Image.Resampling.BILINEAR).save(tmp_path / "a.png")
    canvas, placement = read_picture(tmp_path / "a.png", 128, aspect=0.75)
    expected, _ = draw_picture(tall, 128)
    assert (placement.content_width, placement.content_height) == (96, 128)
    assert np.abs(canvas.astype(int) - expected).mean() < 1


def test_float_pictures_are_refused(tmp_path):
    Image.fromarray(np.ones((8, 8), np.float32)).save(tmp_path / "a.tiff")
    with pytest.raises(ValueError, match="8 or 16 bit"):
        read_picture(tmp_path / "a.tiff", 8)
