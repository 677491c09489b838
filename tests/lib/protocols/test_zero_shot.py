"""Zero-shot: prompts that say the labels find them, and what cannot be told stays at chance."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tiny_pairs import frontal_loader, make_pairs, make_store, read_tiny_prompts

from lib.data.prompts import read_prompts
from lib.protocols.features import Features
from lib.protocols.zero_shot import ensemble_scores, spread_over_styles, style_scores, zero_shot

FINDINGS = ["opacity", "device", "rare"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("zero_shot") / "tiny")


@pytest.fixture(scope="module")
def pairs(store):
    return make_pairs(store)


@pytest.fixture(scope="module")
def images(store, pairs) -> Features:
    return pairs.embed_images(frontal_loader(store, np.arange(len(store))))


@pytest.fixture(scope="module")
def prompts(tmp_path_factory):
    return read_tiny_prompts(tmp_path_factory.mktemp("prompts"))


def test_embeddings_that_are_the_labels_give_an_auroc_of_1(pairs, images, store, prompts):
    report = zero_shot(pairs, images, store, prompts, FINDINGS)
    assert report["ensemble"]["auroc"] == {"estimate": 1.0, "low": 1.0, "high": 1.0}
    assert report["ensemble"]["num_images"] == len(images.values) == 300
    assert report["ensemble"]["bootstrap"]["unit"] == "patient"
    assert list(report["styles"]) == ["plain", "short"]
    assert list(report["styles"]["plain"]["per_label"]) == ["opacity", "device"]
    assert list(report["styles"]["short"]["per_label"]) == ["opacity", "rare"]
    assert report["num_prompts"] == {"opacity": [2, 2], "device": [1, 1], "rare": [1, 1]}
    assert report["spread"]["per_label"]["opacity"] == {"min": 1.0, "max": 1.0, "sd": 0.0, "num_styles": 2}
    assert report["spread"]["per_label"]["rare"]["sd"] is None
    assert report["spread"]["auroc"]["findings"] == ["opacity"]


def test_random_embeddings_stay_at_chance(pairs, images, store, prompts):
    values = np.random.default_rng(2).standard_normal(images.values.shape).astype(np.float32)
    random = Features(images.study_rows, images.view_rows, values)
    report = zero_shot(pairs, random, store, prompts, ["opacity", "device"])
    for about in (report["ensemble"]["auroc"], *report["ensemble"]["per_label"].values()):
        assert about["low"] < 0.5 < about["high"]


def test_scores_are_the_difference_of_means_and_their_mean_over_styles(pairs, images, store, prompts):
    values = np.random.default_rng(4).standard_normal((20, 3)).astype(np.float32)
    scores = style_scores(pairs, values, prompts, FINDINGS)
    for style, name in (("plain", "device"), ("short", "opacity")):
        pair = prompts.of(name)[style]
        fits = [values @ pairs.embed_texts(list(side)).T for side in pair]
        np.testing.assert_allclose(scores[style][name], fits[0].mean(1) - fits[1].mean(1), atol=1e-5)
    ensemble = ensemble_scores(scores, FINDINGS)
    expected = (scores["plain"]["opacity"] + scores["short"]["opacity"]) / 2
    np.testing.assert_allclose(ensemble[:, 0], expected)
    np.testing.assert_allclose(ensemble[:, 2], scores["short"]["rare"])


def test_estimates_are_those_of_scikit_learn(pairs, images, store, prompts):
    random = np.random.default_rng(5)
    noisy = Features(
        images.study_rows,
        images.view_rows,
        (images.values + 2 * random.standard_normal(images.values.shape)).astype(np.float32),
    )
    report = zero_shot(pairs, noisy, store, prompts, ["opacity"])
    scores = style_scores(pairs, noisy.values, prompts, ["opacity"])["plain"]["opacity"]
    expected = roc_auc_score(store.labels[noisy.study_rows, 0], scores)
    about = report["styles"]["plain"]["per_label"]["opacity"]
    assert about["estimate"] == pytest.approx(expected, abs=1e-6)
    assert about["low"] < about["estimate"] < about["high"]


def test_spread_is_over_the_styles_that_can_be_judged():
    styles = {
        "a": {"per_label": {"x": {"estimate": 0.6}, "y": {"estimate": 0.8}, "z": {"estimate": None}}},
        "b": {"per_label": {"x": {"estimate": 0.7}, "y": {"estimate": 0.9}}},
        "c": {"per_label": {"x": {"estimate": 0.9}}},
    }
    spread = spread_over_styles(styles)
    assert spread["per_label"]["x"] == {"min": 0.6, "max": 0.9, "sd": 0.152753, "num_styles": 3}
    assert "z" not in spread["per_label"]
    assert spread["auroc"]["findings"] == ["x"] and spread["auroc"]["max"] == 0.9
    assert spread_over_styles({"a": {"per_label": {"z": {"estimate": None}}}})["auroc"] is None


def test_a_finding_with_one_class_has_no_auroc(pairs, images, store, prompts):
    rows = np.flatnonzero(store.labels[:, 2] == 0)
    report = zero_shot(pairs, images.of(rows), store, prompts, FINDINGS)
    assert report["ensemble"]["per_label"]["rare"]["estimate"] is None
    assert report["ensemble"]["auroc"]["estimate"] == 1.0
    assert "rare" not in report["spread"]["per_label"]


def test_findings_without_prompts_or_labels_are_named(pairs, images, store, prompts):
    with pytest.raises(ValueError, match="no prompts for 'unknown'. .*It has opacity, device, rare"):
        zero_shot(pairs, images, store, prompts, ["opacity", "unknown"])
    with pytest.raises(ValueError, match=r"has no labels \['Edema'\]; it has opacity"):
        zero_shot(pairs, images, store, read_prompts(), ["Edema"])
    with pytest.raises(ValueError, match="at least one finding"):
        zero_shot(pairs, images, store, prompts, [])
