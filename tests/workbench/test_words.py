"""A run of TransVW finds its visual words once, goes on bit-equal, and shows what its words are."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from tiny_world import ENCODER

from lib.data.augment import normalize
from lib.objectives.transvw import TransVW
from workbench.plan import plan
from workbench.reopen import load_objective, open_data
from workbench.runs import Run, list_runs
from workbench.train import pretrain, resume
from workbench.words import AUTO_ENCODER, WORDS, read_words, word_crops

pytestmark = pytest.mark.usefixtures("one_thread")

CLOCK = ["time", "images_per_second", "data_wait_share"]
SIZES = {
    "num_words": 4,
    "num_patients": 6,
    "num_validation_patients": 2,
    "auto_encoder_size": 16,
    "auto_encoder_steps": 4,
}


@pytest.fixture(scope="module")
def recipe(world) -> str:
    """Return the tiny recipe with TransVW in place of REFERS."""
    with open(world.pretrain) as file:
        values = yaml.safe_load(file)
    encoder = {"name": "radiograph_transformer", **ENCODER}
    values["objective"] = {"name": "transvw", "num_views": 2, "words": SIZES, "encoder": encoder}
    values["train"] |= {"steps": 8, "validate_every": 4, "checkpoint_every": 4, "log_every": 1}
    values["train"]["autocast"] = "none"
    path = world.root.parent / "tiny_transvw.yaml"
    path.write_text(yaml.safe_dump(values))
    return str(path)


@pytest.fixture(scope="module")
def run(world, recipe) -> Run:
    return pretrain(recipe, root=world.root, progress=False)


def test_a_run_learns_both(run):
    metrics = run.metrics()
    assert {"loss/restoration", "loss/classification"} <= set(metrics.columns)
    assert metrics["loss"].notna().all()
    assert json.loads((run.folder / "result.json").read_text())["steps"] == 8
    assert (run.folder / AUTO_ENCODER / "metrics.jsonl").is_file()


def test_words_are_of_frontal_pictures_of_different_patients_of_their_split(run):
    words = read_words(run)
    store, manifest = open_data(run)
    assert words["train"].view_rows.shape == (4, 6) and words["validation"].view_rows.shape == (4, 2)
    for part, own in words.items():
        views = store.views.iloc[own.view_rows.flatten()]
        assert set(views["position"]) == {"PA"}
        assert set(views["study_row"]) <= set(manifest.rows(part).tolist())
        for members in own.view_rows:
            assert len(set(manifest.patients[store.views["study_row"].iloc[members]])) == len(members)


def test_a_stopped_run_takes_its_words_and_ends_bit_equal(world, recipe, run, monkeypatch):
    learn, steps = TransVW.forward, []

    def stop_at_step_six(objective, batch):
        steps.extend([None] * objective.training)
        if len(steps) == 6:
            raise RuntimeError("stopped")
        return learn(objective, batch)

    root = world.root / "again"
    with monkeypatch.context() as patched:
        patched.setattr(TransVW, "forward", stop_at_step_six)
        with pytest.raises(RuntimeError, match="stopped"):
            pretrain(recipe, root=root, progress=False)
    (again,) = list_runs(root)
    before = (again.folder / WORDS).stat()
    resume(again, progress=False)
    assert (again.folder / WORDS).stat() == before  # taken, not found again
    for name in (WORDS, "checkpoints/best.safetensors"):
        assert (again.folder / name).read_bytes() == (run.folder / name).read_bytes(), name
    pd.testing.assert_frame_equal(
        again.metrics().drop(columns=CLOCK), run.metrics().drop(columns=CLOCK), check_exact=True
    )


def test_two_processes_find_and_learn_what_one_does(world, recipe, run):
    two = pretrain(recipe, ["processes=2"], root=world.root / "two", progress=False)
    assert (two.folder / WORDS).is_file()
    # Distortions are drawn in each process, so the losses differ; the auto-encoder has none.
    for part, own in read_words(run).items():
        alike = own.view_rows == read_words(two)[part].view_rows
        assert alike[:, 0].all() and alike.mean() >= 0.8  # sums of two halves: equals may change places
    assert two.metrics()["loss"].notna().all()


def test_crops_are_shown_and_restored(run):
    crops = word_crops(run, num_words=3, num_members=5, resolution=1)
    assert crops.shape == (3, 5, 32, 32) and crops.dtype == np.uint8
    assert word_crops(run, num_members=9, part="validation").shape == (4, 2, 32, 32)
    images = normalize(torch.from_numpy(crops[:, 0])[:, None] / 255)
    shown = load_objective(run).show(images)
    assert torch.equal(shown.original, images) and shown.restored.shape == images.shape


@pytest.mark.parametrize(
    "changes, told",
    [
        (["objective.words.num_patients=90"], "num_patients 90 needs as many train patients"),
        (["objective.words.crop_share=0.9"], "crops of 32 to 40 px from pictures of 36 px"),
        (["augment.flip=0.5"], "augment.flip 0.5: a mirrored crop"),
        (["objective.words.auto_encoder_size=20"], "20 px: the side must be a multiple of 16"),
    ],
)
def test_words_that_do_not_fit_are_refused(world, recipe, changes, told):
    with pytest.raises(ValueError, match=told):
        pretrain(recipe, changes, root=world.root / "refused", progress=False)


def test_a_run_without_words_is_named(world):
    run = Run.create("tiny_refers", plan(world.pretrain), world.root / "refers")
    with pytest.raises(FileNotFoundError, match="has no visual_words.npz: objective refers"):
        word_crops(run)
