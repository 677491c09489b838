import collections

import pytest

from lib.data.phantom.boxes import is_visible
from lib.data.phantom.domain import DOMAINS, LABEL_NAMES
from lib.data.phantom.visit import sample_visit

STUDIES = 3000


@pytest.fixture(scope="module", params=sorted(DOMAINS))
def visits(request):
    return [sample_visit(request.param, 5, index, 128) for index in range(STUDIES)]


def shares(visits):
    counts = collections.Counter(
        name for visit in visits for name in {finding.name for finding in visit.findings}
    )
    return {name: counts[name] / len(visits) for name in LABEL_NAMES}


def test_prevalence_is_that_of_a_hospital_and_enough_to_learn(visits):
    assert all(0.06 < share < 0.19 for share in shares(visits).values())
    normal = sum(not visit.findings for visit in visits) / STUDIES
    assert 0.30 < normal < 0.39


def test_heart_failure_brings_findings_together(visits):
    names = [{finding.name for finding in visit.findings} for visit in visits]
    expected = shares(visits)
    for one, other in (
        ("Cardiomegaly", "Edema"),
        ("Edema", "Pleural Effusion"),
        ("Pleural Effusion", "Atelectasis"),
    ):
        together = sum(one in found and other in found for found in names) / STUDIES
        assert together > 1.5 * expected[one] * expected[other]


def test_severity_is_spread(visits):
    for name in LABEL_NAMES:
        amounts = [found.amount for visit in visits for found in visit.findings if found.name == name]
        assert min(amounts) < 0.25
        assert max(amounts) > 0.75


def test_focal_findings_are_in_all_zones_on_both_sides(visits):
    for name in ("Consolidation", "Nodule", "Mass"):
        places = {
            (found.side, found.zone) for visit in visits for found in visit.findings if found.name == name
        }
        assert len(places) == 6


def test_every_finding_shows_in_some_view_and_some_in_one_alone(visits):
    single = collections.Counter()
    for visit in visits:
        positions = {view.position: view for view in visit.views}
        for finding in visit.findings:
            seen = [is_visible(finding, view, visit.chest) for view in positions.values()]
            assert any(seen)
            single[finding.name] += not all(seen)
    assert {"Pleural Effusion", "Pneumothorax", "Nodule", "Consolidation", "Rib Fracture"} <= {
        name for name, count in single.items() if count
    }


def test_fluid_and_free_air_do_not_share_a_side(visits):
    for visit in visits:
        sides = collections.defaultdict(set)
        for finding in visit.findings:
            sides[finding.name].add(finding.side)
        assert not sides["Pleural Effusion"] & sides["Pneumothorax"]


def test_some_patients_return_with_the_same_body(visits):
    studies = collections.defaultdict(list)
    for visit in visits:
        studies[visit.patient_index].append(visit)
    returning = [group for group in studies.values() if len(group) > 1]
    assert 0.09 < len(returning) / len(studies) < 0.16
    for group in returning:
        assert all(visit.patient == group[0].patient for visit in group)
        assert all(visit.chest.width == pytest.approx(group[0].chest.width, rel=0.05) for visit in group)


def test_view_mix_is_that_of_the_domain(visits):
    domain = visits[0].domain
    for number, share in enumerate(domain.view_mix, 1):
        assert sum(len(visit.views) == number for visit in visits) / STUDIES == pytest.approx(share, abs=0.03)
    first = collections.Counter(visit.views[0].position for visit in visits if len(visit.views) == 1)
    assert first["AP"] / first.total() == pytest.approx(domain.ap_share[0], abs=0.06)
    assert all(visit.views[1].position == "LATERAL" for visit in visits if len(visit.views) > 1)


def test_target_has_more_bedside_views_than_source():
    bedside = {
        name: sum(sample_visit(name, 1, index, 64).views[0].position == "AP" for index in range(600))
        for name in DOMAINS
    }
    assert bedside["target"] > 1.5 * bedside["source"]
