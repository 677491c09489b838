"""Fixtures of the tests that train."""

import dataclasses

import pytest
from tiny_convirt import TinyConVIRT, make_convirt
from tiny_world import World, make_world

from workbench.runs import Run


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    """Return two small stores, the recipes that train on them, and an empty folder for runs."""
    return make_world(tmp_path_factory.mktemp("world"))


@dataclasses.dataclass(frozen=True)
class Trained:
    """A finished ConVIRT with three kept checkpoints, and where it comes from."""

    made: TinyConVIRT
    run: Run


@pytest.fixture(scope="session")
def convirt(tmp_path_factory) -> Trained:
    """Return a ConVIRT of a few steps; its store is `tiny_studies`."""
    from workbench.train import pretrain  # most tests here train nothing

    folder = tmp_path_factory.mktemp("convirt")
    made = make_convirt(folder)
    return Trained(made, pretrain(made.recipe, root=folder / "runs", progress=False))


@pytest.fixture(scope="session")
def refers(tmp_path_factory) -> Run:
    """Return a REFERS of a few steps, with two views and two heads; its store is `tiny_studies`."""
    from workbench.train import pretrain  # most tests here train nothing

    world = make_world(tmp_path_factory.mktemp("refers"))
    few = ["train.steps=8", "train.validate_every=8", "train.checkpoint_every=8", "device=cpu"]
    return pretrain(world.pretrain, few, root=world.root, progress=False)


@pytest.fixture(scope="session")
def tiny_sweep(tmp_path_factory):
    """Return a sweep that is run; one of its methods cannot be pre-trained."""
    from tests.tiny_read_sweep import make_sweep  # most tests here train nothing

    return make_sweep(tmp_path_factory.mktemp("sweep"))


@pytest.fixture(scope="session")
def sweep_monitor(tiny_sweep):
    """Return the monitor of that sweep; nothing in it is changed."""
    from workbench.widgets.sweep_monitor import SweepMonitor

    return SweepMonitor(tiny_sweep.file, root=tiny_sweep.world.root, replicates=100)


@pytest.fixture(scope="module")
def roots(convirt):
    """Point to the runs of the tiny ConVIRT."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_RUNS", str(convirt.run.folder.parent))
        yield convirt.run.folder.parent


@pytest.fixture(scope="module")
def atlas(convirt, roots):
    """Return maps of the tiny ConVIRT."""
    from tiny_atlas import make_atlas  # draws

    return make_atlas(convirt.run)


@pytest.fixture(scope="module")
def tuned(convirt, roots):
    """Return a fine-tuning of the tiny ConVIRT."""
    from tiny_atlas import make_fine_tuning

    return make_fine_tuning(convirt.made, roots)
