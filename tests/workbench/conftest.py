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
