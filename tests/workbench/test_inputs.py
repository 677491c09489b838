from pathlib import Path

import pytest
import torch

from workbench.inputs import PROJECT, describe_init, resolve_device, resolve_place, shorten


def test_relative_places_are_looked_for_here_and_then_in_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert resolve_place("outputs/stores/a") == PROJECT / "outputs/stores/a"
    (tmp_path / "outputs" / "stores" / "a").mkdir(parents=True)
    assert resolve_place("outputs/stores/a") == Path("outputs/stores/a")
    assert resolve_place(str(tmp_path)) == tmp_path
    assert shorten(PROJECT / "outputs" / "runs") == "outputs/runs" and shorten(tmp_path) == str(tmp_path)


def test_a_folder_that_a_package_ships():
    assert resolve_place("package:torch/nn") == Path(torch.__file__).parent / "nn"
    with pytest.raises(FileNotFoundError, match="package no_such_thing is not installed"):
        resolve_place("package:no_such_thing/model")


def test_devices():
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_weights_that_are_not_there_are_named(tmp_path):
    assert describe_init("random", tmp_path)["init_id"] == "random"
    with pytest.raises(FileNotFoundError, match="no-such-run"):
        describe_init("no-such-run", tmp_path)
    (tmp_path / "run").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no checkpoint .*best\.safetensors"):
        describe_init(str(tmp_path / "run"), tmp_path)
