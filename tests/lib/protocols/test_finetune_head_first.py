"""Fine-tuning as in ConVIRT: the head first, dropout, whole pictures, accuracy, averages by patient."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from tiny_studies import TinyStudies

from lib.data.augment import AugmentConfig
from lib.data.ingest import ingest
from lib.data.splits import make_manifest
from lib.loops.checkpoint import load_state
from lib.loops.optimizer import OptimizerConfig
from lib.loops.randomness import seed_generators
from lib.loops.train import TrainConfig
from lib.models.resnet import ResNet
from lib.objectives.label_classifier import LabelClassifier
from lib.protocols.finetune import FinetuneConfig, finetune
from lib.protocols.predictions import judge

HEAD_STEPS = 4


class Exclusive(TinyStudies):
    """Studies of which each has exactly one of two labels; both views of a study count as frontal."""

    def __iter__(self):
        for study in super().__iter__():
            study.labels["device"] = 1 - study.labels["opacity"]
            yield study


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "tiny"
    return ingest(Exclusive(100, False), folder, image_size=36, workers=0, progress=False)


@pytest.fixture(scope="module")
def manifest(store):
    return make_manifest(store, seed=0)


class Stop(Exception):
    pass


class Stopping(ResNet):
    """A ResNet that stops after some batches of training."""

    def __init__(self, stop_after=1000):
        super().__init__(depth=18, image_size=32, base_width=4)
        self.forwards_left = stop_after

    def forward(self, images):
        # A batch of training is known by its size: evaluation has others too, but no whole one of 7.
        self.forwards_left -= len(images) == BATCH
        if self.forwards_left < 0:
            raise Stop
        return super().forward(images)


BATCH = 7


def run(store, manifest, run_dir, *, stop_after=1000, **config):
    seed_generators(0)
    return finetune(
        Stopping(stop_after),
        store,
        manifest,
        config=FinetuneConfig(
            **{"batch_size": BATCH, "targets": ["opacity"], "head_dropout": 0.2, "task": "binary", **config}
        ),
        train_config=TrainConfig(steps=8, validate_every=100, log_every=4, checkpoint_every=2),
        optimizer=OptimizerConfig(
            name="adam",
            learning_rates={"image": 1e-3, "head": 1e-3},
            schedule="plateau",
            warmup_steps=0,
            head_steps=HEAD_STEPS,
            head_learning_rate=1e-2,
            weight_decay=1e-6,
            clip_norm=0,
        ),
        augment=AugmentConfig(
            crop_size=32, scale=(1, 1), rotation=0, flip=0, brightness=(1, 1), contrast=(1, 1),
            evaluation="whole",
        ),
        run_dir=run_dir,
        progress=False,
    )  # fmt: skip


def test_the_encoder_is_bit_equal_until_its_turn_batch_norms_included(store, manifest, tmp_path):
    seed_generators(0)
    before = Stopping().state_dict()
    with pytest.raises(Stop):
        run(store, manifest, tmp_path, stop_after=HEAD_STEPS)
    state = load_state(tmp_path / "checkpoints" / "last.pt")
    assert state["progress"]["step"] == HEAD_STEPS
    for name, tensor in before.items():
        assert torch.equal(state["objective"][f"encoder.{name}"], tensor), name
    assert state["objective"]["head.weight"].abs().sum() > 0  # it starts at zero

    report = run(store, manifest, tmp_path)
    assert report["steps"] == 8
    after = load_file(tmp_path / "checkpoints" / "best.safetensors")
    assert not torch.equal(after["encoder.bn1.running_mean"], before["bn1.running_mean"])
    assert not torch.equal(after["encoder.conv1.weight"], before["conv1.weight"])


def test_a_stop_on_either_side_of_the_change_resumes_bit_equal(store, manifest, tmp_path):
    whole = run(store, manifest, tmp_path / "whole")
    for stop_after in (HEAD_STEPS - 1, HEAD_STEPS, HEAD_STEPS + 3):
        parts = tmp_path / f"parts{stop_after}"
        with pytest.raises(Stop):
            run(store, manifest, parts, stop_after=stop_after)
        assert {**run(store, manifest, parts), "seconds": 0} == {**whole, "seconds": 0}
        files = [folder / "checkpoints" / "best.safetensors" for folder in (tmp_path / "whole", parts)]
        assert files[0].read_bytes() == files[1].read_bytes()
        tables = [pd.read_parquet(folder / "predictions.parquet") for folder in (tmp_path / "whole", parts)]
        pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_a_frozen_encoder_works_as_in_evaluation(store):
    classifier = LabelClassifier(Stopping(), "multi_label", [0], dropout=0.5, head_apart=True)
    torch.nn.init.ones_(classifier.head.weight)
    images = torch.randn(6, 1, 1, 32, 32)
    batch = type("B", (), {"images": images})
    expected = classifier.eval().encoder(images[:, 0]).pooled
    classifier.train().encoder.requires_grad_(False)
    seen = []
    classifier.dropout.register_forward_hook(lambda _, inputs, output: seen.append((inputs[0], output)))
    classifier.logits(batch)
    assert torch.equal(seen[0][0], expected) and not seen[0][0].requires_grad
    is_dropped = seen[0][1] == 0
    assert 0.2 < is_dropped.float().mean() < 0.8  # the head is trained: its dropout works
    assert classifier.encoder.bn1.num_batches_tracked == 0

    classifier.encoder.requires_grad_(True)
    classifier.logits(batch)
    assert classifier.encoder.training and not torch.equal(seen[1][0], expected)
    assert classifier.encoder.bn1.num_batches_tracked == 1
    classifier.eval().logits(batch)
    assert torch.equal(seen[2][0], seen[2][1])  # no dropout in evaluation


def test_the_head_is_a_group_of_its_own_where_it_has_a_rate():
    classifier = LabelClassifier(Stopping(), "multi_label", [0], head_apart=True)
    groups = classifier.parameter_groups()
    assert [name for name, _ in groups["head"]] == ["head.weight", "head.bias"]
    assert {name for name, _ in groups["image"]} == {
        f"encoder.{name}" for name, _ in classifier.encoder.named_parameters()
    }
    assert list(LabelClassifier(Stopping(), "multi_label", [0]).parameter_groups()) == ["image"]


def test_the_test_is_judged_by_patient_and_its_table_kept_by_image(store, manifest, tmp_path):
    report = run(store, manifest, tmp_path, average_by="patient", positions=["PA", "LATERAL"])
    table = pd.read_parquet(tmp_path / "predictions.parquet")
    expected = judge(table, average_by="patient")
    assert report["auroc"] == expected["auroc"] and report["num_images"] == len(table)
    assert report["num_cases"] == table["patient_id"].nunique() < len(table)


def test_exclusive_classes_are_chosen_and_judged_by_accuracy(store, manifest, tmp_path):
    classes = {"task": "multi_class", "targets": ["opacity", "device"]}
    report = run(store, manifest, tmp_path, metric="accuracy", **classes)
    table = pd.read_parquet(tmp_path / "predictions.parquet")
    best = np.where(table["probability/opacity"] >= table["probability/device"], 1, 0)
    assert report["accuracy"]["estimate"] == pytest.approx((best == table["label/opacity"]).mean(), abs=1e-6)
    assert report["monitor"] == "accuracy" and 0 <= report["best_validation"] <= 1


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"head_dropout": 1.0}, "head_dropout 1.0 is not a share"),
        ({"metric": "f1"}, "metric is 'f1'; it must be one of auroc, accuracy"),
        ({"metric": "accuracy"}, '"accuracy" is for task "multi_class", not for \'multi_label\''),
    ],
)
def test_wrong_settings_are_refused_by_name(config, named):
    with pytest.raises(ValueError, match=named):
        FinetuneConfig(**config)
