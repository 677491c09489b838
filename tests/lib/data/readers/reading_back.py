"""Does a reader give back the very studies that a layout wrote?"""

import math

import numpy as np
import pytest

from lib.data.decode import read_picture
from lib.data.layouts import write_layout
from lib.data.readers import read

LOSSLESS = (".png", ".dcm", ".dicom")


def check_layout(name, root, *, num_studies=12, image_size=64, **options):
    """Write, read and compare everything; return the studies as read."""
    written = {
        s.study_id: s for s in write_layout(name, root, num_studies=num_studies, image_size=image_size)
    }
    found = {study.study_id: study for study in read(name, root, **options)}
    assert found.keys() == written.keys() and len(found) > 1
    for study_id, study in found.items():
        check_study(study, written[study_id], image_size)
    return list(found.values())


def check_study(study, expected, image_size):
    """Compare what the data set carries; times and paths aside, that is everything."""
    for field in ("patient_id", "findings", "impression", "sex", "split"):
        assert getattr(study, field) == getattr(expected, field), (study.study_id, field)
    assert study.age == expected.age or (math.isnan(study.age) and math.isnan(expected.age))
    assert study.labels.keys() == expected.labels.keys()
    for label, value in study.labels.items():
        assert value == expected.labels[label] or (
            math.isnan(value) and math.isnan(expected.labels[label])
        ), label
    assert [box_key(box) for box in study.boxes] == [box_key(box) for box in expected.boxes]
    for box, twin in zip(study.boxes, expected.boxes, strict=True):
        assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx(
            (twin.x0, twin.y0, twin.x1, twin.y1), abs=1e-6
        )
    assert len(study.views) == len(expected.views)
    for view, twin in zip(study.views, expected.views, strict=True):
        assert (view.view_id, view.position, view.refused) == (twin.view_id, twin.position, twin.refused)
        assert view.box_frame == twin.box_frame
        if view.refused:
            continue
        pixels, _ = read_picture(view.path, image_size)
        difference = np.abs(pixels.astype(int) - twin.render().astype(int))
        assert difference.max() == 0 if view.path.suffix in LOSSLESS else difference.mean() < 3


def box_key(box):
    """Return what identifies a box beside its corners."""
    return box.view_id, box.finding, box.reader
