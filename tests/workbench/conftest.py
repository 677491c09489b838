"""Fixtures of the tests that train."""

import pytest
from tiny_world import World, make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    """Return two small stores, the recipes that train on them, and an empty folder for runs."""
    return make_world(tmp_path_factory.mktemp("world"))
