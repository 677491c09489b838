"""The audit finds what was planted, and nothing where nothing was."""

import dataclasses
import functools
import io

import numpy as np
import pytest
from PIL import Image

from lib.data.audit import LEAKS, LeakFound, Part, audit, box_part, parts_of, pretraining_parts, refuse_leaks
from lib.data.ingest import ingest
from lib.data.readers.phantom import PhantomSource
from lib.data.splits import make_manifest
from lib.data.store import Store
from lib.data.study import Box, Study, View
from tests.lib.data.tiny_pictures import Pictures, show

SIZE = 128
NUM_STUDIES = 40


@functools.cache
def chests() -> list[np.ndarray]:
    """Return different phantom chests, frontal and lateral."""
    phantoms = PhantomSource(studies=3 * NUM_STUDIES, seed=5, image_size=SIZE)
    seen: dict[str, np.ndarray] = {}
    for study in phantoms:  # one visit a patient: two visits are alike for a good reason
        seen.setdefault(study.patient_id, study.views[len(seen) % len(study.views)].render())
    return list(seen.values())[: 2 * NUM_STUDIES]


def make_studies(name: str, pictures, *, boxed=()) -> list[Study]:
    return [
        Study(
            study_id=f"{name}-s{number}",
            patient_id=f"{name}-p{number}",
            views=(View(view_id=f"{name}-v{number}", position="PA", render=functools.partial(show, pixels)),),
            labels={"sick": float(number % 2)},
            boxes=(Box(view_id=f"{name}-v{number}", finding="sick", x0=4, y0=4, x1=9, y1=9),)
            if number in boxed
            else (),
        )
        for number, pixels in enumerate(pictures)
    ]


def make_parts(folder, source, target, *, target_name="target"):
    """Ingest both; the target's last ten studies are its test, the five before its validation."""
    stores = [
        ingest(Pictures(name, studies), folder / name, image_size=SIZE, workers=0, progress=False)
        for name, studies in (("source", source), (target_name, target))
        if studies
    ]
    rows = np.arange(NUM_STUDIES)
    cuts = {"train": rows[:-15], "validation": rows[-15:-10], "test": rows[-10:]}
    return [
        Part("pretraining", stores[0], rows),
        *(Part(role, stores[1], members) for role, members in cuts.items()),
    ]


def reencode(pixels, random, mirror=False):
    """Save as JPEG at another size, as a second publisher might."""
    picture = Image.fromarray(pixels[:, ::-1] if mirror else pixels)
    side = int(SIZE * random.uniform(0.8, 1.6))
    file = io.BytesIO()
    picture.resize((side, side), Image.Resampling.BICUBIC).save(
        file, "JPEG", quality=int(random.integers(50, 95))
    )
    return np.asarray(Image.open(file))


def plant(kind, random):
    """Return source and target studies with one leak, and the ids that its example must hold."""
    pictures = chests()
    source = make_studies("source", pictures[:NUM_STUDIES])
    target = make_studies("target", pictures[NUM_STUDIES:])
    victim, culprit = (
        int(random.integers(NUM_STUDIES - 15, NUM_STUDIES)),
        int(random.integers(NUM_STUDIES - 15)),
    )
    # The culprit is learnt from: in pre-training, or in the training of the target.
    learnt = (source, target)[int(random.integers(2))]
    if kind in ("same patient", "same study"):
        learnt = target
    twin, original = learnt[culprit], target[victim]
    if kind == "same patient":
        learnt[culprit] = dataclasses.replace(twin, patient_id=original.patient_id)
        return source, target, original.patient_id
    view, pixels = original.views[0], original.views[0].render()
    if kind == "near-identical image":
        pixels = reencode(pixels, random)
    elif kind == "mirrored image":
        pixels = reencode(pixels, random, mirror=True)
    copy = dataclasses.replace(twin.views[0], render=functools.partial(show, pixels))
    learnt[culprit] = dataclasses.replace(twin, views=(copy,))
    return source, target, view.view_id


KINDS = ("same patient", "identical image", "near-identical image", "mirrored image", "boxes outside test")


@pytest.mark.parametrize("seed", range(50))
def test_every_planted_leak_is_found_and_nothing_else(tmp_path, seed):
    random = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    if kind == "boxes outside test":
        number = int(random.integers(NUM_STUDIES - 10))
        pictures = chests()
        source = make_studies("source", pictures[:NUM_STUDIES])
        target = make_studies("target", pictures[NUM_STUDIES:], boxed=(number, NUM_STUDIES - 1))
        expected = f"target-v{number}"
    else:
        source, target, expected = plant(kind, random)
    findings = audit(make_parts(tmp_path, source, target))
    assert {finding.kind for finding in findings} == {kind}
    assert {finding.count for finding in findings} == {1}
    assert all(expected in " ".join(finding.examples) for finding in findings)
    if kind in LEAKS:
        with pytest.raises(LeakFound, match=kind):
            refuse_leaks(findings)
    refuse_leaks(findings, allow_leak="planted")


def test_nothing_is_found_where_nothing_is(tmp_path):
    pictures = chests()
    parts = make_parts(
        tmp_path,
        make_studies("source", pictures[:NUM_STUDIES]),
        make_studies("target", pictures[NUM_STUDIES:]),
    )
    assert audit(parts) == []


def test_a_study_of_two_stores_of_one_data_set_is_found(tmp_path):
    pictures = chests()
    first = make_studies("set", pictures[:NUM_STUDIES])
    second = make_studies("other", pictures[NUM_STUDIES:])
    second[-1] = dataclasses.replace(second[-1], study_id=first[3].study_id)
    stores = [
        ingest(Pictures("set", studies), tmp_path / name, image_size=SIZE, workers=0, progress=False)
        for name, studies in (("a", first), ("b", second))
    ]
    rows = np.arange(NUM_STUDIES)
    (finding,) = audit([Part("pretraining", stores[0], rows), Part("test", stores[1], rows)])
    assert finding.kind == "same study" and finding.examples == ("set-s3",)


def test_drifting_labels_and_view_mix_are_warnings(tmp_path):
    pictures = chests()
    studies = make_studies("set", pictures)
    for number in range(60, 80):
        view = dataclasses.replace(studies[number].views[0], position="AP")
        studies[number] = dataclasses.replace(studies[number], labels={"sick": 1.0}, views=(view,))
    for number in range(60):
        studies[number] = dataclasses.replace(studies[number], labels={"sick": float(number % 4 == 0)})
    store = ingest(Pictures("set", studies), tmp_path / "set", image_size=SIZE, workers=0, progress=False)
    findings = audit([Part("train", store, np.arange(60)), Part("test", store, np.arange(60, 80))])
    assert [finding.kind for finding in findings] == ["prevalence drift", "view mix"]
    assert findings[0].examples == ("sick 25% and 100%",)
    assert findings[1].examples == ("AP 0% and 100%",) or findings[1].examples == ("PA 100% and 0%",)
    refuse_leaks(findings)  # warnings stop nothing


def test_a_manifest_keeps_its_own_border(tmp_path):
    studies = make_studies("set", chests())
    store: Store = ingest(
        Pictures("set", studies), tmp_path / "set", image_size=SIZE, workers=0, progress=False
    )
    manifest = make_manifest(store)
    assert audit([*pretraining_parts(store, manifest), *parts_of(store, manifest)]) == []
    other = pretraining_parts(store, make_manifest(store, seed=1))
    findings = audit([*other, *parts_of(store, manifest)])
    borders = {finding.border for finding in findings if finding.kind == "same patient"}
    assert borders == {
        "pretraining of set and validation of set",
        "pretraining of set and test of set",
        "pretraining validation of set and test of set",
    }


@pytest.mark.parametrize("seed", range(10))
def test_a_store_of_boxes_shares_nothing_with_what_was_learnt(tmp_path, seed):
    """A box store has a picture of the training once more, re-encoded and under other names."""
    random = np.random.default_rng(seed)
    pictures = chests()
    number = int(random.integers(NUM_STUDIES - 10))  # not in the test
    boxed = [*pictures[NUM_STUDIES:], reencode(pictures[number], random, mirror=bool(seed % 2))]
    box_store = ingest(
        Pictures("boxes", make_studies("boxes", boxed, boxed={2, 7, NUM_STUDIES})),
        tmp_path / "boxes",
        image_size=SIZE,
        workers=0,
        progress=False,
    )
    parts = make_parts(
        tmp_path, make_studies("source", pictures[:5]), make_studies("target", pictures[:NUM_STUDIES])
    )
    parts = [part for part in parts if part.role != "pretraining"]
    assert box_part(box_store).rows.tolist() == [2, 7, NUM_STUDIES]
    (finding,) = audit([*parts, box_part(box_store)])
    assert finding.kind == ("mirrored image" if seed % 2 else "near-identical image")
    assert finding.border == f"{parts[0 if number < NUM_STUDIES - 15 else 1].name} and boxes of boxes"
    assert finding.examples == (f"target-v{number} is boxes-v{NUM_STUDIES}",) and finding.is_leak


def test_a_store_without_boxes_judges_nothing(tmp_path):
    parts = make_parts(tmp_path, make_studies("source", chests()[:3]), make_studies("target", chests()[3:9]))
    with pytest.raises(ValueError, match=r"source has no boxes; --boxes takes a store with boxes"):
        box_part(parts[0].store)


def test_a_split_without_studies_has_nothing_to_leak(tmp_path):
    store = ingest(
        Pictures("set", make_studies("set", chests())),
        tmp_path / "set",
        image_size=SIZE,
        workers=0,
        progress=False,
    )
    manifest = make_manifest(store, fractions=(0.8, 0.0, 0.2))
    assert not len(manifest.rows("validation"))
    assert audit(parts_of(store, manifest)) == []
