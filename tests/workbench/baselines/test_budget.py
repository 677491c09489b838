"""What a pre-training costs, and the command that goes on from it."""

import shlex
import types

import pytest
from tiny_baselines import BATCH, STEPS

from workbench.baselines.budget import budget, finetuning_recipes, next_step
from workbench.notebooks import find_notebook
from workbench.parameters import check_parameters
from workbench.recipe import Recipe
from workbench.sections import read_objective


@pytest.mark.parametrize("name, pictures", [("model_genesis", 1), ("simclr", 2), ("caption_lstm", 1)])
def test_pictures_are_counted_with_their_crops(name, pictures, trained):
    found = budget(trained(name))
    assert found["pictures of a study and step"] == pictures
    assert found["pictures seen"] == STEPS * BATCH * pictures
    assert (found["training studies"], found["steps"]) == (72, STEPS)
    assert found["optimizer"] == "adamw, 0.003"


@pytest.mark.parametrize(
    "recipe, expected",
    [
        ("baselines/model_genesis_phantom", "finetune/phantom"),
        ("baselines/moco_v2_openi_small", "finetune/openi_small"),
        ("baselines/lsp_convnet_phantom", None),
    ],
)
def test_recipes_of_the_same_encoder_fit(recipe, expected):
    objective = read_objective(Recipe.read(recipe)["objective"], where=recipe)
    run = types.SimpleNamespace(config={"objective": objective}, id="run")
    assert (expected in finetuning_recipes(run)) == (expected is not None)
    objective["encoder"]["weights"] = "some.safetensors"  # what it began with does not matter
    assert (expected in finetuning_recipes(run)) == (expected is not None)


def test_the_command_names_what_the_page_takes(trained):
    run = trained("model_genesis")
    overrides = ["train.steps=7", "store=a b"]
    found = next_step(run, "baselines/model_genesis_phantom", overrides)
    assert found["weights"].endswith("checkpoints/best.safetensors")
    _, _, page, *arguments = shlex.split(found["fine-tune without a page"])
    values = dict(zip(arguments[1::3], arguments[2::3], strict=True))
    read = check_parameters(find_notebook(page), values)
    assert read["pretraining"] == "baselines/model_genesis_phantom"
    assert read["pretraining_overrides"] == overrides
    assert "none; give one" in found["recipes that fine-tune this encoder"]
