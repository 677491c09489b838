"""Which labels LSP learns from, why not the others, and how well it tells them of validation pictures."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from lib.data.augment import center_crop, normalize
from workbench.baselines.labels import MIN_CASES, label_use, labelled, told_apart
from workbench.reopen import load_objective, open_data
from workbench.runs import Run

pytestmark = pytest.mark.usefixtures("one_thread")


def test_labels_are_counted_over_the_training_studies(trained):
    run = trained("lsp")
    store, manifest = open_data(run)
    labels = store.labels[manifest.rows("train")]
    table = label_use(run).set_index("label")
    assert list(table.index) == ["opacity", "device", "rare", "unknown"]
    for column, name in enumerate(table.index):
        counts = [(labels[:, column] == 1).sum(), (labels[:, column] == 0).sum()]
        counts.append(len(labels) - sum(counts))
        assert table.loc[name, ["positive", "negative", "unknown"]].tolist() == counts
    assert table.loc[["opacity", "device", "rare"], "reason"].eq("").all()
    assert table.loc["unknown", "reason"] == "not known of any"


def test_a_label_that_the_recipe_does_not_name_says_so(trained):
    run = Run(trained("lsp").folder)
    run.config["objective"]["targets"] = ["device"]
    reasons = label_use(run).set_index("label")["reason"]
    assert reasons["opacity"] == "not among the recipe's targets" and reasons["device"] == ""


def test_a_label_that_is_always_the_same_says_so(trained, monkeypatch):
    run = Run(trained("lsp").folder)
    run.config["objective"]["targets"] = ["device"]
    store, manifest = open_data(run)
    store.labels[:, 0], store.labels[:, 2] = 1, 0
    monkeypatch.setattr("workbench.baselines.labels.open_data", lambda _: (store, manifest))
    reasons = label_use(run).set_index("label")["reason"]
    assert reasons["opacity"] == "no training study is without"
    assert reasons["rare"] == "no training study has it"


def test_pictures_say_their_labels(trained):
    run = trained("lsp")
    pictures, _ = labelled(run, 4)
    (tiles,) = pictures.rows
    for tile in tiles:  # bright patches stand for labels
        patch = {"opacity": tile.picture[4:12, 4:12], "device": tile.picture[4:12, 20:28]}
        for name, pixels in patch.items():
            assert (np.median(pixels) > 90) == (name in tile.caption), tile.caption


def test_areas_are_those_of_validation_pictures(trained):
    run = trained("lsp")
    (value,) = told_apart(run, 0)
    store, manifest = open_data(run)
    views = np.isin(store.views["study_row"], manifest.rows("validation")).nonzero()[0]
    images = normalize(center_crop(torch.from_numpy(np.asarray(store.images[views]))[:, None], 32))
    objective = load_objective(run)
    with torch.no_grad():
        scores = objective.head(objective.encoder(images).pooled).numpy()
    labels = store.labels[store.views["study_row"].to_numpy()[views]]
    found = value.findings.set_index("finding")
    judged = 0
    for column, name in enumerate(run.config["objective"]["targets"]):
        cases = labels[:, column]
        if min((cases == 1).sum(), (cases == 0).sum()) < MIN_CASES:
            assert name not in found.index and name in value.note
            continue
        judged += 1
        assert found.loc[name, "auroc"] == pytest.approx(roc_auc_score(cases, scores[:, column]))
        assert found.loc[name, "low"] <= found.loc[name, "auroc"] <= found.loc[name, "high"]
    assert judged == len(found) >= 2
    assert f"{len(views)} validation pictures" in value.note


def test_where_nothing_can_be_judged_nothing_is(trained, monkeypatch):
    from workbench.figures.baselines import drawn

    monkeypatch.setattr("workbench.baselines.labels.MIN_CASES", 1000)
    run = trained("lsp")
    (value,) = told_apart(run, 0)
    assert value.findings.empty and "too few to judge: opacity, device, rare" in value.note
    (figure,) = drawn(run, [value])
    assert "No label can be judged" in figure.layout.title.text
