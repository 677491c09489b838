"""What maps are worth, as tables: measured once, against counting."""

import numpy as np
import pytest

from workbench.embedding_reading.colours import colourings
from workbench.embedding_reading.measures import (
    map_quality,
    neighbour_agreement,
    num_neighbours,
    probe_features,
)

pytestmark = pytest.mark.usefixtures("one_thread", "roots")


def test_quality_is_measured_once(atlas, monkeypatch):
    quality = map_quality(atlas, ["pca"], seeds=[0, 1])
    assert quality["checkpoint"].tolist() == ["ConVIRT", "random initialisation"]
    for name in ("trustworthiness", "continuity", "neighbours", "places"):
        assert quality[name].between(0, 1).all()
    assert (quality["neighbours"] > 3 * quality["chance"]).all()
    monkeypatch.setattr("workbench.embedding_reading.measures.stability", None)  # must not be asked again
    assert map_quality(atlas, ["pca"], seeds=[0, 1]).equals(quality)


def test_agreement_is_counted_among_other_patients(atlas):
    known = colourings(atlas.pictures)
    table = neighbour_agreement(atlas, known, "pca")
    assert set(table["property"]) == {"opacity", "device", "rare", "split"}
    features, patients, k = atlas.features(0), atlas.pictures.patients, num_neighbours(atlas.pictures)
    present = atlas.pictures.labels[:, 1] == 1
    shares = []
    for place in range(len(features)):
        near = np.argsort(((features - features[place]) ** 2).sum(axis=1), kind="stable")
        near = near[patients[near] != patients[place]][:k]
        shares.append((present[near] == present[place]).mean())
    expected = np.mean([np.array(shares)[present].mean(), np.array(shares)[~present].mean()])
    row = table[(table["checkpoint"] == "ConVIRT") & (table["property"] == "device")].iloc[0]
    assert row["estimate"] == pytest.approx(expected, abs=5e-3)
    assert row["low"] <= row["estimate"] <= row["high"] and row["chance"] == 0.5 and row["is_finding"]


def test_labels_that_can_be_seen_are_read_from_the_features(atlas):
    probes = probe_features(atlas, colourings(atlas.pictures)).set_index(["checkpoint", "property"])
    assert ("ConVIRT", "rare") in probes.index or "rare" not in probes.index.get_level_values(1)
    opacity = probes.loc["ConVIRT", "opacity"]
    assert opacity["estimate"] > 0.9 and opacity["classes"].startswith("absent / present, ")
    split = probes.loc["ConVIRT", "split"]  # drawn by lot
    assert split["low"] < 0.55 and not split["is_finding"]
