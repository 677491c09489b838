import pytest

from lib.data.phantom.picture.viewpoint import build_viewpoint


def view(position, yaw=0.0, size=200):
    return build_viewpoint(position, yaw, 150.0, 40.0, (0.0, 0.0), size)


@pytest.mark.parametrize("position", ["PA", "AP"])
def test_frontal_views_show_the_patients_left_on_the_right(position):
    left, right = (view(position).project((x, 0.0, 0.0))[0] for x in (5.0, -5.0))
    assert left > 100 > right


def test_lateral_view_faces_left_and_ignores_sides_but_for_enlargement():
    front, back = (view("LATERAL").project((0.0, y, 0.0))[0] for y in (5.0, -5.0))
    assert front < 100 < back
    near, far = (view("LATERAL").project((x, 5.0, 0.0))[0] for x in (-10.0, 10.0))
    assert near < far  # the right side is nearer to the source, so it is enlarged away from the middle


def test_up_is_up_and_pixels_scale_with_size():
    assert view("PA").project((0.0, 0.0, 5.0))[1] < view("PA").project((0.0, 0.0, -5.0))[1]
    small, large = view("PA", 0.1, 128), view("PA", 0.1, 256)
    point = (3.0, -4.0, 7.0)
    assert large.project(point) == pytest.approx([2 * value for value in small.project(point)])


@pytest.mark.parametrize(
    ("position", "nearer"), [("PA", (0, -8, 0)), ("AP", (0, 8, 0)), ("LATERAL", (-8, 0, 0))]
)
def test_source_is_behind_before_or_on_the_right(position, nearer):
    made = view(position)
    depth = made.towards[0] * nearer[0] + made.towards[1] * nearer[1]
    assert depth == pytest.approx(8.0)
    assert made.magnification(depth) == pytest.approx(150.0 / 142.0)
