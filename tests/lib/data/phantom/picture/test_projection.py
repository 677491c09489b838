"""What can be seen in the pictures, measured on their pixels."""

import dataclasses
import pickle
import subprocess
import sys

import numpy as np
import pytest

from lib.data.phantom.body.chest import build_chest
from lib.data.phantom.body.extents import extent
from lib.data.phantom.findings import Finding
from lib.data.phantom.picture.exposure import expose
from lib.data.phantom.picture.projection import project, render_view
from lib.data.phantom.visit import sample_visit
from lib.data.readers import open_reader

SIZE = 96
FOCAL = {
    "Nodule": Finding(
        name="Nodule", side="right", zone="mid", place=(0.5, 0.3, 0.4), size=(1.2,) * 3, amount=0.7
    ),
    "Mass": Finding(
        name="Mass", side="left", zone="upper", place=(0.5, -0.3, 0.27), size=(3.0,) * 3, amount=0.8
    ),
    "Consolidation": Finding(
        name="Consolidation", side="right", zone="lower", place=(0.5, -0.3, 0.55), size=(3.0,) * 3, amount=0.5
    ),
    "Atelectasis": Finding(
        name="Atelectasis",
        side="right",
        zone="mid",
        kind="plate",
        place=(0.5, 0.1, 0.45),
        size=(3.0, 2.4, 0.5),
    ),
}


@pytest.fixture(scope="module")
def healthy():
    """Return visits without findings, PA and lateral."""
    visits = (sample_visit("source", 7, index, SIZE) for index in range(80))
    return [
        visit
        for visit in visits
        if not visit.findings and [view.position for view in visit.views] == ["PA", "LATERAL"]
    ][:8]


def with_findings(visit, *findings):
    return dataclasses.replace(
        visit, findings=findings, chest=build_chest(visit.patient, visit.breath, findings)
    )


def picture(visit, view=0):
    return expose(*project(visit, view), visit, view).astype(float)


def pixels(visit, view, body):
    """Return the slices that a body of 3-D extent covers."""
    (x, y, z), radii = body
    geometry = visit.views[view]
    column, row = geometry.project((x, y, z))
    across = radii[0] if view == 0 else radii[1]
    scale = geometry.pixels_per_cm
    rows = slice(max(0, int(row - radii[2] * scale)), int(np.ceil(row + radii[2] * scale)) + 1)
    columns = slice(max(0, int(column - across * scale)), int(np.ceil(column + across * scale)) + 1)
    return rows, columns


def test_same_arguments_same_picture_in_another_process():
    view = next(iter(open_reader("phantom", studies=1, image_size=64))).views[0]
    here = view.render()
    code = "import sys, pickle; sys.stdout.buffer.write(pickle.load(sys.stdin.buffer)().tobytes())"
    there = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(view.render), capture_output=True, check=True
    ).stdout
    assert here.dtype == np.uint8
    assert here.shape == (64, 64)
    assert here.tobytes() == there
    assert here.tobytes() == view.render().tobytes()


def test_domains_seeds_studies_and_views_differ():
    pictures = [
        render_view(*arguments, 48).tobytes()
        for arguments in (
            ("source", 0, 0, 0),
            ("target", 0, 0, 0),
            ("source", 1, 0, 0),
            ("source", 0, 1, 0),
            ("source", 0, 0, 1),
        )
    ]
    assert len(set(pictures)) == len(pictures)


@pytest.mark.parametrize("index", range(3))
def test_size_changes_the_resolution_not_the_content(index):
    small, large = (render_view("source", 3, index, 0, size).astype(float) for size in (64, 192))
    shrunk = large.reshape(64, 3, 64, 3).mean((1, 3))
    assert np.corrcoef(small.ravel(), shrunk.ravel())[0, 1] > 0.97


def test_picture_uses_the_grey_scale_and_lungs_are_darker_than_heart_and_abdomen(healthy):
    for visit in healthy:
        image = picture(visit)
        assert np.quantile(image, 0.98) > 200
        assert image.min() < 40

        def grey(x, y, z, image=image, visit=visit):
            column, row = (int(value) for value in visit.views[0].project((x, y, z)))
            return image[row - 1 : row + 2, column - 1 : column + 2].mean()

        chest = visit.chest
        lung = 0.5 * (grey(-7.0, 0.0, 4.0) + grey(7.0, 0.0, 4.0))
        assert lung + 35 < grey(*chest.heart)
        assert lung + 50 < grey(-6.0, 0.0, chest.dome[0] - 5.0)


def test_heart_is_on_the_right_of_the_picture_stomach_bubble_too(healthy):
    for visit in healthy:
        view, image = visit.views[0], picture(visit)
        row = int(view.project((0.0, 0.0, visit.chest.heart[2]))[1])
        middle = int(view.project((0.0, 0.0, 0.0))[0])
        reach = int(8.0 * view.pixels_per_cm)
        band = image[row - 2 : row + 3].mean(0)
        assert band[middle : middle + reach].mean() > band[middle - reach : middle].mean() + 10
        left, right = (
            image[
                slice(*sorted(int(view.project((x, 2.0, visit.chest.dome[1] - 2.4))[1]) + d for d in (-1, 2)))
            ][:, int(view.project((x, 2.0, 0.0))[0])].mean()
            for x in (5.8, -5.8)
        )
        assert left < right


@pytest.mark.parametrize("name", sorted(FOCAL))
@pytest.mark.parametrize("view", [0, 1])
def test_focal_finding_lies_where_its_box_is_in_both_views(healthy, name, view):
    finding = FOCAL[name]
    for visit in healthy[:4]:
        ill = with_findings(visit, finding)
        more = project(ill, view)[0] - project(visit, view)[0]
        box = pixels(ill, view, extent(finding, ill.chest))
        assert more[box].sum() > 0.8 * more.clip(0).sum()
        assert more[box].max() > 0.35
        row, column = np.average(np.indices(more.shape).reshape(2, -1), axis=1, weights=more.clip(0).ravel())
        expected = ill.views[view].project(ill.chest.lung_point(finding.side, finding.place))
        slack = 1.3 * ill.views[view].pixels_per_cm
        assert (column, row) == pytest.approx(expected, abs=slack)


def test_cardiomegaly_widens_the_heart(healthy):
    for visit in healthy:
        ratios = []
        for findings in ((), (Finding(name="Cardiomegaly", amount=0.5),)):
            changed = with_findings(visit, *findings)
            row = int(changed.views[0].project((0.0, 0.0, changed.chest.heart[2]))[1])
            air = project(changed, 0)[1][row]
            full = np.quantile(-air, 0.9)
            ratios.append((-air < 0.6 * full)[np.flatnonzero(-air > 0.6 * full)[0] :].sum() / SIZE)
        assert ratios[1] > ratios[0] + 0.04


def test_emphysema_darkens_and_edema_whitens_the_lungs(healthy):
    greys = {"": [], "Emphysema": [], "Edema": []}
    for visit in healthy:
        for name, values in greys.items():
            changed = with_findings(visit, *([Finding(name=name, amount=0.8)] if name else []))
            columns = [int(changed.views[0].project((x, 0.0, 0.0))[0]) for x in (-8.0, -4.5, 4.5, 8.0)]
            rows = slice(*(int(changed.views[0].project((0.0, 0.0, z))[1]) for z in (4.0, -2.0)))
            image = picture(changed)
            values.append(np.mean([image[rows, a:b].mean() for a, b in (columns[:2], columns[2:])]))
    dark, plain, white = (np.array(greys[name]) for name in ("Emphysema", "", "Edema"))
    assert (plain - dark).mean() > 8
    assert (white - plain).mean() > 8


def test_effusion_fills_the_angle_and_pneumothorax_empties_the_apex(healthy):
    for visit in healthy:
        view = visit.views[0]
        plain = project(visit, 0)[0]
        wet = project(with_findings(visit, Finding(name="Pleural Effusion", side="right", amount=0.5)), 0)[0]
        height = float(visit.chest.relative_height(visit.chest.dome[0] - 0.5))
        column, row = (
            int(value) for value in view.project(visit.chest.lung_point("right", (0.85, -0.2, height)))
        )
        assert (wet - plain)[row - 1 : row + 2, column - 1 : column + 2].mean() > 1.5
        assert np.abs(wet - plain)[:, int(view.project((4.0, 0, 0))[0]) :].max() < 0.1
        free = project(with_findings(visit, Finding(name="Pneumothorax", side="left", amount=0.6)), 0)[0]
        column, row = (int(value) for value in view.project((7.0, -3.0, visit.chest.height(0.12))))
        assert (free - plain)[row - 1 : row + 2, column - 1 : column + 2].mean() < -0.4


def test_broken_rib_changes_the_picture_there(healthy):
    finding = Finding(name="Rib Fracture", side="left", rib=6, amount=0.8, place=(0.45, 0.0, 0.0))
    for visit in healthy[:3]:
        change = np.abs(project(with_findings(visit, finding), 0)[0] - project(visit, 0)[0])
        box = pixels(visit, 0, extent(finding, visit.chest))
        assert change[box].max() > 0.25


def test_target_pictures_have_another_style():
    def statistics(domain):
        images = [render_view(domain, 1, index, 0, 64).astype(float) for index in range(12)]
        rough = [np.abs(np.diff(image, axis=1)).mean() for image in images]
        return np.mean([image.mean() for image in images]), np.mean(rough)

    source, target = statistics("source"), statistics("target")
    assert abs(source[0] - target[0]) > 5


def test_devices_shine():
    visit = next(
        visit
        for visit in (sample_visit("source", 0, index, SIZE) for index in range(400))
        if "pacemaker" in visit.devices and visit.views[0].position == "PA"
    )
    bare = dataclasses.replace(visit, devices=())
    more = project(visit, 0)[0] - project(bare, 0)[0]
    assert more.max() > 2.0
    assert np.flatnonzero(more.max(0) > 2.0).mean() > visit.views[0].project((3.0, 0.0, 0.0))[0]
