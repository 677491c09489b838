"""Linear probes: features once per image, a convex problem solved to its minimum, judged like fine-tuning."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from tiny_studies import TinyStudies

from lib.data.ingest import ingest
from lib.data.loader import StudyLoader
from lib.data.splits import make_manifest
from lib.data.store import Store
from lib.models.radiograph_transformer import RadiographTransformer
from lib.protocols.features import Features, extract_features
from lib.protocols.linear_probe import LinearProbeConfig, _in_span, fit_path, linear_probe


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    reader = TinyStudies(num_studies=200, has_reports=False)
    return ingest(reader, tmp_path_factory.mktemp("probe") / "tiny", image_size=36, workers=0, progress=False)


def drawn_features(store: Store, width: int = 6, seed: int = 0) -> Features:
    """Return features of all frontal views; the first number tells of opacity, with noise."""
    random = np.random.default_rng(seed)
    views = np.flatnonzero(store.views["position"].isin(["PA", "AP"]).to_numpy())
    studies = store.views["study_row"].to_numpy()[views]
    values = random.standard_normal((len(views), width)).astype(np.float32)
    values[:, 0] += 1.5 * store.labels[studies, 0]
    return Features(studies, views, 5 * values + 3)


@pytest.mark.parametrize("task", ("multi_label", "binary"))
def test_the_solution_is_that_of_scikit_learn(task):
    random = np.random.default_rng(1)
    values = random.standard_normal((200, 5)).astype(np.float32)
    noise = random.standard_normal((200, 2 if task == "multi_label" else 1))
    labels = (values[:, : noise.shape[1]] + noise > 0.3).astype(np.float32)
    labels[:30, 0] = np.nan if task == "multi_label" else labels[:30, 0]
    for penalty, solution in fit_path(torch.from_numpy(values), torch.from_numpy(labels), task):
        if penalty < 1e-4:
            continue
        known = np.isfinite(labels)
        for column in range(labels.shape[1]):
            rows = known[:, column]
            # Mean over all known labels here; a sum over the rows of one target with weight C there.
            strength = 1 / (penalty * known.sum())
            if task == "binary":
                strength *= 2  # two outputs that mirror each other share the norm of their difference
            double = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000)
            double.fit(values[rows], labels[rows, column])
            ours = (
                solution.weight[:, column]
                if task == "multi_label"
                else solution.weight @ torch.tensor([-1.0, 1])
            )
            np.testing.assert_allclose(ours.numpy(), double.coef_[0], atol=2e-3)


def test_it_finds_what_is_there_and_judges_by_patient(store):
    manifest = make_manifest(store, seed=1)
    table, report = linear_probe(
        drawn_features(store), store, manifest, LinearProbeConfig(targets=["opacity"])
    )
    test_views = set(np.flatnonzero(np.isin(store.views["study_row"], manifest.rows("test"))))
    ids = store.views["view_id"].to_numpy()
    assert set(table["view_id"]) <= {ids[row] for row in test_views}
    assert report["targets"] == ["opacity"] and report["num_images"] == len(table)
    assert report["auroc"]["estimate"] > 0.7
    assert report["num_patients"] == table["patient_id"].nunique()


def test_scale_and_offset_of_the_features_do_not_matter(store):
    manifest, config = make_manifest(store, seed=1), LinearProbeConfig(targets=["opacity"], label_ratio=0.5)
    features = drawn_features(store)
    shifted = Features(features.study_rows, features.view_rows, features.values * 40 - 7)
    first, second = (linear_probe(one, store, manifest, config)[0] for one in (features, shifted))
    np.testing.assert_allclose(first["probability/opacity"], second["probability/opacity"], atol=1e-3)


def test_fewer_images_than_features_are_solved_in_their_span():
    """The same predictions as in all dimensions, by another library."""
    random = np.random.default_rng(4)
    wide = {
        name: torch.from_numpy(random.standard_normal((20, 60)).astype(np.float32))
        for name in ("train", "test")
    }
    labels = (wide["train"][:, :1] > 0).float()
    narrow = _in_span(wide)
    assert narrow["test"].shape == (20, 20)
    for penalty, solution in fit_path(narrow["train"], labels, "multi_label"):
        if penalty < 1e-3:
            break
        double = LogisticRegression(C=1 / (penalty * 20), tol=1e-10, max_iter=10_000)
        double.fit(wide["train"].numpy(), labels[:, 0].numpy())
        expected = double.decision_function(wide["test"].numpy())
        np.testing.assert_allclose(solution.logits(narrow["test"])[:, 0].numpy(), expected, atol=2e-2)


def test_test_labels_and_images_do_not_reach_the_fit(store):
    """Features of the test images changed: the predictions of the others' fit change with them alone."""
    manifest, config = make_manifest(store, seed=2), LinearProbeConfig(targets=["opacity"])
    features = drawn_features(store)
    changed = features.values.copy()
    in_test = np.isin(features.study_rows, manifest.rows("test"))
    changed[in_test] += 100
    other = Features(features.study_rows, features.view_rows, changed)
    first, second = (linear_probe(one, store, manifest, config)[1] for one in (features, other))
    assert first["penalty"] == second["penalty"] and first["best_validation"] == second["best_validation"]


def test_features_are_those_of_the_encoder_once_per_image(store, tmp_path):
    torch.manual_seed(0)
    encoder = RadiographTransformer(
        image_size=32, patch_size=8, width=16, depth=1, num_heads=2, mlp_width=16
    ).eval()
    loader = StudyLoader(
        store, np.array([5, 1, 2]), batch_size=4, num_views=1, image_size=32, unit="image", positions=("PA",)
    )
    features = extract_features(encoder, loader)
    assert (np.diff(features.view_rows) > 0).all() and set(features.study_rows) == {1, 2, 5}
    for batch in loader.epoch(0):
        with torch.no_grad():
            values = encoder(batch.images[:, 0]).pooled
        for row, value in zip(batch.view_rows[:, 0].tolist(), values, strict=True):
            place = features.view_rows.tolist().index(row)
            np.testing.assert_allclose(features.values[place], value, atol=1e-6)
    features.save(tmp_path / "features.npz")
    again = Features.load(tmp_path / "features.npz")
    np.testing.assert_array_equal(again.values, features.values)
    np.testing.assert_array_equal(again.of(np.array([2])).study_rows, [2])


def test_a_label_without_cases_is_named(store):
    manifest = make_manifest(store, seed=1)
    with pytest.raises(ValueError, match="names \\['Mass'\\]"):
        linear_probe(drawn_features(store), store, manifest, LinearProbeConfig(targets=["Mass"]))
