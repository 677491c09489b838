import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from lib.config import build, config_hash, read_recipe, to_plain

PROJECT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass(kw_only=True)
class Rates:
    image: float = 3e-3
    text: float = 3e-4


@dataclasses.dataclass(kw_only=True)
class Training:
    steps: int
    rates: Rates = dataclasses.field(default_factory=Rates)
    preset: Literal["paper", "official"] = "paper"
    depth: int | None = None
    layers: tuple[int, ...] = (1, 2)

    def __post_init__(self):
        if self.steps < 1:
            raise ValueError(f"steps {self.steps} must be 1 or more.")


def write(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / "leaf.yaml"


def test_build_gives_the_plain_dataclass_with_defaults_where_values_are_silent():
    built = build(Training, {"steps": 5, "rates": {"text": "1e-2"}, "layers": [4]})
    assert built == Training(steps=5, rates=Rates(text=0.01), layers=(4,))
    assert type(built) is Training and type(built.rates) is Rates


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"stepz": 5}, ["recipe r", "stepz", "steps", "rates"]),
        ({"steps": 5, "rates": {"imagee": 1}}, ["rates.imagee", "image, text"]),
        ({"steps": 5, "rates": {"image": "fast"}}, ["rates.image", "'fast'"]),
        ({"steps": 2.5}, ["steps", "2.5"]),
        ({"steps": None}, ["steps", "None"]),
        ({}, ["steps"]),
        ({"steps": 5, "preset": "mine"}, ["preset", "mine"]),
        ({"steps": 5, "rates": 7}, ["recipe r", "7"]),
        ({"steps": -3}, ["recipe r", "-3", "1 or more"]),
        (7, ["recipe r", "7", "steps"]),
    ],
)
def test_build_names_place_key_and_known_keys(values, told):
    with pytest.raises(ValueError) as caught:
        build(Training, values, where="recipe r")
    assert all(word in str(caught.value) for word in told), str(caught.value)


def test_a_recipe_lies_over_its_bases_and_under_the_overrides(tmp_path):
    leaf = write(
        tmp_path,
        root="train: {steps: 10, rate: 0.1}\nname: root\n",
        middle="base: root\ntrain: {rate: 0.2}\n",
        leaf="base: middle\nname: leaf\n",
    )
    assert read_recipe(leaf) == {"train": {"steps": 10, "rate": 0.2}, "name": "leaf"}
    overrides = ["train.steps=20", "train.steps=30", "eval.size=[1,2]"]
    assert read_recipe(leaf, overrides) == {
        "train": {"steps": 30, "rate": 0.2},
        "name": "leaf",
        "eval": {"size": [1, 2]},
    }


def test_an_encoder_of_another_name_takes_nothing_from_the_one_below(tmp_path):
    leaf = write(
        tmp_path,
        root="part: {name: a, encoder: {name: vit, depth: 4, size: '${size}'}}\nsize: 8\n",
        same="base: root\npart: {name: b, encoder: {depth: 2}}\n",
        leaf="base: same\npart: {encoder: {name: resnet, size: '${size}'}}\n",
    )
    assert read_recipe(leaf)["part"] == {"name": "b", "encoder": {"name": "resnet", "size": 8}}
    vit = {"name": "vit", "depth": 2, "size": 9}
    overrides = ["part.encoder.name=vit", "size=9"]
    assert read_recipe(tmp_path / "same.yaml", overrides)["part"]["encoder"] == vit
    overrides = ["part.encoder.depth=50", "part.encoder.name=resnet"]
    assert read_recipe(tmp_path / "same.yaml", overrides)["part"]["encoder"] == {
        "name": "resnet",
        "depth": 50,
    }
    # Without a name below, it is not known what the fields belong to.
    nameless = write(tmp_path, leaf="encoder: {depth: 4}\n")
    assert read_recipe(nameless, ["encoder.name=vit"]) == {"encoder": {"depth": 4, "name": "vit"}}


def test_a_base_is_found_relative_to_its_recipe(tmp_path):
    (tmp_path / "refers").mkdir()
    leaf = write(tmp_path / "refers", leaf="base: ../common\n")
    write(tmp_path, common="a: 1\n")
    assert read_recipe(leaf) == {"a": 1}


def test_a_reference_follows_the_override_of_what_it_names(tmp_path):
    leaf = write(tmp_path, leaf="steps: 1\ntrain: {total: '${steps}'}\n")
    assert read_recipe(leaf, ["steps=9"])["train"] == {"total": 9}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1", "not readable YAML"),
        ("a: 1\na: 2\n", "duplicate key"),
        ("- 1\n- 2\n", "not a list"),
        ("base: leaf\n", "leads back to itself"),
        ("a: ${nowhere}\n", "nowhere"),
    ],
)
def test_a_broken_recipe_is_named(tmp_path, text, told):
    leaf = write(tmp_path, leaf=text)
    with pytest.raises(ValueError, match=told) as caught:
        read_recipe(leaf)
    assert "leaf.yaml" in str(caught.value)


@pytest.mark.parametrize("override", ["steps", "=5", ""])
def test_an_override_without_key_or_value_is_refused(tmp_path, override):
    with pytest.raises(ValueError, match="key=value"):
        read_recipe(write(tmp_path, leaf="steps: 1\n"), [override])


def test_a_missing_recipe_and_a_missing_base_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.yaml does not exist"):
        read_recipe(tmp_path / "nothing.yaml")
    with pytest.raises(FileNotFoundError, match=r"gone.yaml does not exist \(named as base by leaf.yaml\)"):
        read_recipe(write(tmp_path, leaf="base: gone\n"))


def test_a_config_survives_the_way_to_plain_and_back():
    config = Training(steps=5, rates=Rates(image=0.5), preset="official", layers=(7,))
    plain = to_plain(config)
    assert plain["layers"] == [7] and plain["rates"] == {"image": 0.5, "text": 3e-4}
    assert build(Training, plain) == config


def test_the_hash_sees_values_and_not_the_order_of_keys():
    assert config_hash({"a": 1, "b": {"c": 2, "d": 3}}) == config_hash({"b": {"d": 3, "c": 2}, "a": 1})
    assert config_hash({"a": 1}) != config_hash({"a": 2})
    assert config_hash({"a": {"b": 1}}) != config_hash({"b": {"a": 1}})


def test_the_hash_is_the_same_in_another_process():
    values = {"b": [1, 2.5, None, "x"], "a": {"y": True}}
    code = f"from lib.config import config_hash; print(config_hash({values!r}))"
    other = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == config_hash(values)
