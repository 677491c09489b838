import collections
import dataclasses
import itertools

import numpy as np
import pytest

from lib.data.phantom.body.extents import extent
from lib.data.phantom.boxes import READERS, is_visible, mark_findings
from lib.data.phantom.findings import BEHIND_HEART, Finding
from lib.data.phantom.visit import sample_visit
from lib.data.readers import open_reader


@pytest.fixture(scope="module")
def marked():
    """Return boxes by (view, finding) of both domains; values map readers to corners."""
    groups = collections.defaultdict(lambda: collections.defaultdict(list))
    for name in ("phantom", "phantom_target"):
        for study in open_reader(name, studies=600, seed=2, image_size=200):
            for box in study.boxes:
                corners = (box.x0, box.y0, box.x1, box.y1)
                groups[box.view_id, box.finding][box.reader].append(corners)
    return groups


def overlap(one, other):
    """Return the intersection over the union of two boxes."""
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width * height / (areas - width * height)


def test_boxes_are_inside_the_picture_and_not_empty(marked):
    corners = np.array([box for readers in marked.values() for boxes in readers.values() for box in boxes])
    assert len(corners) > 2000
    assert (corners >= 0).all() and (corners <= 200).all()
    assert (corners[:, 2] - corners[:, 0] > 1).all() and (corners[:, 3] - corners[:, 1] > 1).all()


def test_three_readers_differ_a_little(marked):
    agreement = []
    for readers in marked.values():
        if all(len(readers[reader]) == 1 for reader in READERS):
            one, two, three = (readers[reader][0] for reader in READERS)
            assert one != two != three != one
            agreement += [overlap(one, two), overlap(two, three)]
    assert 0.65 < np.mean(agreement) < 0.95


def test_boxes_are_the_projected_extent():
    agreement = []
    for index in range(300):
        visit = sample_visit("target", 6, index, 256)
        for finding, view in itertools.product(visit.findings, visit.views):
            centre, radii = extent(finding, visit.chest)
            corners = [
                view.project(tuple(c + s * r for c, s, r in zip(centre, signs, radii, strict=True)))
                for signs in itertools.product((-1, 1), repeat=3)
            ]
            columns, rows = zip(*corners, strict=True)
            expected = [min(columns), min(rows), max(columns), max(rows)]
            alone = dataclasses.replace(visit, findings=(finding,))
            for reader, name, box in mark_findings(alone, view, visit.stream("boxes")):
                assert name == finding.name
                if reader == "R2" and min(expected) > 0 and max(expected) < 256:
                    agreement.append(overlap(box, expected))
    assert len(agreement) > 100
    assert np.quantile(agreement, 0.1) > 0.5  # thin plates of atelectasis agree least
    assert np.mean(agreement) > 0.75


def test_views_hide_what_they_hide():
    visit = next(
        visit
        for visit in (sample_visit("source", 0, index, 128) for index in range(99))
        if len(visit.views) == 2
    )
    frontal, lateral = visit.views
    cases = {
        Finding(name="Pleural Effusion", side="left", amount=0.05): (False, True),
        Finding(name="Pleural Effusion", side="left", amount=0.5): (True, True),
        Finding(name="Nodule", side="left", kind=BEHIND_HEART, amount=0.3, size=(0.8,) * 3): (False, True),
        Finding(name="Pneumothorax", side="right", amount=0.4): (True, False),
        Finding(name="Rib Fracture", side="right", rib=5): (True, False),
        Finding(name="Nodule", side="left", zone="upper", place=(0.5, 0.0, 0.15), size=(0.8,) * 3): (
            True,
            False,
        ),
        Finding(name="Cardiomegaly", amount=0.5): (True, True),
    }
    for finding, expected in cases.items():
        shown = tuple(is_visible(finding, view, visit.chest) for view in (frontal, lateral))
        assert shown == expected, finding
        alone = dataclasses.replace(visit, findings=(finding,))
        drawn = tuple(bool(mark_findings(alone, view, visit.stream("boxes"))) for view in (frontal, lateral))
        assert drawn == expected, finding


def test_boxes_of_both_sides_are_on_their_sides():
    for index in range(300):
        visit = sample_visit("source", 4, index, 128)
        frontal = visit.views[0]
        for finding in visit.findings:
            if finding.side and finding.name != "Rib Fracture":
                alone = dataclasses.replace(visit, findings=(finding,))
                for _, _, (x0, _, x1, _) in mark_findings(alone, frontal, visit.stream("boxes")):
                    middle = frontal.project((0.0, 0.0, 0.0))[0]
                    assert ((x0 + x1) / 2 > middle) == (finding.side == "left")
