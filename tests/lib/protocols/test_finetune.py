import json
import re

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from sklearn.metrics import roc_auc_score
from tiny_studies import LABELS, TinyStudies

from lib.data.augment import AugmentConfig
from lib.data.ingest import ingest
from lib.data.splits import make_manifest
from lib.loops.checkpoint import load_state
from lib.loops.journal import NonFiniteLoss
from lib.loops.optimizer import OptimizerConfig
from lib.loops.randomness import seed_generators
from lib.loops.train import TrainConfig
from lib.models.radiograph_transformer import RadiographTransformer
from lib.protocols import PROTOCOLS
from lib.protocols.finetune import FinetuneConfig, finetune
from lib.registry import resolve


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    reader = TinyStudies(num_studies=200, has_reports=False)
    return ingest(reader, tmp_path_factory.mktemp("data") / "tiny", image_size=36, workers=0, progress=False)


@pytest.fixture(scope="module")
def manifest(store):
    return make_manifest(store, seed=0)


def make_encoder(kind=RadiographTransformer, **changes):
    sizes = {"image_size": 32, "patch_size": 8, "width": 16, "depth": 1, "num_heads": 2, "mlp_width": 32}
    return kind(**{**sizes, "dropout": 0.1, **changes})


def run(store, manifest, run_dir, *, encoder=make_encoder, steps=60, validate_every=15, rate=5e-3, **config):
    seed_generators(0)
    return finetune(
        encoder(),  # after the seed: the same weights each time
        store,
        manifest,
        config=FinetuneConfig(**{"batch_size": 16, **config}),
        train_config=TrainConfig(steps=steps, validate_every=validate_every, log_every=15),
        optimizer=OptimizerConfig(name="adamw", learning_rates={"image": rate}, warmup_steps=5),
        augment=AugmentConfig(crop_size=32, rotation=0.0, flip=0.0),
        run_dir=run_dir,
        progress=False,
    )


def test_a_fine_tuning_learns_tests_its_best_epoch_and_leaves_one_row_per_test_image(
    store, manifest, tmp_path
):
    report = run(store, manifest, tmp_path, steps=120, validate_every=30, targets=["opacity", "device"])
    table = pd.read_parquet(tmp_path / "predictions.parquet")
    assert list(table) == [
        "study_id", "patient_id", "view_id", "label/opacity", "label/device", "probability/opacity",
        "probability/device",
    ]  # fmt: skip

    views = store.views[
        store.views["study_row"].isin(manifest.rows("test")) & (store.views["position"] == "PA")
    ]
    assert sorted(table["view_id"]) == sorted(views["view_id"])
    truth = store.studies.set_index("study_id")
    for name in ("opacity", "device"):
        assert (table[f"label/{name}"].to_numpy() == truth.loc[table["study_id"], f"label/{name}"]).all()
    assert (table["patient_id"].to_numpy() == truth.loc[table["study_id"], "patient_id"]).all()

    areas = [
        roc_auc_score(table[f"label/{name}"], table[f"probability/{name}"]) for name in report["targets"]
    ]
    assert report["auroc"]["estimate"] == pytest.approx(np.mean(areas), abs=1e-6) and np.mean(areas) > 0.75
    assert report["auroc"]["low"] <= report["auroc"]["estimate"] <= report["auroc"]["high"]
    assert report["num_patients"] == table["patient_id"].nunique()
    assert report["per_label"]["opacity"]["num_positives"] == table["label/opacity"].sum()
    assert json.loads((tmp_path / "result.json").read_text()) == report

    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    validations = {row["step"]: row["auroc"] for row in rows if row["kind"] == "validation"}
    assert list(validations) == [30, 60, 90, 120]
    assert report["monitor"] == "auroc" and report["best_validation"] == max(validations.values())
    assert validations[report["best_step"]] == report["best_validation"]


def test_targets_are_all_labels_that_can_be_trained_and_judged(store, manifest, tmp_path):
    report = run(store, manifest, tmp_path, steps=6, min_positives=3)
    assert report["targets"] == ["opacity", "device"]  # rare: too few in a split; unknown: never known


def test_without_both_classes_in_validation_the_loss_chooses(store, manifest, tmp_path):
    rare = store.labels[:, LABELS.index("rare")]
    assert not rare[manifest.rows("validation")].any(), "choose another seed for the fixture"
    report = run(store, manifest, tmp_path, steps=6, validate_every=3, targets=["opacity", "rare"])
    assert report["monitor"] == "loss"


def test_binary_and_label_ratio(store, manifest, tmp_path):
    report = run(store, manifest, tmp_path, task="binary", targets=["opacity"], label_ratio=0.1, draw=1)
    assert report["num_train_studies"] == len(manifest.subset(0.1, 1))
    assert report["num_train_images"] == report["num_train_studies"]  # one frontal view each
    assert report["auroc"]["estimate"] > 0.7
    table = pd.read_parquet(tmp_path / "predictions.parquet")
    assert table["probability/opacity"].between(0, 1).all()


def test_a_label_set_of_one_study_still_trains_for_its_steps(store, manifest, tmp_path):
    report = run(store, manifest, tmp_path, steps=6, targets=["opacity"], label_ratio=0.001)
    assert report["num_train_studies"] == 1 and report["steps"] == 6


def test_the_same_seed_gives_the_same_predictions_after_an_interruption(store, manifest, tmp_path):
    class Stop(Exception):
        pass

    class Stopping(RadiographTransformer):
        calls = 0

        def forward(self, images):
            type(self).calls += 1
            if self.calls == 25:
                raise Stop
            return super().forward(images)

    whole = run(store, manifest, tmp_path / "whole", targets=["opacity"])
    with pytest.raises(Stop):
        run(store, manifest, tmp_path / "parts", encoder=lambda: make_encoder(Stopping), targets=["opacity"])
    assert load_state(tmp_path / "parts" / "checkpoints" / "last.pt")["progress"]["step"] == 15
    parts = run(store, manifest, tmp_path / "parts", targets=["opacity"])
    assert {**whole, "seconds": 0} == {**parts, "seconds": 0}
    tables = [pd.read_parquet(tmp_path / name / "predictions.parquet") for name in ("whole", "parts")]
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_a_training_that_breaks_down_names_the_studies_of_its_batch(store, manifest, tmp_path):
    with pytest.raises(
        NonFiniteLoss, match=r"Step \d+: cross_entropy .* Studies of the batch: s\d+, s\d+"
    ) as error:
        run(store, manifest, tmp_path, rate=1e30, targets=["opacity"])
    named = set(re.findall(r"\bs\d+", str(error.value)))
    assert len(named) == 16 and named <= set(store.studies["study_id"].iloc[manifest.rows("train")])


def save_encoder(path, encoder, drop=None, **extra):
    weights = {f"encoder.{name}": tensor.clone() for name, tensor in encoder.state_dict().items()}
    weights.pop(f"encoder.{drop}", None)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({**weights, **extra}, path)


def test_initial_weights_come_from_a_run_folder_or_a_file(store, manifest, tmp_path):
    pretrained = make_encoder()
    other = {"text_encoder.weight": torch.ones(2)}  # what else a pre-training checkpoint holds
    save_encoder(tmp_path / "run" / "checkpoints" / "best.safetensors", pretrained, **other)
    save_encoder(tmp_path / "weights.safetensors", pretrained, **other)
    for number, init in enumerate((tmp_path / "run", tmp_path / "weights.safetensors")):
        encoder = make_encoder()
        # A learning rate of 0 in the only step: what was loaded is what is left.
        finetune(
            encoder,
            store,
            manifest,
            config=FinetuneConfig(init=str(init), targets=["opacity"], batch_size=16),
            train_config=TrainConfig(steps=1),
            optimizer=OptimizerConfig(learning_rates={"image": 0.0}, warmup_steps=0),
            augment=AugmentConfig(crop_size=32),
            run_dir=tmp_path / f"finetune{number}",
            progress=False,
        )
        for name, tensor in pretrained.state_dict().items():
            assert torch.equal(encoder.state_dict()[name], tensor)


def test_a_checkpoint_that_does_not_fit_is_refused_with_its_keys(store, manifest, tmp_path):
    wide, path = make_encoder(width=32), tmp_path / "best.safetensors"
    save_encoder(path, wide)
    with pytest.raises(ValueError, match=r"patch_embedding\.bias \(32,\) instead of \(16,\)"):
        run(store, manifest, tmp_path / "a", init=str(path))
    save_encoder(path, make_encoder(), drop="norm.bias", **{"encoder.extra": torch.ones(1)})
    with pytest.raises(ValueError, match=r"missing: norm\.bias; unexpected: extra"):
        run(store, manifest, tmp_path / "b", init=str(path))
    save_file({"module.encoder.norm.bias": torch.ones(16)}, path)
    with pytest.raises(ValueError, match="no entry that starts with 'encoder.'"):
        run(store, manifest, tmp_path / "c", init=str(path))


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"task": "multilabel"}, "finetune.task is 'multilabel'"),
        ({"targets": ["opacity", "mass"]}, r"names \['mass'\]; store tiny_target has opacity, device"),
        ({"task": "binary"}, "takes one label"),
        ({"task": "multi_class", "targets": ["opacity"]}, "takes two or more"),
        ({"task": "multi_class", "targets": ["opacity", "device"]}, "exactly one of opacity, device"),
        ({"targets": ["unknown"]}, "known unknown at label ratio 1 in train, validation, test"),
        ({"min_positives": 1000}, "Lower finetune.min_positives"),
        ({"positions": ["OBLIQUE"]}, "view in OBLIQUE in train, validation, test"),
        (
            {"targets": ["opacity"], "feature_norm": "batch", "label_ratio": 0.001},
            "label_ratio 0.001 leaves 1 for training, batch_size is 16",
        ),
        (
            {"targets": ["opacity"], "feature_norm": "batch", "batch_size": 1},
            r"two images in a step: .*, batch_size is 1\.",
        ),
    ],
)
def test_settings_that_do_not_fit_the_store_are_named(store, manifest, tmp_path, config, named):
    with pytest.raises(ValueError, match=named):
        run(store, manifest, tmp_path, **config)


def test_multi_class_takes_labels_that_exclude_each_other(tmp_path):
    class Exclusive(TinyStudies):
        def __iter__(self):
            for study in super().__iter__():
                study.labels["device"] = 1 - study.labels["opacity"]
                yield study

    store = ingest(Exclusive(200, False), tmp_path / "tiny", image_size=36, workers=0, progress=False)
    report = run(
        store, make_manifest(store), tmp_path / "run", task="multi_class", targets=["opacity", "device"]
    )
    assert report["auroc"]["estimate"] > 0.9
    table = pd.read_parquet(tmp_path / "run" / "predictions.parquet")
    np.testing.assert_allclose(table["probability/opacity"] + table["probability/device"], 1, atol=1e-6)


def test_the_table_of_protocols_leads_here():
    assert resolve("finetune", PROTOCOLS) is finetune
