"""The baselines that restore pictures have the budget of REFERS: encoder, pictures, steps and optimizer."""

import dataclasses

import pytest

from lib.data.augment import AugmentConfig
from lib.loops.optimizer import OptimizerConfig
from lib.loops.train import TrainConfig
from workbench.recipe import Recipe
from workbench.sections import LoaderConfig, read_encoder, read_objective

SECTIONS = {"loader": LoaderConfig, "augment": AugmentConfig, "train": TrainConfig}
NAMES = ("context_restoration", "model_genesis", "transvw")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["phantom", "openi_small", "paper"])
def test_the_budget_is_that_of_refers(name, kind):
    ours, refers = Recipe.read(f"baselines/{name}_{kind}"), Recipe.read(f"refers/{kind}")
    for key, schema in SECTIONS.items():
        expected = refers.section(key, schema)
        if name == "transvw" and key == "augment":  # a mirrored crop looks like another visual word
            expected = dataclasses.replace(expected, flip=0.0)
        assert ours.section(key, schema) == expected, key
    for key in ("store", "split_seed", "seed"):
        assert ours[key] == refers[key]
    objective, compared = (read_objective(recipe["objective"], where="") for recipe in (ours, refers))
    assert objective["num_views"] == compared["num_views"]
    assert objective["encoder"] == compared["encoder"]
    assert read_encoder(Recipe.read(f"finetune/{kind}")["encoder"], where="") == compared["encoder"]


@pytest.mark.parametrize(
    "name, kind", [(name, kind) for name in NAMES for kind in ("phantom", "openi_small")]
)
def test_the_optimizer_is_that_of_refers(name, kind):
    ours, refers = (
        Recipe.read(recipe).section("optimizer", OptimizerConfig)
        for recipe in (f"baselines/{name}_{kind}", f"refers/{kind}")
    )
    assert ours.learning_rates["image"] == refers.learning_rates["image"]
    ours.learning_rates = refers.learning_rates
    assert ours == refers


@pytest.mark.parametrize("kind", ["phantom", "openi_small", "paper"])
def test_patches_move_a_fifth_of_a_picture(kind):
    objective = read_objective(Recipe.read(f"baselines/context_restoration_{kind}")["objective"], where="")
    pixels = 2 * objective["num_swaps"] * objective["patch_size"] ** 2
    assert pixels / objective["encoder"]["image_size"] ** 2 == pytest.approx(0.2, abs=0.01)
