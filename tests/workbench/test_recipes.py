import dataclasses

import pytest
import yaml

from lib.config import to_plain
from lib.data.augment import AugmentConfig
from lib.data.readers import READERS
from lib.loops.optimizer import OptimizerConfig
from lib.loops.train import TrainConfig
from lib.objectives.refers import REFERSConfig
from lib.protocols.finetune import FinetuneConfig
from lib.registry import resolve
from workbench.plan import plan
from workbench.recipe import RECIPES, Recipe, find_recipe, known_recipes
from workbench.sections import LoaderConfig, read_encoder, read_objective


@pytest.fixture
def recipe_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("task: pretrain\nseed: 3\ntrain: {steps: 7}\n")
    return path


def test_a_recipe_is_found_by_short_name_and_by_path(recipe_file):
    assert Recipe.read("refers/phantom").name == "refers/phantom"
    assert find_recipe(str(RECIPES / "refers" / "phantom.yaml")) == RECIPES / "refers" / "phantom.yaml"
    assert Recipe.read(str(recipe_file)).name == Recipe.read(str(recipe_file.with_suffix(""))).name == "mine"
    assert "finetune/paper" in known_recipes()


def test_an_unknown_recipe_is_answered_with_the_closest_one():
    with pytest.raises(FileNotFoundError, match=r"Did you mean 'refers/phantom'\? Known: refers/"):
        find_recipe("refers/fantom")
    with pytest.raises(FileNotFoundError, match=r"no recipe 'nonsense'.*: ablations/, baselines/"):
        find_recipe("nonsense")


def test_overrides_win_and_sections_know_their_keys(recipe_file):
    recipe = Recipe.read(str(recipe_file), ["train.steps=9", "seed=4"])
    assert recipe.section("train", TrainConfig) == TrainConfig(steps=9)
    assert recipe.get("seed", 0) == 4 and recipe.get("split_seed", 0) == 0
    recipe = Recipe.read(str(recipe_file), ["train.stepz=9"])
    with pytest.raises(ValueError, match="(?s)mine.*stepz.*steps, validate_every") as error:
        recipe.section("train", TrainConfig)
    assert "section train" in str(error.value)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("trian.steps=9", "unknown key 'trian'. Did you mean 'train'.*task, seed, train"),
        ("seed=one", "seed is 'one'"),
        ("train=7", "section train"),
        ("steps", "'steps' is not of the form"),
    ],
)
def test_wrong_keys_and_values_are_named(recipe_file, override, named):
    with pytest.raises(ValueError, match=named):
        recipe = Recipe.read(str(recipe_file), [override])
        recipe.check_keys(["task", "seed", "train"])
        recipe.get("seed", 0)
        recipe.section("train", TrainConfig)


def test_a_field_that_a_top_level_key_sets_is_not_taken_from_the_section(recipe_file):
    @dataclasses.dataclass
    class Schema:
        steps: int = 0
        seed: int = 0

    recipe = Recipe.read(str(recipe_file))
    assert recipe.section("train", Schema, seed=3) == Schema(7, 3)
    recipe = Recipe.read(str(recipe_file), ["train.seed=5"])
    with pytest.raises(ValueError, match="section train: seed is set by the top-level key 'seed'"):
        recipe.section("train", Schema, seed=3)
    with pytest.raises(ValueError, match="does not say 'store'"):
        recipe["store"]


@pytest.mark.parametrize("name", known_recipes())
def test_every_recipe_of_ours_says_what_it_is(name):
    text = find_recipe(name).read_text()
    for word in ("# Reproduces:", "# Command:", "# Cost:", "# Expected:"):
        assert word in text, f"{name} does not say {word}"
    assert text.isascii() and yaml.safe_load(text)


@pytest.mark.parametrize("name", known_recipes())
def test_every_recipe_of_ours_fits_the_schemas(name, tmp_path):
    # The store is what is looked for last: all keys and values are good by then.
    with pytest.raises(FileNotFoundError, match="absent is not a store"):
        plan(name, [f"store={tmp_path / 'absent'}"])
    with pytest.raises(ValueError, match=r"section train.*stepz.*Known keys: steps"):
        plan(name, ["train.stepz=1"])


@pytest.mark.parametrize("name", ["paper", "phantom", "openi_small"])
def test_fine_tuning_takes_the_encoder_that_pretraining_makes(name):
    objective = read_objective(Recipe.read(f"refers/{name}")["objective"], where="")
    encoder = read_encoder(Recipe.read(f"finetune/{name}")["encoder"], where="")
    assert encoder == objective["encoder"] and encoder["preset"] == objective["preset"]


CONVIRT_SETS = ("chexpert", "rsna", "covidx", "mura")


@pytest.mark.parametrize("name", [*CONVIRT_SETS, "phantom"])
def test_fine_tuning_takes_the_encoder_that_convirt_makes(name):
    pretraining = Recipe.read(f"convirt/{'phantom' if name == 'phantom' else 'paper'}")
    objective = read_objective(pretraining["objective"], where="")
    encoder = read_encoder(Recipe.read(f"finetune/convirt_{name}")["encoder"], where="")
    assert {key: value for key, value in encoder.items() if key != "preset"} == {
        key: value for key, value in objective["encoder"].items() if key != "preset"
    }


@pytest.mark.parametrize("name", CONVIRT_SETS)
def test_convirts_fine_tuning_is_that_of_its_appendix(name):
    recipe = Recipe.read(f"finetune/convirt_{name}")
    optimizer = recipe.section("optimizer", OptimizerConfig)
    rate = 1e-3 if name == "covidx" else 1e-4
    assert (optimizer.name, optimizer.weight_decay, optimizer.clip_norm) == ("adam", 1e-6, 0)
    assert (optimizer.learning_rates["image"], optimizer.learning_rates["head"]) == (rate, rate)
    assert (optimizer.head_steps, optimizer.head_learning_rate, optimizer.warmup_steps) == (200, 1e-3, 0)
    plateau = (optimizer.schedule, optimizer.plateau_patience, optimizer.plateau_factor)
    assert plateau == ("plateau", 3, 0.5)
    train = recipe.section("train", TrainConfig)
    assert (train.validate_every, train.patience) == (0, 10)
    protocol = recipe.section("finetune", FinetuneConfig)
    assert (protocol.batch_size, protocol.head_dropout) == (64, 0.2)
    assert protocol.metric == ("accuracy" if name == "covidx" else "auroc")
    assert protocol.average_by == ("patient" if name == "mura" else "")
    augment = recipe.section("augment", AugmentConfig)
    assert (augment.crop_size, augment.evaluation, augment.scale) == (224, "whole", (1.0, 1.0))
    assert Recipe.read("convirt/paper").section("augment", AugmentConfig).evaluation == "whole"
    assert set(protocol.targets) <= set(resolve(name, READERS).label_names)


def test_the_papers_recipe_is_the_papers(tmp_path):
    recipe = Recipe.read("refers/paper")
    assert recipe.section("train", TrainConfig) == TrainConfig()
    assert recipe.section("optimizer", OptimizerConfig) == OptimizerConfig()
    assert recipe.section("loader", LoaderConfig).batch_size == 32
    assert recipe.section("augment", AugmentConfig) == AugmentConfig()
    objective = read_objective(recipe["objective"], where="")
    default = read_objective({"name": "refers"}, where="")
    assert objective == default == {"name": "refers", **to_plain(REFERSConfig(encoder=default["encoder"]))}
    official = Recipe.read("refers/official")
    assert official.section("train", TrainConfig).steps == 400_000
    assert official.section("optimizer", OptimizerConfig) == OptimizerConfig()
    objective = read_objective(official["objective"], where="")
    assert objective["preset"] == objective["encoder"]["preset"] == "official"


ABLATIONS = {
    "resnet": "encoder",
    "vit": "encoder",
    "no_view_fusion": "has_view_fusion",
    "generation": "contrastive_weight",
    "consistency": "language_weight",
}


@pytest.mark.parametrize("kind", ["paper", "phantom", "openi_small"])
@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_differs_in_one_thing(name, kind):
    whole, without = Recipe.read(f"refers/{kind}"), Recipe.read(f"ablations/{name}_{kind}")
    assert {**whole.values, "objective": 0} == {**without.values, "objective": 0}
    whole, without = (read_objective(recipe["objective"], where="") for recipe in (whole, without))
    assert {key for key in whole if whole[key] != without[key]} == {ABLATIONS[name]}
    if name == "vit":
        assert without["encoder"] == whole["encoder"] | {"aggregation": "none"}
    elif name == "resnet":
        convnet = Recipe.read(f"baselines/lsp_convnet_{kind}")["objective"]
        depth = {"depth": 101} if kind == "paper" else {}
        assert without["encoder"] == read_encoder(convnet["encoder"] | depth, where="")
    else:
        assert without[ABLATIONS[name]] == 0


@pytest.mark.parametrize("kind", ["paper", "phantom", "openi_small"])
def test_learning_from_labels_is_lsp(kind):
    assert (
        Recipe.read(f"ablations/labels_{kind}").values
        == Recipe.read(f"baselines/lsp_transformer_{kind}").values
    )
