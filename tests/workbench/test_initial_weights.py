"""Encoders that begin with a file of weights: what a run keeps of it, and when it counts as the same run."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
import yaml

from lib.models.encoder import make_encoder
from workbench.plan import plan
from workbench.reopen import load_objective
from workbench.summary import summary
from workbench.train import finetune, pretrain, resume

STEPS = ["train.steps=2", "train.validate_every=2", "optimizer.warmup_steps=0"]
RESNET = {"name": "resnet", "depth": 18, "base_width": 4, "image_size": 32}


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A file that holds a narrow ResNet as torchvision names it, with its head."""
    torch.manual_seed(3)
    state = make_encoder(RESNET).state_dict()
    path = tmp_path_factory.mktemp("weights") / "resnet_imagenet.pth"
    torch.save(state | {"fc.weight": torch.zeros(5, 32), "fc.bias": torch.zeros(5)}, path)
    return path


@pytest.fixture(scope="module")
def recipes(world, weights, tmp_path_factory) -> tuple[str, str]:
    """Recipes of REFERS and of a fine-tuning whose encoder begins with the file."""
    folder, section = tmp_path_factory.mktemp("recipes"), {**RESNET, "weights": str(weights)}
    paths = folder / "refers_resnet.yaml", folder / "finetune_resnet.yaml"
    for path, below in zip(paths, (world.pretrain, world.finetune), strict=True):
        recipe = yaml.safe_load(Path(below).read_text())
        (recipe["objective"] if "objective" in recipe else recipe)["encoder"] = section
        path.write_text(yaml.safe_dump(recipe))
    return str(paths[0]), str(paths[1])


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_run_keeps_a_card_of_the_file(recipes, weights, tmp_path):
    run = pretrain(recipes[0], STEPS, root=tmp_path, progress=False)
    card = json.loads((run.folder / "initial_weights.json").read_text())
    assert card["file"] == "resnet_imagenet.pth" and card["ignored"] == ["fc.bias", "fc.weight"]
    assert card["sha256"] == run.config["weights_id"] == sha256(weights)
    assert card["num_matched"] == len(make_encoder(RESNET).state_dict())
    assert card["adapted"] == {} and card["initial"] == card["differences"] == []
    assert load_objective(run).encoder.loaded.sha256 == card["sha256"]


def test_a_fine_tuning_from_the_file_is_a_row_of_its_own(recipes, world, weights, tmp_path):
    run = finetune(recipes[1], [*STEPS, "init=random"], root=tmp_path, progress=False)
    assert (run.folder / "initial_weights.json").is_file()
    assert (run.config["init"], run.config["method"]) == ("random", "resnet_imagenet")
    other = finetune(recipes[1], [*STEPS, "encoder.weights=''"], root=tmp_path, progress=False)
    assert other.config["method"] == "random" and "weights_id" not in other.config
    assert not (other.folder / "initial_weights.json").exists()
    table = summary(root=tmp_path, replicates=20)  # compared with each other, so one group
    assert table["method"].tolist() == ["random", "resnet_imagenet"]
    assert table["difference"].notna().tolist() == [False, True]
    with pytest.raises(ValueError, match="cannot begin both with init=.* and with encoder.weights="):
        plan(recipes[1], [f"init={weights}"], root=tmp_path)


def test_the_same_file_elsewhere_is_the_same_run_and_another_file_is_another(recipes, weights, tmp_path):
    first = pretrain(recipes[0], STEPS, root=tmp_path, progress=False)
    moved = tmp_path / "moved.pth"
    moved.write_bytes(weights.read_bytes())
    overrides = [*STEPS, f"objective.encoder.weights={moved}"]
    assert pretrain(recipes[0], overrides, root=tmp_path, progress=False).id == first.id
    torch.save(torch.load(moved, weights_only=True) | {"bn1.bias": torch.ones(4)}, moved)
    other = pretrain(recipes[0], overrides, root=tmp_path, progress=False)
    assert other.id != first.id and other.config["weights_id"] == sha256(moved)
    torch.save(torch.load(moved, weights_only=True) | {"bn1.bias": torch.zeros(4)}, moved)
    with pytest.raises(ValueError, match="moved.pth is not the file of weights of this run any more"):
        resume(other, progress=False)


def test_a_file_that_is_not_there_is_named_before_any_run(recipes, tmp_path):
    with pytest.raises(FileNotFoundError, match="encoder.weights=.*none.pth: there is no such file"):
        pretrain(recipes[0], [f"objective.encoder.weights={tmp_path}/none.pth"], root=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
