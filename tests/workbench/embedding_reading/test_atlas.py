"""Which pictures, which features, which maps: against the store, the encoder and what is kept."""

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_atlas import QUICK, make_atlas

from lib.data.augment import center_crop, normalize
from lib.data.ingest import ingest
from lib.embedding.align import align
from lib.embedding.project import project, unit_length
from tests.tiny_studies import TinyStudies
from workbench.embedding_reading.atlas import Atlas, open_atlas
from workbench.embedding_reading.checkpoints import find_checkpoints
from workbench.locating import open_classifier
from workbench.reopen import load_objective, open_data

pytestmark = pytest.mark.usefixtures("one_thread", "roots")


def test_it_takes_the_frontal_pictures_of_a_split(convirt):
    atlas = make_atlas(convirt.run, split="test")
    store, manifest = open_data(convirt.run)
    table = atlas.pictures.table
    frontal = np.flatnonzero((store.views["position"] == "PA").to_numpy())
    rows = store.views["study_row"].to_numpy()[frontal]
    expected = frontal[np.isin(rows, manifest.rows("test"))]
    assert table["view_row"].tolist() == expected.tolist() and set(table["split"]) == {"test"}
    assert table["study_id"].tolist() == store.views["study_id"].iloc[expected].tolist()
    np.testing.assert_array_equal(atlas.pictures.labels, store.labels[table["study_row"]])
    assert [atlas.pictures.texts[study] for study in table["study"]] == [
        store.texts[row] for row in table["study_row"]
    ]
    np.testing.assert_array_equal(atlas.pictures.images([3])[0], store.images[expected[3]])
    assert atlas.message == "" and "not patients" in atlas.pictures.note


def test_features_are_those_of_the_encoder(convirt, atlas, tuned):
    store, _ = open_data(convirt.run)
    pixels = torch.from_numpy(np.asarray(store.images)[atlas.pictures.table["view_row"][:9]])[:, None]
    images = normalize(center_crop(pixels, 32))
    encoders = [load_objective(convirt.run).encoder, open_classifier(tuned).classifier.encoder]
    atlases = [atlas, Atlas([tuned.id], split="all", device="cpu")]
    for encoder, one in zip(encoders, atlases, strict=True):
        with torch.no_grad():
            expected = unit_length(encoder(images).pooled.numpy())
        np.testing.assert_allclose(one.features(0)[:9], expected, atol=1e-5)
    assert np.abs(atlas.features(0) - atlas.features(1)).max() > 0.01  # before training


def test_maps_are_kept_and_the_second_lies_over_the_first(atlas, monkeypatch):
    first, second = atlas.map(0, "pca"), atlas.map(1, "pca")
    np.testing.assert_allclose(first, project(atlas.features(0), "pca", config=QUICK), atol=1e-5)
    own = project(atlas.features(1), "pca", config=QUICK)
    np.testing.assert_allclose(second, align(own, first)[0], atol=1e-4)
    monkeypatch.setattr("workbench.embedding_reading.atlas.project", None)  # must not be asked again
    again = Atlas([f"{one.run.id}@{one.weights}" for one in atlas.checkpoints], split="all", config=QUICK)
    np.testing.assert_array_equal(again.map(1, "pca"), second)
    kept = pd.read_parquet(atlas.kept(0, f"pca-0-{atlas.settings}.parquet"))
    assert kept["view_id"].tolist() == atlas.pictures.table["view_id"].tolist()


def test_of_many_pictures_whole_studies_are_drawn_and_it_is_said(convirt):
    atlas = make_atlas(convirt.run, most=60, positions=("PA", "LATERAL"))
    assert 50 < len(atlas.pictures) <= 60
    assert f"{len(atlas.pictures)} of {atlas.pictures.available}" in atlas.message
    assert "trained on" in atlas.message
    counts = atlas.pictures.table.groupby("study_id").size()
    store = atlas.pictures.stores[0]
    whole = store.views.groupby("study_id").size()
    assert (counts == whole[counts.index]).all()
    another = make_atlas(convirt.run, most=60, positions=("PA", "LATERAL"), seed=1)
    assert another.pictures.id != atlas.pictures.id


def test_more_than_the_cap_is_said_and_cut(convirt, monkeypatch):
    monkeypatch.setattr("workbench.embedding_reading.atlas.MOST", 50)
    atlas = make_atlas(convirt.run, most=100)
    assert "100 pictures are more than a browser draws well: 50 at most" in atlas.message
    assert len(atlas.pictures) <= 50


def test_two_stores_are_two_sites(convirt, tmp_path):
    other = tmp_path / "other"
    ingest(TinyStudies(60, False, seed=3), other, image_size=36, workers=0, progress=False)
    atlas = make_atlas(convirt.run, stores=[convirt.made.store, other], split="test")
    table = atlas.pictures.table
    assert set(table["site"]) == {"source", "other"}
    assert atlas.features(0).shape[0] == len(table)
    assert set(table.loc[table["site"] == "other", "patient"].str[:2]) == {"1:"}
    assert list(atlas.summary()) == ["source", "other"]
    assert atlas.summary().loc["reports"].tolist() == ["yes", "no"]


@pytest.mark.parametrize(
    ("name", "error", "named"),
    [
        ("{run}@step-7", FileNotFoundError, "step-8, step-16, step-24"),
        ("{run}@best", ValueError, "after the @"),
        ("20200101-000000-none-0000", FileNotFoundError, "not a run folder"),
        ("{tuned}@initial", ValueError, "best weights alone"),
    ],
)
def test_checkpoints_that_are_not_there_are_refused(convirt, tuned, name, error, named):
    with pytest.raises(error, match=named):
        find_checkpoints([name.format(run=convirt.run.id, tuned=tuned.id)])


def test_checkpoints_have_names_of_their_own(convirt, tuned):
    run = convirt.run.id
    named = find_checkpoints([run, f"{run}@step-8", f"{run}@initial", tuned.id, run])
    titles = [one.title for one in named]
    assert titles == [
        "ConVIRT",
        "ConVIRT, step 8",
        "random initialisation",
        "random initialisation, fine-tuned on 100 %",
    ]
    with pytest.raises(ValueError, match="at least one"):
        find_checkpoints([])


def test_a_wrong_choice_is_refused(convirt):
    with pytest.raises(ValueError, match="'tost' is not one of"):
        make_atlas(convirt.run, split="tost")
    with pytest.raises(ValueError, match="No picture of positions OBLIQUE"):
        make_atlas(convirt.run, positions=("OBLIQUE",))


def test_without_names_the_recipes_run_stands_beside_its_start(convirt, roots):
    atlas = open_atlas([], convirt.made.recipe, split="test", device="cpu")
    assert [(one.run.id, one.weights) for one in atlas.checkpoints] == [
        (convirt.run.id, "trained"),
        (convirt.run.id, "initial"),
    ]
