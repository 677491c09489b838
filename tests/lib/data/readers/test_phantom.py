import itertools
import math

import pytest

from lib.data.phantom.domain import LABEL_NAMES
from lib.data.readers import open_reader, read
from lib.data.readers.phantom import PhantomSource, PhantomTarget


@pytest.mark.parametrize("name", ["phantom", "phantom_target"])
def test_records_are_complete_and_light(name):
    reader = open_reader(name, studies=120)
    studies = list(reader)
    assert len(studies) == len(reader) == 120
    assert reader.synthetic
    assert reader.label_names == LABEL_NAMES
    assert len({study.study_id for study in studies}) == 120
    assert len({view.view_id for study in studies for view in study.views}) == sum(
        len(s.views) for s in studies
    )
    for study in studies:
        assert tuple(study.labels) == LABEL_NAMES
        assert 1 <= len(study.views) <= 3
        assert study.views[0].position in ("PA", "AP")
        assert all(view.path is None and callable(view.render) for view in study.views)
        assert study.sex in ("M", "F")
        assert 18 <= study.age <= 94
        assert not math.isnan(study.age)
        assert {box.view_id for box in study.boxes} <= {view.view_id for view in study.views}
        assert {box.finding for box in study.boxes} <= set(LABEL_NAMES)


def test_only_the_source_has_reports():
    assert PhantomSource.has_reports
    assert not PhantomTarget.has_reports
    assert all(study.impression for study in read("phantom", studies=200))
    assert all(study.findings == study.impression == "" for study in read("phantom_target", studies=200))
    assert any(study.boxes for study in read("phantom_target", studies=50))


@pytest.mark.parametrize("name", ["phantom", "phantom_target"])
def test_a_study_depends_on_domain_seed_and_index_alone(name):
    few, many = list(read(name, studies=20)), list(itertools.islice(read(name, studies=500), 20))
    assert [repr(study) for study in few] == [repr(study) for study in many]
    assert repr(open_reader(name, studies=3).study(17)) == repr(few[17])
    other = list(read(name, studies=20, seed=1))
    assert not {study.study_id for study in few} & {study.study_id for study in other}
    assert not {study.patient_id for study in few} & {study.patient_id for study in other}
    assert [study.labels for study in few] != [study.labels for study in other]


def test_domains_do_not_share_patients():
    source, target = (
        {study.patient_id for study in read(name, studies=50)} for name in ("phantom", "phantom_target")
    )
    assert not source & target


def test_size_scales_boxes_and_nothing_else():
    for small, large in zip(
        read("phantom", studies=60, image_size=128), read("phantom", studies=60, image_size=256), strict=True
    ):
        assert (small.labels, small.findings, small.age) == (large.labels, large.findings, large.age)
        for one, other in zip(small.boxes, large.boxes, strict=True):
            corners = [2 * value for value in (one.x0, one.y0, one.x1, one.y1)]
            assert [other.x0, other.y0, other.x1, other.y1] == pytest.approx(corners, abs=1e-6)


@pytest.mark.parametrize(("option", "value"), [("studies", 0), ("image_size", 8), ("seed", "x")])
def test_bad_options_name_the_value(option, value):
    with pytest.raises(ValueError, match=f"{option}={value!r}"):
        open_reader("phantom", **{option: value})


def test_unknown_option_is_an_error():
    with pytest.raises(ValueError, match="no option 'colour'. Known: studies, seed, image_size"):
        open_reader("phantom", colour="red")
