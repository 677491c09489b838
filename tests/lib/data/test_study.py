import functools
import math
import pickle
from pathlib import Path

import numpy as np
import pytest

from lib.data.study import POSITIONS, Box, Study, View


def test_an_unknown_position_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="View v1: position 'SIDEWAYS' is not one of .*LATERAL"):
        View(view_id="v1", position="SIDEWAYS", path=Path("a.png"))
    assert [View(view_id="v", position=name, path=Path("a.png")).position for name in POSITIONS] == [
        *POSITIONS
    ]


def test_a_view_is_a_file_or_a_function():
    render = functools.partial(np.zeros, (4, 6), np.uint8)
    assert View(view_id="v", render=render).render().shape == (4, 6)
    with pytest.raises(AssertionError):
        View(view_id="v")
    with pytest.raises(AssertionError):
        View(view_id="v", path=Path("a.png"), render=render)


@pytest.mark.parametrize("aspect", [0.0, -1.0, math.nan, math.inf])
def test_an_unknown_aspect_is_none_and_no_odd_number(aspect):
    with pytest.raises(AssertionError):
        View(view_id="v", path=Path("a.png"), aspect=aspect)


def test_a_study_knows_nothing_it_was_not_told():
    study = Study(study_id="s", patient_id="p", views=())
    assert (study.findings, study.impression, study.sex, study.split) == ("", "", "", "")
    assert math.isnan(study.age) and study.labels == {} and study.boxes == ()
    assert Study(study_id="t", patient_id="p", views=()).labels is not study.labels


def test_a_study_travels_to_another_process():
    render = functools.partial(np.zeros, (4, 6), np.uint8)
    view = View(view_id="v", position="PA", render=render, aspect=1.5)
    box = Box(view_id="v", finding="mass", x0=1, y0=2, x1=3, y1=4)
    study = Study(study_id="s", patient_id="p", views=(view,), labels={"mass": 1.0}, boxes=(box,), age=50.0)
    copy = pickle.loads(pickle.dumps(study))
    assert (
        copy.boxes == study.boxes and copy.labels == study.labels and copy.views[0].render().shape == (4, 6)
    )


def test_a_study_cannot_be_changed_on_the_way():
    study = Study(study_id="s", patient_id="p", views=())
    with pytest.raises(AttributeError):
        study.findings = "rewritten"
